import { type Durations, parseShop, type Shop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { describeWithOwnServers, type OwnServer, startPostgres } from '../own-servers.js'
import { AppProcess, type AppOptions } from '../races/app-process.js'
import { startShopify, TokenDatabase } from '../races/token-database.js'

jest.setTimeout(120_000)

const EXPIRED = { ageMs: 7_200_000 }
/** The next process need not wait long for a dead one's lease. */
const SHORT_LEASE: Partial<Durations> = { requestTimeoutMs: 2_000, retryBudgetMs: 2_500, leaseMs: 3_000 }

describeWithOwnServers(['PostgreSQL'], 'a process that is asked to end while Shopify renews', () => {
  let postgres: OwnServer
  let database: TokenDatabase
  let shopify: FakeShopify
  let app: AppProcess
  let serial = 0

  /** Shops that nobody has seen before, with expired tokens. */
  async function expiredShops(count: number): Promise<Shop[]> {
    const shops = Array.from({ length: count }, () => parseShop(`ending-${(serial += 1)}.myshopify.com`))
    for (const shop of shops) await database.seed(shopify, shop, EXPIRED)
    return shops
  }

  async function start(options: Partial<AppOptions> = {}): Promise<AppProcess> {
    app = await AppProcess.start({ shopifyUrl: shopify.url, environment: database.environment, ...options })
    return app
  }

  beforeAll(async () => {
    postgres = await startPostgres()
    database = await TokenDatabase.open(postgres.url)
  })
  afterAll(async () => {
    await database.close()
    await postgres.stop()
  })
  afterEach(async () => {
    await app.kill()
    await shopify.close()
  })

  it('stores what Shopify mints, serves who waits for it, and ends', async () => {
    shopify = await startShopify({ grace: 'none' })
    const shops = await expiredShops(3)
    await start()
    const answers = shopify.hold('token', { at: 'answer' })
    const requests = shops.map((shop) => app.requests(shop, 5))
    await answers.arrived(shops.length)

    app.terminate()
    await app.until(() => app.isClosing)
    answers.release()

    expect((await Promise.all(requests)).flat()).toEqual([])
    expect(await app.ended()).toEqual({ closed: { stored: true, shops: [] }, code: 0 })
    await expectLiving(shops)
    expect(shopify.counters().tokenCalls).toBe(shops.length)
  })

  it('and is killed before Shopify answers leaves a shop that the next process renews', async () => {
    shopify = await startShopify()
    const shops = await expiredShops(3)
    await start()
    const answers = shopify.hold('token', { at: 'answer' })
    const requests = shops.map((shop) => app.requests(shop, 5))
    for (const request of requests) request.catch(() => undefined)
    await answers.arrived(shops.length)

    app.terminate()
    await app.until(() => app.isClosing)
    await app.kill()
    answers.release()

    await expectNextProcessToServe(shops)
  })

  it('while the store is away names the shops whose pairs it could not store, and the next process renews each', async () => {
    shopify = await startShopify()
    const shops = await expiredShops(4)
    await start({ closeDeadlineMs: 500 })
    const answers = shopify.hold('token', { at: 'answer' })
    const requests = shops.map((shop) => app.requests(shop, 5))
    await answers.arrived(shops.length)
    await postgres.halt('fast')
    answers.release()
    expect((await Promise.all(requests)).flat()).toEqual([])

    app.terminate()
    const { closed, code } = await app.ended()

    expect({ ...closed, shops: [...(closed?.shops ?? [])].sort() }).toEqual({
      ...{ stored: false, code: 'ERR_ROTATION_NOT_STORED', shops: [...shops].sort() },
    })
    expect(code).toBe(0)
    await postgres.resume()
    await expectNextProcessToServe(shops)
  })

  it('while the store is away stores its pairs when the store comes back before the deadline', async () => {
    shopify = await startShopify({ grace: 'none' })
    const shops = await expiredShops(4)
    await start({ closeDeadlineMs: 30_000 })
    const answers = shopify.hold('token', { at: 'answer' })
    const requests = shops.map((shop) => app.requests(shop, 5))
    await answers.arrived(shops.length)
    await postgres.halt('fast')
    answers.release()
    expect((await Promise.all(requests)).flat()).toEqual([])

    app.terminate()
    await app.until(() => app.isClosing)
    await postgres.resume()

    expect(await app.ended()).toEqual({ closed: { stored: true, shops: [] }, code: 0 })
    await expectLiving(shops)
    expect(shopify.counters().tokenCalls).toBe(shops.length)
  })

  async function expectNextProcessToServe(shops: readonly Shop[]): Promise<void> {
    const next = await start({ durations: SHORT_LEASE })
    const failures = await Promise.all(shops.map((shop) => next.requests(shop, 5)))
    await next.leave()
    expect(failures.flat()).toEqual([])
    expect(
      next
        .eventsOf('grant.inDoubt')
        .map(({ shop }) => shop)
        .sort(),
    ).toEqual([...shops].sort())
    expect(next.eventsOf('reauthorization.required')).toEqual([])
    await expectLiving(shops)
  }

  /** Every row holds a token that works and a refresh token that Shopify accepts. */
  async function expectLiving(shops: readonly Shop[]): Promise<void> {
    for (const shop of shops) {
      const { accessToken, mark, refreshToken } = await database.pair(shop)
      expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
      expect(shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
      expect(mark).toBeNull()
    }
  }
})
