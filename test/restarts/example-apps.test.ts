import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { parseShop } from '@shopify-tokens/core'
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
] as const)('the example for %s, asked to end while a request waits for a renewal', (_framework, folder, ending) => {
  it('answers the request, stores the pair and ends', async () => {
    const file = await createSqliteFile()
    const shopify = await startShopify({ grace: 'none' })
    const database = await TokenDatabase.open(file.url)
    await database.seed(shopify, shop, { ageMs: 7_200_000 })
    const port = await freePort()
    const app = spawn(process.execPath, ['--import', PRELOADED, join(ROOT, 'examples', folder, 'dist/main.js')], {
      env: { ...process.env, ...database.environment, FAKE_SHOPIFY_URL: shopify.url, PORT: String(port) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
    const exited = once(app, 'exit')
    try {
      await untilListening(app, port, true)
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
      const [code, signal] = (await exited) as [number | null, string | null]
      expect({ code, signal }).toEqual(ending)
      const { accessToken, refreshToken } = await database.pair(shop)
      expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
      expect(shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
      expect(shopify.counters(shop).tokenCalls).toBe(1)
    } finally {
      app.kill('SIGKILL')
      await database.close()
      await shopify.close()
      await file.drop()
    }
  })
})
