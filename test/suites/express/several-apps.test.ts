import { tokensByShop } from '@shopify-tokens/core'
import { shopifyTokens, shopifyWebhooks } from '@shopify-tokens/express'
import express, { type Express } from 'express'
import { createServer, type Server } from 'node:http'
import { type AddressInfo } from 'node:net'
import request from 'supertest'
import { type OneApp, shop, type TwoApps, twoApps } from '../two-apps.js'

const QUERY = '{ shop { name } }'

let apps: TwoApps
let server: Server

beforeEach(async () => {
  apps = await twoApps()
  server = createServer(served(apps)).listen(0)
})
afterEach(async () => {
  await new Promise((resolve) => server.close(resolve))
  await apps.close()
})

/** Both apps on one server, each below a path of its own. */
function served({ first, second }: TwoApps): Express {
  const app = express()
  for (const [path, { tokens }] of [
    ['/first', first],
    ['/second', second],
  ] as const) {
    app.use(shopifyWebhooks({ tokens, path: `${path}/webhooks` }))
    app.use(path, shopifyTokens({ tokens, authPath: `${path}/auth` }))
    app.get(`${path}/token`, (request, response) => {
      response.json({ value: request.shopify.accessToken })
    })
    app.get(`${path}/shop`, (request, response, next) => {
      request.shopify.graphql(QUERY).then((answer) => response.json(answer), next)
    })
  }
  return app
}

async function visit(path: string, { shopify }: OneApp): Promise<string> {
  const answer = await request(server)
    .get(path)
    .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
    .expect(200)
  return (answer.body as { readonly value: string }).value
}

describe('two apps below two paths, with one table', () => {
  it('have a token each of the shop that has installed both', async () => {
    const { first, second } = apps

    const values = [await visit('/first/token', first), await visit('/second/token', second)]

    expect(first.shopify.accessTokenState(shop, values[0] ?? '')).toBe('live')
    expect(second.shopify.accessTokenState(shop, values[1] ?? '')).toBe('live')
    expect(await apps.rows()).toEqual([
      ['first-app', 'expiring'],
      ['second-app', 'expiring'],
    ])
  })

  it('call Shopify each with its own, however the requests come', async () => {
    const { first, second } = apps

    await Promise.all(
      Array.from({ length: 20 }, (_, n) => (n % 2 === 0 ? visit('/first/shop', first) : visit('/second/shop', second))),
    )

    for (const { shopify } of [first, second]) {
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, adminCallsByStatus: { 200: 10 } })
    }
  })

  it('refuse each other’s session tokens', async () => {
    const { first, second } = apps
    const foreign = `Bearer ${first.shopify.sessionToken(shop)}`

    const answer = await request(server).get('/second/token').set('Authorization', foreign).expect(401)

    expect(answer.headers).toMatchObject({ 'x-shopify-retry-invalid-session-request': '1' })
    expect(answer.body).toMatchObject({ code: 'ERR_INVALID_SESSION_TOKEN' })
    expect(second.shopify.counters(shop).tokenCalls).toBe(0)
    expect(await apps.rows()).toEqual([])
  })

  it('are uninstalled one by one: the other’s tokens stay', async () => {
    const { first, second } = apps
    await visit('/first/token', first)
    const value = await visit('/second/token', second)
    const { port } = server.address() as AddressInfo
    const webhooks = (path: string): string => `http://127.0.0.1:${port}${path}/webhooks`

    first.shopify.uninstall(shop)
    expect(await first.shopify.deliverWebhook(webhooks('/second'), 'app/uninstalled', shop)).toEqual([401])
    expect(await first.shopify.deliverWebhook(webhooks('/first'), 'app/uninstalled', shop)).toEqual([200])

    expect(await apps.rows()).toEqual([
      ['first-app', 'removed'],
      ['second-app', 'expiring'],
    ])
    await expect(first.tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
    expect((await second.tokens.token(shop)).value).toBe(value)
    await visit('/second/shop', second)
  })
})

describe('two apps below one path', () => {
  it('are told apart by the shop, which has one of them', async () => {
    const { first, second } = apps
    const app = express()
    app.use(shopifyTokens({ tokens: tokensByShop((at) => (at === shop ? second.tokens : first.tokens)) }))
    app.get('/token', (request, response) => {
      response.json({ value: request.shopify.accessToken })
    })
    const ask = (authorization: string) => request(app).get('/token').set('Authorization', `Bearer ${authorization}`)

    const answer = await ask(second.shopify.sessionToken(shop)).expect(200)
    await ask(first.shopify.sessionToken(shop)).expect(401)

    expect((await second.tokens.token(shop)).value).toBe((answer.body as { readonly value: string }).value)
    expect(first.shopify.counters(shop).tokenCalls).toBe(0)
  })
})
