import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Logger } from '@nestjs/common'
import type { TokenManager } from '@shopify-tokens/core'
import { shopifyTokens } from '@shopify-tokens/express'
import express, { type Express } from 'express'
import { MarkdownDocument } from './markdown.js'
import { runBlock } from './run-block.js'
import { type ServedBlock, serveBlock } from './served-block.js'

const readme = new MarkdownDocument('README.md')
const SHOP = 'reader.myshopify.com'
Logger.overrideLogger(false)
// What a block imports is compiled first.
jest.setTimeout(60_000)

/** The README's blocks that import `name`. */
function blocksWith(name: string): readonly string[] {
  const found = readme.blocks.filter(({ language, code }) => language === 'ts' && code.includes(`from '${name}'`))
  return found.map(({ code }) => code)
}

describe.each([
  ['Express', '@shopify-tokens/express', 200],
  ['NestJS', '@shopify-tokens/nestjs', 201],
])('of the two examples for %s', (_framework, name, created) => {
  const [requests = '', routes = '', ...others] = blocksWith(name)
  let served: ServedBlock

  afterEach(() => served.close())

  it('the first runs, answers a request with a live token, and refuses one without a session token', async () => {
    served = await serveBlock(requests)
    const { shopify } = served
    shopify.installShop(SHOP)

    const response = await served.request('/products', bearerOf(served))
    const refused = await served.request('/products')

    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ shop: SHOP, data: { shop: { myshopifyDomain: SHOP } } })
    const [call] = shopify.log(SHOP).filter(({ endpoint }) => endpoint === 'admin')
    expect(call).toMatchObject({ status: 200, path: '/admin/api/2026-10/graphql.json' })
    expect(shopify.counters(SHOP).tokenCallsByGrant['id-token'].granted).toBe(1)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('x-shopify-retry-invalid-session-request')).toBe('1')
  })

  it('the second runs, installs, checks scopes and takes webhooks', async () => {
    const said = jest.spyOn(console, 'log').mockImplementation(() => undefined)
    served = await serveBlock(routes, { SHOPIFY_APP_URL: 'https://app.example.com', SCOPES: 'write_products' })
    const { shopify } = served

    const begun = await served.request(`/auth?shop=${SHOP}`)
    const callback = new URL(shopify.authorize(SHOP, begun.headers.get('location') ?? ''))
    const cookie = (begun.headers.get('set-cookie') ?? '').split(';')[0] ?? ''
    const answered = await served.request(callback.pathname + callback.search, { headers: { cookie } })
    const granted = await served.request('/products', { method: 'POST', ...bearerOf(served) })
    const { headers, body } = shopify.webhook('app/uninstalled', SHOP)
    const webhook = await served.request('/webhooks', { method: 'POST', headers, body })

    expect([begun.status, answered.status, granted.status, webhook.status]).toEqual([302, 302, created, 200])
    expect(shopify.counters(SHOP).tokenCallsByGrant.code.granted).toBe(1)
    expect(said.mock.calls).toEqual([[`${SHOP} has uninstalled the app`]])
    said.mockRestore()
    expect(others).toEqual([])
  })
})

function bearerOf({ shopify }: ServedBlock): { readonly headers: Record<string, string> } {
  return { headers: { authorization: `Bearer ${shopify.sessionToken(SHOP)}` } }
}

describe("the example of an app's own test", () => {
  it('passes', async () => {
    const tests: (() => Promise<void>)[] = []
    const it = (_title: string, body: () => Promise<void>): void => void tests.push(body)
    const makeApp = (tokens: TokenManager): Express => {
      const app = express()
      app.use(shopifyTokens({ tokens }))
      app.get('/products', async (request, response) => {
        response.json(await request.shopify.graphql('{ products(first: 5) { nodes { title } } }'))
      })
      return app
    }
    await runBlock(blocksWith('node:test')[0] ?? '', { makeApp, get }, { 'node:test': { it } })

    expect(tests).toHaveLength(1)
    for (const body of tests) await body()
  })
})

async function get(app: RequestListener, path: string, bearer: string): Promise<{ status: number }> {
  const server = createServer(app).listen(0)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const headers = { authorization: `Bearer ${bearer}`, connection: 'close' }
  const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
  server.close()
  return { status }
}
