import assert = require('node:assert/strict')
import core = require('@shopify-tokens/core')
import express = require('@shopify-tokens/express')
import nestjs = require('@shopify-tokens/nestjs')
import testing = require('@shopify-tokens/testing')
import typeormStore = require('@shopify-tokens/typeorm-store')
import fromEnvironment = require('@shopify-tokens/typeorm-store/from-environment')

const entries: Record<string, Record<string, unknown>> = {
  '@shopify-tokens/core': core,
  '@shopify-tokens/express': express,
  '@shopify-tokens/nestjs': nestjs,
  '@shopify-tokens/testing': testing,
  '@shopify-tokens/typeorm-store': typeormStore,
  '@shopify-tokens/typeorm-store/from-environment': fromEnvironment,
}

async function main(): Promise<void> {
  for (const [name, required] of Object.entries(entries)) {
    const imported = (await import(name)) as Record<string, unknown>
    assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort(), name)
    for (const [key, value] of Object.entries(required)) assert.equal(imported[key], value, `${name}: ${key}`)
  }

  const shopify = await testing.FakeShopify.start({ clientId: 'app', clientSecret: 'not-a-secret' })
  const manager: core.TokenManager = core.createTokenManager({
    clientId: 'app',
    clientSecret: 'not-a-secret',
    store: new core.MemoryTokenStore(),
    sealing: 'unsealed-tokens-readable-in-store',
    fetch: shopify.fetch,
  })
  const shop: core.Shop = core.parseShop('first.myshopify.com')
  shopify.installShop(shop)
  const token: core.AccessToken = await manager.acquire(shop, { idToken: shopify.sessionToken(shop) })
  assert.equal(token, await manager.token(shop))
  await manager.close()
  await shopify.close()

  process.stdout.write('every entry has one identity; a token was acquired\n')
}

void main()
