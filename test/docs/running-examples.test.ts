import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { type AddressInfo, Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Logger } from '@nestjs/common'
import type { TokenManager } from '@shopify-tokens/core'
import { shopifyTokens } from '@shopify-tokens/express'
import { FakeShopify } from '@shopify-tokens/testing'
import express, { type Express } from 'express'
import { MarkdownDocument } from './markdown.js'
import { runBlock } from './run-block.js'

const readme = new MarkdownDocument('README.md')
const SHOP = 'reader.myshopify.com'
Logger.overrideLogger(false)
// What a block imports is compiled first.
jest.setTimeout(60_000)
const before = { env: { ...process.env }, fetch: globalThis.fetch }

/** The README's block that imports `name`. */
function blockWith(name: string): string {
  const found = readme.blocks.filter(({ language, code }) => language === 'ts' && code.includes(`from '${name}'`))
  expect(found).toHaveLength(1)
  return found[0]?.code ?? ''
}

describe.each([
  ['Express', '@shopify-tokens/express'],
  ['NestJS', '@shopify-tokens/nestjs'],
])('the example for %s', (_framework, name) => {
  let shopify: FakeShopify
  let folder: string
  const listening: Server[] = []

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-readme-'))
    shopify = await FakeShopify.start({ clientId: 'readme-app', clientSecret: 'readme-secret' })
    Object.assign(process.env, {
      SHOPIFY_API_KEY: 'readme-app',
      SHOPIFY_API_SECRET: 'readme-secret',
      SHOPIFY_API_VERSION: '2026-10',
      SHOPIFY_TOKENS_DATABASE_URL: `sqlite:${join(folder, 'tokens.sqlite')}`,
      SHOPIFY_TOKENS_SEALING_KEYS: `k1:${randomBytes(32).toString('base64')}`,
      PORT: '0',
    })
    // The example uses the global fetch: for shops it leads to the fake, which itself uses the real one.
    globalThis.fetch = (input, init) => {
      const url = input instanceof Request ? input.url : String(input)
      return (new URL(url).hostname.endsWith('.myshopify.com') ? shopify.fetch : before.fetch)(input, init)
    }
    const listen = jest.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args) {
      listening.push(this)
      listen.mockRestore()
      return this.listen(...(args as unknown as []))
    })
  })
  afterAll(async () => {
    process.env = { ...before.env }
    globalThis.fetch = before.fetch
    for (const server of listening) await new Promise((resolve) => server.close(resolve))
    await shopify.close()
    rmSync(folder, { recursive: true, force: true })
  })

  it('runs, and answers a request with a live token', async () => {
    shopify.installShop(SHOP)
    await runBlock(blockWith(name))
    while (addressOf(listening) === null) await new Promise((resolve) => setImmediate(resolve))
    const port = addressOf(listening)?.port ?? 0

    const authorization = `Bearer ${shopify.sessionToken(SHOP)}`
    const response = await before.fetch(`http://127.0.0.1:${port}/products`, {
      headers: { authorization, connection: 'close' },
    })

    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ shop: SHOP, data: { shop: { myshopifyDomain: SHOP } } })
    const [call] = shopify.log(SHOP).filter(({ endpoint }) => endpoint === 'admin')
    expect(call).toMatchObject({ status: 200, path: '/admin/api/2026-10/graphql.json' })
    expect(shopify.counters(SHOP).tokenCallsByGrant['id-token'].granted).toBe(1)
  })

  it('refuses a request without a session token', async () => {
    const port = addressOf(listening)?.port ?? 0
    const response = await before.fetch(`http://127.0.0.1:${port}/products`, { headers: { connection: 'close' } })
    expect(response.status).toBe(401)
    expect(response.headers.get('x-shopify-retry-invalid-session-request')).toBe('1')
  })
})

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
    await runBlock(blockWith('node:test'), { makeApp, get }, { 'node:test': { it } })

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

function addressOf([server]: readonly Server[]): AddressInfo | null {
  return (server?.address() ?? null) as AddressInfo | null
}
