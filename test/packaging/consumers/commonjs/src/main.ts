import assert = require('node:assert/strict')
import crypto = require('node:crypto')
import path = require('node:path')
import bullmq = require('@shopify-tokens/bullmq')
import core = require('@shopify-tokens/core')
import express = require('@shopify-tokens/express')
import nestjs = require('@shopify-tokens/nestjs')
import redis = require('@shopify-tokens/redis')
import testing = require('@shopify-tokens/testing')
import typeormStore = require('@shopify-tokens/typeorm-store')
import fromEnvironment = require('@shopify-tokens/typeorm-store/from-environment')
import typeorm = require('typeorm')

const entries: Record<string, Record<string, unknown>> = {
  '@shopify-tokens/bullmq': bullmq,
  '@shopify-tokens/core': core,
  '@shopify-tokens/express': express,
  '@shopify-tokens/nestjs': nestjs,
  '@shopify-tokens/redis': redis,
  '@shopify-tokens/testing': testing,
  '@shopify-tokens/typeorm-store': typeormStore,
  '@shopify-tokens/typeorm-store/from-environment': fromEnvironment,
}

async function main(): Promise<void> {
  for (const [name, required] of Object.entries(entries)) {
    const imported = (await import(name)) as Record<string, unknown>
    assert.deepEqual(Object.keys(imported).sort(), Object.keys(required).sort(), name)
    for (const [key, value] of Object.entries(required)) assert.equal(imported[key], value, `${name}: ${key}`)

    // What a tool gets that knows neither `module-sync` nor ES modules, such as Jest in its default mode.
    const [scope = '', folder = '', entry = 'index'] = name.split('/')
    const file = path.resolve('node_modules', scope, folder, 'dist/cjs', `${entry}.js`)
    const fallback = require(file) as Record<string, unknown>
    assert.deepEqual(Object.keys(fallback).sort(), Object.keys(required).sort(), file)
  }

  const dataSource = new typeorm.DataSource({
    type: 'better-sqlite3',
    database: ':memory:',
    entities: [typeormStore.tokenEntity('better-sqlite3')],
    migrations: [...typeormStore.tokenMigrations()],
    migrationsRun: true,
  })
  await dataSource.initialize()
  const shopify = await testing.FakeShopify.start({ clientId: 'app', clientSecret: 'not-a-secret' })
  const manager: core.TokenManager = core.createTokenManager({
    clientId: 'app',
    clientSecret: 'not-a-secret',
    store: new typeormStore.TypeOrmTokenStore(dataSource),
    sealing: core.staticKeyRing([{ id: 'first', bytes: crypto.randomBytes(32) }]),
    fetch: shopify.fetch,
  })
  const shop: core.Shop = core.parseShop('first.myshopify.com')
  shopify.installShop(shop)
  const token: core.AccessToken = await manager.acquire(shop, { idToken: shopify.sessionToken(shop) })
  assert.equal(token, await manager.token(shop))
  assert.equal(await dataSource.getRepository<typeormStore.TokenRow>('ShopifyToken').count(), 1)
  await manager.close()
  await shopify.close()
  await dataSource.destroy()

  process.stdout.write('every entry has one identity; a token was acquired and stored\n')
}

void main()
