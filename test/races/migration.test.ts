import { type Durations, parseShop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { createPostgresDatabase, describeWithServer } from '../servers.js'
import { AppProcess } from './app-process.js'
import { createSqliteFile, startShopify, TokenDatabase } from './token-database.js'

jest.setTimeout(120_000)

const shop = parseShop('unmigrated.myshopify.com')

/** Nobody waits long for the attempt of a process that was killed. */
const SHORT: Partial<Durations> = { leaseMs: 5_000, requestTimeoutMs: 2_500, retryBudgetMs: 4_000 }

interface Database {
  readonly url: string
  drop(): Promise<void>
}

function migrates(create: () => Promise<Database>): void {
  let created: Database
  let database: TokenDatabase
  let shopify: FakeShopify
  let original: string
  const apps: AppProcess[] = []

  async function start(durations: Partial<Durations> = {}): Promise<AppProcess> {
    const app = await AppProcess.start({ shopifyUrl: shopify.url, environment: database.environment, durations })
    apps.push(app)
    return app
  }

  beforeEach(async () => {
    created = await create()
    database = await TokenDatabase.open(created.url)
    shopify = await startShopify({ refuseNonExpiring: true })
    original = await database.seedNonExpiring(shopify, shop)
  })
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.kill()))
    await database.close()
    await shopify.close()
    await created.drop()
  })

  it('is made once by four processes that are refused a hundred times each, and fails no request', async () => {
    const four = await Promise.all([start(), start(), start(), start()])

    const failures = await Promise.all(four.map((app) => app.requests(shop, 100)))

    expect(failures.flat()).toEqual([])
    expect(shopify.counters(shop).tokenCallsByGrant.migration).toMatchObject({ granted: 1, refused: 0 })
    const { accessToken } = await database.pair(shop)
    expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
    expect(four.flatMap((app) => app.eventsOf('shop.migrated'))).toHaveLength(1)
  })

  it('is made again by the next process when one is killed after Shopify’s answer and before its write', async () => {
    const killed = await start(SHORT)
    const answers = shopify.hold('token', { at: 'answer', grant: 'migration' })
    const dying = killed.requests(shop, 10).catch(() => 'killed')
    await answers.arrived()
    expect(shopify.accessTokenState(shop, original)).toBe('revoked')
    await killed.kill()
    answers.release()
    expect(await dying).toBe('killed')

    const next = await start(SHORT)
    expect(await next.requests(shop, 10)).toEqual([])

    const { granted, replayed, refused } = shopify.counters(shop).tokenCallsByGrant.migration
    expect({ granted, refused }).toEqual({ granted: 1, refused: 0 })
    expect(replayed).toBeGreaterThan(0)
    expect(next.eventsOf('grant.inDoubt')).toEqual([expect.objectContaining({ grant: 'migration' })])
    expect(next.eventsOf('reauthorization.required')).toEqual([])
    const { accessToken, attempts } = await database.pair(shop)
    // A request of the dead process may still be on its way.
    expect(attempts).toEqual([expect.objectContaining({ grant: 'migration' })])
    expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
  })
}

describe('a migration, on SQLite', () => {
  migrates(createSqliteFile)
})

describeWithServer('PostgreSQL', 'a migration, on PostgreSQL', () => {
  migrates(createPostgresDatabase)
})
