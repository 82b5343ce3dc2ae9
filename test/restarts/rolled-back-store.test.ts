import { copyFile, rm } from 'node:fs/promises'
import { parseShop } from '@shopify-tokens/core'
import type { FakeShopify, Replay } from '@shopify-tokens/testing'
import { AppProcess } from '../races/app-process.js'
import { createSqliteFile, startShopify, TokenDatabase } from '../races/token-database.js'
import { createPostgresDatabase, describeWithServer, runOnPostgres } from '../servers.js'

jest.setTimeout(120_000)

const MINUTE_MS = 60_000
const shop = parseShop('rolled-back.myshopify.com')

/** A database that can be put back to what it was when it was saved. */
interface Restorable {
  readonly url: string
  save(): Promise<void>
  restore(): Promise<void>
  drop(): Promise<void>
}

async function restorablePostgres(): Promise<Restorable> {
  const { url, drop } = await createPostgresDatabase()
  return {
    ...{ url, drop },
    save: () => runOnPostgres(url, 'CREATE TABLE snapshot AS TABLE shopify_tokens'),
    restore: () =>
      runOnPostgres(url, 'BEGIN; DELETE FROM shopify_tokens; INSERT INTO shopify_tokens TABLE snapshot; COMMIT'),
  }
}

/** Only for a file that no process has open. */
async function restorableSqlite(): Promise<Restorable> {
  const { url, file, drop } = await createSqliteFile()
  return {
    ...{ url, drop },
    save: () => copyFile(file, `${file}.snapshot`),
    async restore() {
      for (const journal of ['-wal', '-shm']) await rm(`${file}${journal}`, { force: true })
      await copyFile(`${file}.snapshot`, file)
    },
  }
}

/** A shop with an expired token in a restorable store, in a time that passes when the test says so. */
class Stage {
  readonly shopify: FakeShopify
  readonly store: Restorable
  readonly #now: { passedMs: number }
  readonly #apps: AppProcess[] = []

  private constructor(shopify: FakeShopify, store: Restorable, now: { passedMs: number }) {
    this.shopify = shopify
    this.store = store
    this.#now = now
  }

  static async open(open: () => Promise<Restorable>, replay: Replay): Promise<Stage> {
    const now = { passedMs: 0 }
    const shopify = await startShopify({ replay, clock: { now: () => Date.now() + now.passedMs } })
    const stage = new Stage(shopify, await open(), now)
    await stage.#inDatabase((database) => database.seed(shopify, shop, { ageMs: 120 * MINUTE_MS }))
    return stage
  }

  pass(ms: number): void {
    this.#now.passedMs += ms
  }

  async start(): Promise<AppProcess> {
    const { environment } = new TokenDatabase(this.store.url)
    const app = await AppProcess.start({ shopifyUrl: this.shopify.url, environment, skewMs: this.#now.passedMs })
    this.#apps.push(app)
    return app
  }

  /** Requests of a process that knows nothing but the row. */
  async visit(): Promise<void> {
    const app = await this.start()
    expect(await app.requests(shop, 5)).toEqual([])
    await app.settle()
    expect(app.eventsOf('reauthorization.required')).toEqual([])
    expect(await app.expiredAnswers()).toBe(0)
    await app.leave()
  }

  /** The row holds a token that works, a refresh token that Shopify accepts, and no mark. */
  async expectRecovered(): Promise<void> {
    const { accessToken, mark, refreshToken } = await this.#inDatabase((database) => database.pair(shop))
    expect(this.shopify.accessTokenState(shop, accessToken)).toBe('live')
    expect(this.shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
    expect(mark).toBeNull()
  }

  async refreshToken(): Promise<string> {
    return (await this.#inDatabase((database) => database.pair(shop))).refreshToken
  }

  async close(): Promise<void> {
    await Promise.all(this.#apps.map((app) => app.kill()))
    await this.shopify.close()
    await this.store.drop()
  }

  async #inDatabase<T>(work: (database: TokenDatabase) => Promise<T>): Promise<T> {
    const database = await TokenDatabase.open(this.store.url)
    try {
      return await work(database)
    } finally {
      await database.close()
    }
  }
}

/** Declares a test for each way in which Shopify may answer a refresh token that is presented again. */
function recovers(title: string, open: () => Promise<Restorable>, test: (stage: Stage) => Promise<void>): void {
  it.each<Replay>(['same-pair', 'new-pair'])(`${title} (a replay brings the %s)`, async (replay) => {
    const stage = await Stage.open(open, replay)
    try {
      await test(stage)
    } finally {
      await stage.close()
    }
  })
}

async function survivesARollback(stage: Stage): Promise<void> {
  await stage.store.save()
  const saved = await stage.refreshToken()
  await stage.visit()
  expect(await stage.refreshToken()).not.toBe(saved)
  await stage.store.restore()
  expect(await stage.refreshToken()).toBe(saved)

  for (const minutes of [20, 45, 120]) {
    stage.pass(minutes * MINUTE_MS)
    await stage.visit()
    await stage.expectRecovered()
  }
}

describeWithServer('PostgreSQL', 'a PostgreSQL put back by one rotation', () => {
  recovers('serves the next process, and every later one', restorablePostgres, survivesARollback)

  recovers('goes on serving the process that had made the rotation', restorablePostgres, async (stage) => {
    const app = await stage.start()
    await stage.store.save()
    expect(await app.requests(shop, 5)).toEqual([])
    await stage.store.restore()

    for (let visit = 1; visit <= 20; visit++) {
      stage.pass(10 * MINUTE_MS)
      await app.pass(10 * MINUTE_MS)
      expect(await app.requests(shop, 5)).toEqual([])
      await app.settle()
    }

    await stage.expectRecovered()
    expect(app.eventsOf('reauthorization.required')).toEqual([])
    expect(await app.expiredAnswers()).toBe(0)
  })
})

describe('a SQLite file put back by one rotation', () => {
  recovers('serves the next process, and every later one', restorableSqlite, survivesARollback)
})
