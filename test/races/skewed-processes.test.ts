import { parseShop, type Shop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { createPostgresDatabase, describeWithServer } from '../servers.js'
import { AppProcess } from './app-process.js'
import { startShopify, TokenDatabase } from './token-database.js'

jest.setTimeout(120_000)

const MINUTE_MS = 60_000
const STEP_MINUTES = 2
const STEPS = (8 * 60) / STEP_MINUTES
const SKEWS_MS = [-10 * MINUTE_MS, 0, 10 * MINUTE_MS]
const [SLOW, RIGHT, FAST] = [0, 1, 2]

/** Which process asks for which shop in which step. */
type Traffic = (process: number, step: number) => readonly Shop[] | Promise<readonly Shop[]>

/** Three processes, Shopify and a database, all in a time that passes step by step. */
class Stage {
  readonly shopify: FakeShopify
  readonly database: TokenDatabase
  readonly failures: string[] = []
  readonly #apps: readonly AppProcess[]
  readonly #now: { ms: number }
  readonly #drop: () => Promise<void>

  private constructor(
    [shopify, database, apps]: readonly [FakeShopify, TokenDatabase, readonly AppProcess[]],
    now: { ms: number },
    drop: () => Promise<void>,
  ) {
    this.shopify = shopify
    this.database = database
    this.#apps = apps
    this.#now = now
    this.#drop = drop
  }

  /** Each shop's pair is `ageMinutes` old; a slow clock notices at once that a younger one is from the future. */
  static async open(shops: readonly Shop[], ageMinutes: (n: number) => number): Promise<Stage> {
    const passed = { ms: 0 }
    const server = await createPostgresDatabase()
    const shopify = await startShopify({ clock: { now: () => Date.now() + passed.ms } })
    const database = await TokenDatabase.open(server.url)
    for (const [n, shop] of shops.entries()) await database.seed(shopify, shop, { ageMs: ageMinutes(n) * MINUTE_MS })
    const start = (skewMs: number): Promise<AppProcess> =>
      AppProcess.start({ shopifyUrl: shopify.url, environment: database.environment, skewMs })
    return new Stage([shopify, database, await Promise.all(SKEWS_MS.map(start))], passed, () => server.drop())
  }

  /** Lets eight hours pass, and answers with how many expired tokens each process has sent to Shopify. */
  async run(traffic: Traffic): Promise<readonly number[]> {
    for (let step = 0; step < STEPS; step++) {
      const visits = this.#apps.map(async (app, process) => {
        for (const shop of await traffic(process, step)) this.failures.push(...(await app.requests(shop, 1)))
        await app.settle()
      })
      await Promise.all(visits)
      this.#now.ms += STEP_MINUTES * MINUTE_MS
      await Promise.all(this.#apps.map((app) => app.pass(STEP_MINUTES * MINUTE_MS)))
    }
    const expired = await Promise.all(this.#apps.map((app) => app.expiredAnswers()))
    const { adminCalls, tokenCalls } = this.shopify.counters()
    process.stdout.write(
      `8 hours, ${adminCalls} requests, ${tokenCalls} renewals, expired tokens sent: ` +
        `${expired.map((count, n) => `${count} at ${(SKEWS_MS[n] ?? 0) / MINUTE_MS} min`).join(', ')}\n`,
    )
    return expired
  }

  now(): number {
    return Date.now() + this.#now.ms
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.kill()))
    await this.database.close()
    await this.shopify.close()
    await this.#drop()
  }
}

describeWithServer('PostgreSQL', 'three processes whose clocks are 10 minutes slow, right and 10 minutes fast', () => {
  it('send Shopify an expired token at most once each, whoever asks for which shop', async () => {
    const traffic: Readonly<Record<string, (process: number, step: number) => boolean>> = {
      everybody: () => true,
      inTurn: (process, step) => Math.floor(step / 20) % 3 === process,
      slow: (process, step) => process === SLOW && step % 3 === 0,
      slowSeldom: (process, step) => process === SLOW && step % 29 === 0,
      fast: (process, step) => process === FAST && step % 3 === 0,
      fastSeldom: (process, step) => process === FAST && step % 29 === 0,
      slowAndRight: (process, step) => (process === SLOW ? step % 17 === 0 : process === RIGHT && step % 2 === 0),
      fastAndRight: (process, step) => (process === FAST ? step % 17 === 0 : process === RIGHT && step % 2 === 0),
    }
    const shops = Object.keys(traffic).map((name) => parseShop(`${name.toLowerCase()}.myshopify.com`))
    const stage = await Stage.open(shops, (n) => 12 + 7 * n)
    try {
      const isAsked = Object.values(traffic)
      const expired = await stage.run((process, step) => shops.filter((_shop, n) => isAsked[n]?.(process, step)))

      expect(stage.failures).toEqual([])
      for (const count of expired) expect(count).toBeLessThanOrEqual(1)
      for (const shop of shops) expect(stage.shopify.counters(shop).tokenCalls).toBeGreaterThanOrEqual(5)
    } finally {
      await stage.close()
    }
  })

  // It makes no token call then: the Admin API's answers must tell it the time.
  it('send Shopify an expired token at most once each, though others always renew in time', async () => {
    const shop = parseShop('others-renew.myshopify.com')
    const stage = await Stage.open([shop], () => 20)
    // The slow one comes back to every token when it has ended and its clock denies that.
    let comesAt = 0
    const comes = async (): Promise<boolean> => {
      if (stage.now() < comesAt) return false
      comesAt = (await stage.database.pair(shop)).expiresAt + 7 * MINUTE_MS
      return true
    }
    try {
      const expired = await stage.run(async (process) =>
        process === RIGHT || (process === SLOW && (await comes())) ? [shop] : [],
      )

      expect(stage.failures).toEqual([])
      for (const count of expired) expect(count).toBeLessThanOrEqual(1)
    } finally {
      await stage.close()
    }
  })
})
