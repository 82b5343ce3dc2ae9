import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { parseShop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { freePort } from '../own-servers/free-port.js'
import { createSqliteFile, startShopify, TokenDatabase } from '../races/token-database.js'

jest.setTimeout(120_000)

const ROOT = join(__dirname, '../..')
const PRELOADED = join(__dirname, 'shops-are-fake.mjs')
const shop = parseShop('visited.myshopify.com')

/** Whether somebody listens there. */
function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const answer = (listening: boolean) => (): void => {
      socket.destroy()
      resolve(listening)
    }
    socket.once('connect', answer(true)).once('error', answer(false))
  })
}

async function untilListening(app: ChildProcess, port: number, wanted: boolean): Promise<void> {
  while ((await isListening(port)) !== wanted) if (app.exitCode !== null) throw new Error('The app has ended.')
}

describe.each([
  // Nest ends its process by the signal that it got, once everything is closed.
  ['Express', 'express-app', { code: 0, signal: null }],
  ['NestJS', 'nest-app', { code: null, signal: 'SIGTERM' }],
] as const)('the example for %s, asked to end while it renews', (_framework, folder, ending) => {
  let file: Awaited<ReturnType<typeof createSqliteFile>>
  let shopify: FakeShopify
  let database: TokenDatabase
  let port: number
  let app: ChildProcess
  let exited: Promise<unknown[]>

  beforeEach(async () => {
    file = await createSqliteFile()
    shopify = await startShopify({ grace: 'none' })
    database = await TokenDatabase.open(file.url)
    await database.seed(shopify, shop, { ageMs: 7_200_000 })
    port = await freePort()
    app = spawn(process.execPath, ['--import', PRELOADED, join(ROOT, 'examples', folder, 'dist/main.js')], {
      env: { ...process.env, ...database.environment, FAKE_SHOPIFY_URL: shopify.url, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    exited = once(app, 'exit')
    await untilListening(app, port, true)
  })
  afterEach(async () => {
    app.kill('SIGKILL')
    await database.close()
    await shopify.close()
    await file.drop()
  })

  it('for a request answers it, stores the pair and ends', async () => {
    const answers = shopify.hold('token', { at: 'answer' })
    const request = fetch(`http://127.0.0.1:${port}/shop`, {
      headers: { Authorization: `Bearer ${shopify.sessionToken(shop)}` },
    })
    await answers.arrived()

    app.kill('SIGTERM')
    await untilListening(app, port, false)
    answers.release()

    const response = await request
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ data: { shop: { myshopifyDomain: shop } } })
    await expectRenewedAndEnded()
  })

  it('for another process, which has asked for the shop, stores the pair and ends', async () => {
    const answers = shopify.hold('token', { at: 'answer' })
    await database.ask(shop)
    await answers.arrived()

    app.kill('SIGTERM')
    await untilListening(app, port, false)
    answers.release()

    await expectRenewedAndEnded()
  })

  async function expectRenewedAndEnded(): Promise<void> {
    const [code, signal] = (await exited) as [number | null, string | null]
    expect({ code, signal }).toEqual(ending)
    const { accessToken, refreshToken } = await database.pair(shop)
    expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
    expect(shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  }
})
