import { candidates, fingerprint, parseShop, type Shop } from '@shopify-tokens/core'
import type { FakeShopify, FakeShopifyOptions } from '@shopify-tokens/testing'
import { createPostgresDatabase, describeWithServer } from '../servers.js'
import { AppProcess, type AppOptions } from './app-process.js'
import { CLIENT_SECRET, createSqliteFile, startShopify, TokenDatabase } from './token-database.js'

jest.setTimeout(120_000)

const NEW_SECRET = 'races-client-secret-of-next-year'
const SHOPS = 60
const MINUTE_MS = 60_000

interface Place {
  readonly url: string
  drop(): Promise<void>
}

/** Shops of the old secret in a database, processes on the old and on the new configuration, and Shopify with both. */
class Stage {
  readonly shopify: FakeShopify
  readonly database: TokenDatabase
  readonly shops: readonly Shop[]
  readonly #apps: AppProcess[] = []
  readonly #place: Place

  private constructor(shopify: FakeShopify, database: TokenDatabase, shops: readonly Shop[], place: Place) {
    this.shopify = shopify
    this.database = database
    this.shops = shops
    this.#place = place
  }

  /** Some of the tokens are fresh, some due, and some have ended. */
  static async open(open: () => Promise<Place>, options: Partial<FakeShopifyOptions>): Promise<Stage> {
    const place = await open()
    const shopify = await startShopify(options)
    const database = await TokenDatabase.open(place.url)
    const shops = Array.from({ length: SHOPS }, (_, n) => parseShop(`shop-${n}.myshopify.com`))
    for (const [n, shop] of shops.entries()) await database.seed(shopify, shop, { ageMs: (n % 12) * 6 * MINUTE_MS })
    shopify.addClientSecret(NEW_SECRET)
    return new Stage(shopify, database, shops, place)
  }

  async start(environment: Readonly<Record<string, string>>, durations?: AppOptions['durations']): Promise<AppProcess> {
    const app = await AppProcess.start({
      shopifyUrl: this.shopify.url,
      environment: { ...this.database.environment, ...environment },
      durations,
    })
    this.#apps.push(app)
    return app
  }

  /** Asks for every shop in turn until `work` is done, once at least, and answers with the failures. */
  async requestsDuring(app: AppProcess, work: Promise<unknown>): Promise<{ asked: number; failures: string[] }> {
    const failures: string[] = []
    let asked = 0
    const isDone = work.then(() => true)
    do {
      failures.push(...(await Promise.all(this.shops.map((shop) => app.requests(shop, 1)))).flat())
      asked += this.shops.length
    } while (!(await Promise.race([isDone, Promise.resolve(false)])))
    return { asked, failures }
  }

  /** Revokes the old secret, and tells which shops are dead by Shopify's own book. */
  async revokeOld(): Promise<Shop[]> {
    this.shopify.revokeClientSecret(CLIENT_SECRET)
    const dead: Shop[] = []
    for (const shop of this.shops) {
      const record = await this.database.pair(shop)
      expect(record.secretId).toBe(fingerprint(NEW_SECRET))
      if (!this.shopify.hasLiveCredential(shop, candidates(record))) dead.push(shop)
    }
    return dead
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.kill()))
    await this.database.close()
    await this.shopify.close()
    await this.#place.drop()
  }
}

const ROTATING = { SHOPIFY_API_SECRET: NEW_SECRET, SHOPIFY_API_SECRET_PREVIOUS: CLIENT_SECRET }

function rotatesWithoutLoss(name: string, open: () => Promise<Place>): void {
  it('serves every request on the old configuration meanwhile, and loses no shop when the old secret is revoked', async () => {
    const stage = await Stage.open(open, { grace: 'none' })
    try {
      const old = await stage.start({})
      const rotated = await stage.start(ROTATING)

      const repinning = rotated.repinAll({ perSecond: 25 })
      const { asked, failures } = await stage.requestsDuring(old, repinning)
      const report = await repinning
      process.stdout.write(`${name}: ${report.repinned} repinned, ${asked} requests on the old configuration\n`)

      expect(failures).toEqual([])
      expect(report).toMatchObject({ repinned: SHOPS, already: 0, failed: 0, failures: [] })
      expect(await stage.revokeOld()).toEqual([])

      // The old process has tokens at hand that have ended now; a new one never heard of the old secret.
      const afterwards = await stage.start({ SHOPIFY_API_SECRET: NEW_SECRET })
      for (const app of [afterwards, rotated, old]) {
        const results = await Promise.all(stage.shops.map((shop) => app.requests(shop, 1)))
        expect(results.flat()).toEqual([])
      }
      expect(afterwards.eventsOf('reauthorization.required')).toEqual([])
      expect(afterwards.eventsOf('secret.outdated')).toEqual([])
    } finally {
      await stage.close()
    }
  })

  it('is taken up by another process where one was killed', async () => {
    const stage = await Stage.open(open, {})
    const durations = { requestTimeoutMs: 3_000, retryBudgetMs: 4_000, leaseMs: 5_000, lateRequestMs: 6_000 }
    try {
      const first = await stage.start(ROTATING, durations)
      const hold = stage.shopify.hold('token', { shop: stage.shops[SHOPS / 2] })
      first.repinAll({ perSecond: 1_000, concurrency: 2 }).catch(() => undefined)
      await hold.arrived()
      await first.kill()
      hold.release()

      const second = await stage.start(ROTATING, durations)
      const report = await second.repinAll({ perSecond: 1_000, concurrency: 2 })

      expect(report.failures).toEqual([])
      expect(report.already).toBeGreaterThan(0)
      expect(report.repinned).toBeGreaterThan(0)
      expect(await stage.revokeOld()).toEqual([])
    } finally {
      await stage.close()
    }
  })
}

describeWithServer('PostgreSQL', 'a rotation of the client secret on PostgreSQL', () => {
  rotatesWithoutLoss('PostgreSQL', createPostgresDatabase)
})

describe('a rotation of the client secret on a SQLite file', () => {
  rotatesWithoutLoss('SQLite', createSqliteFile)
})
