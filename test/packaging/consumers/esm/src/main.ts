import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import * as bullmq from '@shopify-tokens/bullmq'
import * as core from '@shopify-tokens/core'
import * as express from '@shopify-tokens/express'
import * as nestjs from '@shopify-tokens/nestjs'
import * as redis from '@shopify-tokens/redis'
import * as testing from '@shopify-tokens/testing'
import * as typeormStore from '@shopify-tokens/typeorm-store'
import * as fromEnvironment from '@shopify-tokens/typeorm-store/from-environment'
import { DataSource } from 'typeorm'

const require = createRequire(import.meta.url)

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

for (const [name, imported] of Object.entries(entries)) {
  const required = require(name) as Record<string, unknown>
  assert.deepEqual(Object.keys(required).sort(), Object.keys(imported).sort(), name)
  for (const [key, value] of Object.entries(imported)) assert.equal(required[key], value, `${name}: ${key}`)
}

const dataSource = new DataSource({
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
  sealing: core.staticKeyRing([{ id: 'first', bytes: randomBytes(32) }]),
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
