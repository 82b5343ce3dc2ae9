import { type Durations, parseShop, type Shop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { describeWithOwnServers, type Ending, type OwnServer, startPostgres } from '../own-servers.js'
import { AppProcess } from '../races/app-process.js'
import { startShopify, TokenDatabase } from '../races/token-database.js'

jest.setTimeout(120_000)

const MINUTE_MS = 60_000
/** However long the server takes, the request that Shopify holds meanwhile does not time out. */
const PATIENT: Partial<Durations> = { requestTimeoutMs: 40_000, retryBudgetMs: 50_000, leaseMs: 55_000 }

describeWithOwnServers(['PostgreSQL'], 'PostgreSQL restarted in the middle of a renewal', () => {
  let postgres: OwnServer
  let database: TokenDatabase
  let shopify: FakeShopify
  let app: AppProcess

  beforeAll(async () => {
    postgres = await startPostgres()
    database = await TokenDatabase.open(postgres.url)
  })
  afterAll(async () => {
    await database.close()
    await postgres.stop()
  })

  // Every refresh token works once: one forgotten pair, or one renewal too many, ends the shop.
  beforeEach(async () => {
    shopify = await startShopify({ grace: 'none' })
    app = await AppProcess.start({
      ...{ shopifyUrl: shopify.url, environment: database.environment, durations: PATIENT },
    })
  })
  afterEach(async () => {
    await app.kill()
    await shopify.close()
  })

  describe.each<Ending>(['fast', 'immediate'])('(%s)', (ending) => {
    it('when Shopify has minted and not yet answered loses no pair, and fails no request', async () => {
      const { due, expired, fresh } = await shopsOf(`answer-${ending}`)
      const answers = shopify.hold('token', { at: 'answer' })
      const waiting = app.requests(expired, 10)
      expect(await app.requests(due, 10)).toEqual([])
      await answers.arrived(2)

      await postgres.halt(ending)
      expect(await requestsOf(due, fresh)).toEqual([])
      answers.release()
      expect(await waiting).toEqual([])
      await app.until(() => unstored(expired) && unstored(due))
      expect(await requestsOf(due, fresh, expired)).toEqual([])
      await postgres.resume()

      await expectRenewedOnce(due, expired)
      expect(await requestsOf(due, fresh, expired)).toEqual([])
    })

    it('between the attempt and the call of Shopify loses no pair, and fails no request', async () => {
      const { due, expired, fresh } = await shopsOf(`request-${ending}`)
      const calls = shopify.hold('token', { at: 'request' })
      const waiting = app.requests(expired, 10)
      expect(await app.requests(due, 10)).toEqual([])
      await calls.arrived(2)

      await postgres.halt(ending)
      expect(await requestsOf(due, fresh)).toEqual([])
      await postgres.resume()
      expect(await requestsOf(due, fresh)).toEqual([])
      calls.release()

      expect(await waiting).toEqual([])
      await expectRenewedOnce(due, expired)
      expect(await requestsOf(due, fresh, expired)).toEqual([])
    })
  })

  /** A shop whose requests wait for the renewal, one that is renewed behind its requests, and one that needs none. */
  async function shopsOf(name: string): Promise<{ readonly expired: Shop; readonly due: Shop; readonly fresh: Shop }> {
    const seeded = async (state: string, ageMinutes: number): Promise<Shop> => {
      const shop = parseShop(`${state}-${name}.myshopify.com`)
      await database.seed(shopify, shop, { ageMs: ageMinutes * MINUTE_MS })
      return shop
    }
    const shops = {
      expired: await seeded('expired', 120),
      due: await seeded('due', 57),
      fresh: await seeded('fresh', 1),
    }
    expect(await app.requests(shops.fresh, 10)).toEqual([])
    return shops
  }

  async function requestsOf(...shops: readonly Shop[]): Promise<string[]> {
    return (await Promise.all(shops.map((shop) => app.requests(shop, 10)))).flat()
  }

  function unstored(at: Shop): boolean {
    return app.eventsOf('rotation.unstored').some(({ shop }) => shop === at)
  }

  async function expectRenewedOnce(...shops: readonly Shop[]): Promise<void> {
    for (const shop of shops) {
      await app.until(() => app.eventsOf('token.rotated').some((event) => event.shop === shop))
      const { accessToken, attempts, mark, refreshToken } = await database.pair(shop)
      expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
      expect(shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
      expect({ attempts, mark }).toEqual({ attempts: [], mark: null })
      expect(shopify.counters(shop).tokenCalls).toBe(1)
    }
    expect(await app.expiredAnswers()).toBe(0)
  }
})
