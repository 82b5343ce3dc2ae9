import { type Durations, parseShop } from '@shopify-tokens/core'
import type { FakeShopify, FakeShopifyOptions } from '@shopify-tokens/testing'
import { AppProcess, type AppOptions } from '../races/app-process.js'
import { createSqliteFile, startShopify, TokenDatabase } from '../races/token-database.js'
import { createPostgresDatabase, describeWithServer } from '../servers.js'
import { until } from '../until.js'

jest.setTimeout(120_000)

const HOUR_MS = 3_600_000
const shop = parseShop('read.myshopify.com')
/** Whoever is killed holds the shop's lease for three seconds. */
const SHORT_LEASE: Partial<Durations> = {
  ...{ requestTimeoutMs: 2_000, retryBudgetMs: 2_500, leaseMs: 3_000, waitMs: 2_900 },
}

/** Processes that only read and processes that renew, over one database. */
function readersAndRenewers(create: () => Promise<{ readonly url: string; drop(): Promise<void> }>): void {
  let place: { readonly url: string; drop(): Promise<void> }
  let database: TokenDatabase
  let shopify: FakeShopify
  let passedMs: number
  const apps: AppProcess[] = []

  async function start(options: Partial<AppOptions>, role: 'hybrid' | 'never'): Promise<AppProcess> {
    const environment = { ...database.environment, SHOPIFY_TOKENS_RENEWAL: role }
    const app = await AppProcess.start({ shopifyUrl: shopify.url, skewMs: passedMs, ...options, environment })
    apps.push(app)
    return app
  }

  const startReader = (options: Partial<AppOptions> = {}): Promise<AppProcess> => start(options, 'never')
  const startRenewer = (options: Partial<AppOptions> = {}): Promise<AppProcess> =>
    start({ keepAlive: { askedEveryMs: 100 }, ...options }, 'hybrid')
  const tokenCalls = (): number => shopify.counters(shop).tokenCalls

  async function begin(ageMs: number, options: Partial<FakeShopifyOptions> = {}): Promise<void> {
    shopify = await startShopify({ clock: { now: () => Date.now() + passedMs }, ...options })
    await database.seed(shopify, shop, { ageMs })
  }

  beforeEach(async () => {
    passedMs = 0
    place = await create()
    database = await TokenDatabase.open(place.url)
  })
  afterEach(async () => {
    await Promise.all(apps.splice(0).map((app) => app.kill()))
    await shopify.close()
    await database.close()
    await place.drop()
  })

  it('keep a shop fresh that only the reader visits, renewal after renewal', async () => {
    await begin(0, { accessTokenLifetimeMs: 2_000 })
    const [reader, renewer] = [await startReader(), await startRenewer()]
    let requests = 0

    for (; tokenCalls() < 4; requests += 5) expect(await reader.requests(shop, 5)).toEqual([])

    expect(requests).toBeGreaterThan(20)
    expect(await reader.tokenCalls()).toBe(0)
    expect(await renewer.tokenCalls()).toBe(tokenCalls())
    expect(shopify.counters(shop).retiredTokensPresented).toBe(0)
  })

  it('have readers without a renewer say so, and share what the next renewer brings for their question', async () => {
    await begin(2 * HOUR_MS)
    const hasty = await startReader({ durations: { waitMs: 300 } })
    expect(await hasty.requests(shop, 100)).toEqual(Array(100).fill('ERR_RENEWAL_ELSEWHERE'))
    expect(tokenCalls()).toBe(0)

    const renewer = await startRenewer({ keepAlive: {} })
    await until(() => tokenCalls() === 1, 'somebody renews what was asked for')
    await until(async () => (await hasty.requests(shop, 5)).length === 0, 'the reader is served again')
    expect(tokenCalls()).toBe(1)

    const patient = await startReader()
    passedMs += 2 * HOUR_MS
    await Promise.all([renewer, patient].map((app) => app.pass(2 * HOUR_MS)))
    expect(await patient.requests(shop, 100)).toEqual([])
    expect(tokenCalls()).toBe(2)
    expect([await hasty.tokenCalls(), await patient.tokenCalls()]).toEqual([0, 0])
  })

  it('lose nothing when the renewer is killed over what it was asked for, and a new one is started', async () => {
    await begin(57 * 60_000)
    const reader = await startReader({ durations: SHORT_LEASE })
    const killed = await startRenewer({ durations: SHORT_LEASE })
    const answers = shopify.hold('token', { at: 'answer' })
    expect(await reader.requests(shop, 5)).toEqual([])
    await answers.arrived()

    await killed.kill()
    answers.release()
    expect(await reader.requests(shop, 5)).toEqual([])
    const next = await startRenewer({ durations: SHORT_LEASE })
    passedMs += HOUR_MS
    await Promise.all([reader.pass(HOUR_MS), next.pass(HOUR_MS)])

    await until(async () => (await reader.requests(shop, 5)).length === 0, 'the reader is served again')
    expect(next.eventsOf('grant.inDoubt')).not.toEqual([])
    expect(next.eventsOf('reauthorization.required')).toEqual([])
    expect(await reader.tokenCalls()).toBe(0)
    const { accessToken, refreshToken } = await database.pair(shop)
    expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
    expect(shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
  })
}

describeWithServer('PostgreSQL', 'processes that read and processes that renew, on PostgreSQL,', () => {
  readersAndRenewers(createPostgresDatabase)
})

describe('processes that read and processes that renew, on a SQLite file,', () => {
  readersAndRenewers(createSqliteFile)
})
