import { type KeepAliveOptions, parseShop, type Shop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { AppProcess } from '../races/app-process.js'
import { createSqliteFile, startShopify, TokenDatabase } from '../races/token-database.js'

jest.setTimeout(120_000)

const DAY_MS = 86_400_000
const shops: readonly Shop[] = ['one', 'two', 'three'].map((name) => parseShop(`${name}.myshopify.com`))

/** Renewals that no request of this process has begun, when it is asked to end. */
describe('a process that is asked to end while Shopify renews', () => {
  let file: Awaited<ReturnType<typeof createSqliteFile>>
  let database: TokenDatabase
  let shopify: FakeShopify
  const apps: AppProcess[] = []

  async function start(
    environment: Readonly<Record<string, string>>,
    keepAlive?: KeepAliveOptions,
  ): Promise<AppProcess> {
    const app = await AppProcess.start({
      ...{ shopifyUrl: shopify.url, environment: { ...database.environment, ...environment }, keepAlive },
    })
    apps.push(app)
    return app
  }

  /** A process in the middle of renewing every shop; each refresh token works once. */
  async function renewing(ageMs: number, keepAlive: KeepAliveOptions): Promise<() => Promise<void>> {
    for (const shop of shops) await database.seed(shopify, shop, { ageMs })
    const answers = shopify.hold('token', { at: 'answer' })
    const renewer = await start({}, keepAlive)
    return async () => {
      await answers.arrived(shops.length)
      renewer.terminate()
      await renewer.until(() => renewer.isClosing)
      answers.release()
      expect(await renewer.ended()).toEqual({ closed: { stored: true, shops: [] }, code: 0 })
    }
  }

  async function expectRenewedOnce(): Promise<void> {
    for (const shop of shops) {
      const { accessToken, attempts, refreshToken } = await database.pair(shop)
      expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
      expect(shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
      expect(attempts).toEqual([])
    }
    expect(shopify.counters().tokenCalls).toBe(shops.length)
  }

  beforeEach(async () => {
    file = await createSqliteFile()
    database = await TokenDatabase.open(file.url)
    shopify = await startShopify({ grace: 'none' })
  })
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.kill()))
    await shopify.close()
    await database.close()
    await file.drop()
  })

  it('for its sweep stores what Shopify mints, and ends', async () => {
    const end = await renewing(21 * DAY_MS, { sweepEveryMs: 1_000, askedEveryMs: 600_000 })

    await end()

    await expectRenewedOnce()
  })

  it('what another process has asked for stores it, and ends; whoever asked is served', async () => {
    const end = await renewing(DAY_MS, { askedEveryMs: 50 })
    const reader = await start({ SHOPIFY_TOKENS_RENEWAL: 'never' })
    const requests = shops.map((shop) => reader.requests(shop, 5))

    await end()

    expect((await Promise.all(requests)).flat()).toEqual([])
    await expectRenewedOnce()
  })
})
