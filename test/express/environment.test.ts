import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TokenEvent } from '@shopify-tokens/core'
import { shopifyAuth, shopifyTokens, type ShopifyTokensMiddleware, shopifyWebhooks } from '@shopify-tokens/express'
import { FakeShopify } from '@shopify-tokens/testing'
import express, { type Express } from 'express'
import request from 'supertest'
import { until } from '../until.js'

const folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-express-'))
const before = { ...process.env }
let shopify: FakeShopify
let middleware: ShopifyTokensMiddleware | undefined
let warnings: string[]

beforeAll(async () => {
  shopify = await FakeShopify.start({ clientId: 'env-app', clientSecret: 'env-app-secret' })
})
beforeEach(() => {
  warnings = []
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)))
  Object.assign(process.env, {
    SHOPIFY_API_KEY: 'env-app',
    SHOPIFY_API_SECRET: 'env-app-secret',
    SHOPIFY_API_VERSION: '2026-10',
    SHOPIFY_TOKENS_DATABASE_URL: `sqlite:${join(folder, `${randomBytes(4).toString('hex')}.sqlite`)}`,
    SHOPIFY_TOKENS_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
  })
})
afterEach(async () => {
  jest.restoreAllMocks()
  process.env = { ...before }
  await middleware?.close()
  middleware = undefined
})
afterAll(async () => {
  await shopify.close()
  rmSync(folder, { recursive: true })
})

function appOver(made: ShopifyTokensMiddleware): Express {
  middleware = made
  const app = express()
  app.use(made)
  app.get('/shop', (request, response, next) => {
    request.shopify.graphql('{ shop { name } }').then((answer) => response.json(answer), next)
  })
  return app
}

it('configures itself from the environment, makes its first requests wait, and keeps what it acquired', async () => {
  shopify.installShop('first.myshopify.com')
  const app = appOver(shopifyTokens({ fetch: shopify.fetch }))
  const visit = request(app)
    .get('/shop')
    .set('Authorization', `Bearer ${shopify.sessionToken('first.myshopify.com')}`)

  await visit.expect(200)
  await middleware?.close()

  const again = appOver(shopifyTokens({ fetch: shopify.fetch, shopOf: () => 'first.myshopify.com' }))
  await request(again).get('/shop').expect(200)
  expect(shopify.counters('first.myshopify.com').tokenCalls).toBe(1)
})

it('asks with the app’s own credentials when one word says so', async () => {
  const shop = 'own.myshopify.com'
  shopify.installShop(shop)
  const options = { fetch: shopify.fetch, grant: 'client-credentials', shopOf: () => shop } as const

  await request(appOver(shopifyTokens(options)))
    .get('/shop')
    .expect(200)
  await middleware?.close()
  await request(appOver(shopifyTokens(options)))
    .get('/shop')
    .expect(200)

  const { tokenCalls, tokenCallsByGrant } = shopify.counters(shop)
  expect([tokenCalls, tokenCallsByGrant['client-credentials'].granted]).toEqual([1, 1])
})

it('renews a shop by itself once it is old, though nobody visits it', async () => {
  const shop = 'idle.myshopify.com'
  shopify.installShop(shop)
  const kept: TokenEvent[] = []
  const onEvent = (event: TokenEvent): void => {
    if (event.type === 'token.rotated' && event.trigger === 'keep-alive') kept.push(event)
  }
  const app = appOver(
    shopifyTokens({ fetch: shopify.fetch, keepAliveMs: 1, keepAlive: { sweepEveryMs: 1_000 }, onEvent }),
  )
  await request(app)
    .get('/shop')
    .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
    .expect(200)

  await until(() => kept.length > 0, 'a renewal by the sweep')
  expect(kept[0]).toMatchObject({ shop })
})

it('only reads when one variable says so: a first visit is no acquisition', async () => {
  const shop = 'read.myshopify.com'
  shopify.installShop(shop)
  const visit = (): request.Test =>
    request(appOver(shopifyTokens({ fetch: shopify.fetch })))
      .get('/shop')
      .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
  process.env.SHOPIFY_TOKENS_RENEWAL = 'never'

  await visit().expect(403)
  expect(shopify.counters(shop).tokenCalls).toBe(0)
  await middleware?.close()

  process.env.SHOPIFY_TOKENS_RENEWAL = 'hybrid'
  await visit().expect(200)
  await middleware?.close()
  process.env.SHOPIFY_TOKENS_RENEWAL = 'never'
  await visit().expect(200)
  expect(shopify.counters(shop).tokenCalls).toBe(1)
})

it('refuses a wait as long as a lease where one variable says that it waits', () => {
  const make = (): unknown => shopifyTokens({ waitMs: 15_000 })
  expect(make).not.toThrow()

  process.env.SHOPIFY_TOKENS_RENEWAL = 'never'
  expect(make).toThrow(/waitMs/)
})

it('names all missing variables at once when it is made', () => {
  delete process.env.SHOPIFY_API_KEY
  delete process.env.SHOPIFY_API_SECRET
  delete process.env.SHOPIFY_TOKENS_SEALING_KEYS
  process.env.SHOPIFY_TOKENS_DATABASE_URL = 'postgres://user:pass@127.0.0.1/tokens'

  const make = (): unknown => shopifyTokens()

  expect(make).toThrow(/SHOPIFY_API_KEY.*SHOPIFY_API_SECRET.*SHOPIFY_TOKENS_SEALING_KEYS/)
  expect(make).not.toThrow(/pass/)
})

it.each([
  ['unknown options', { refreshAhead: 1 }, ['refreshAhead']],
  ['wrong options of the manager', { refreshAheadMs: -1 }, ['refreshAheadMs']],
  ['wrong options of the sweep', { keepAlive: { sweepEveryMs: 1 } }, ['sweepEveryMs']],
  ['options that the environment has', { clientId: 'other', sealing: 'x' }, ['clientId', 'sealing']],
])('refuses %s before it opens anything', (_what, options, names) => {
  expect(() => shopifyTokens(options as never)).toThrow(expect.objectContaining({ options: names }) as Error)
})

it('answers 503 while its store cannot be opened, rejects ready, and tells the operator once per try', async () => {
  process.env.SHOPIFY_TOKENS_DATABASE_URL = 'postgres://tokens:hidden-password@127.0.0.1:1/tokens'
  const app = appOver(shopifyTokens({ shopOf: () => 'first.myshopify.com' }))

  await expect(middleware?.ready).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  const answer = await request(app)
    .get('/shop')
    .expect(503)
    .expect('Content-Type', /problem\+json/)

  expect(answer.body).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  expect(answer.headers['retry-after']).toMatch(/^\d+$/)
  expect(JSON.stringify([answer.text, answer.headers, warnings])).not.toMatch(/hidden-password|\.ts:/)
  expect(warnings).toEqual([
    expect.stringMatching(/^The token store could not be opened: /),
    expect.stringMatching(/^The token store could not be opened: /),
  ])
})

it('configures the routes from the environment, and they serve as soon as the store is open', async () => {
  process.env.SHOPIFY_APP_URL = 'https://app.example'
  process.env.SCOPES = 'read_products, write_orders'
  middleware = shopifyTokens({ fetch: shopify.fetch })
  const app = express().use(shopifyAuth({ tokens: middleware }), shopifyWebhooks({ tokens: middleware }))
  const { headers, body } = shopify.webhook('shop/redact', 'first.myshopify.com')

  const begun = await request(app).get('/auth?shop=first.myshopify.com').expect(302)
  await request(app).post('/webhooks').set(headers).send(body).expect(200)

  const { searchParams } = new URL(String(begun.headers.location))
  expect(searchParams.get('scope')).toBe('read_products,write_orders')
  expect(searchParams.get('redirect_uri')).toBe('https://app.example/auth/callback')
})

it('answers the routes with 503 while its store cannot be opened, and lets others go on', async () => {
  process.env.SHOPIFY_TOKENS_DATABASE_URL = 'postgres://tokens:hidden-password@127.0.0.1:1/tokens'
  middleware = shopifyTokens()
  const app = express().use(
    shopifyAuth({ tokens: middleware, appUrl: 'https://app.example' }),
    shopifyWebhooks({ tokens: middleware }),
    (_request, response) => {
      response.end('healthy')
    },
  )
  const { headers, body } = shopify.webhook('shop/redact', 'first.myshopify.com')

  const page = await request(app).get('/auth?shop=first.myshopify.com').expect(503)
  const webhook = await request(app).post('/webhooks').set(headers).send(body).expect(503)
  await request(app).get('/health').expect(200, 'healthy')

  expect(page.headers['retry-after']).toMatch(/^\d+$/)
  expect(webhook.body).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  expect(JSON.stringify([page.text, webhook.text])).not.toMatch(/hidden-password|\.ts:/)
})

it('opens nothing any more once it is closed', async () => {
  const app = appOver(shopifyTokens({ fetch: shopify.fetch, shopOf: () => 'unknown.myshopify.com' }))
  await middleware?.ready
  await middleware?.close()

  await request(app).get('/shop').expect(503)
})
