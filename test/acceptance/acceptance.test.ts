import { EventEmitter, once } from 'node:events'
import {
  type ConnectionPage,
  type ExpiringRecord,
  pagesOf,
  readEnvironment,
  type ReauthorizationNotice,
  resumable,
  type TokenEventType,
  type TokenManagerOptions,
} from '@shopify-tokens/core'
import { type AdminHandler, fingerprint } from '@shopify-tokens/testing'
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'
import { startShopify, TokenDatabase } from '../races/token-database.js'
import { createPostgresDatabase, describeWithServer } from '../servers.js'
import { failPairWrites } from './failing-writes.js'
import { RowReader, tokensOf } from './row-reader.js'
import { ACCEPTANCE_TITLES, type AcceptanceTitle, NOT_YET_SERVED } from './titles.js'
import { UnreliableNetwork } from './unreliable-network.js'

jest.setTimeout(30_000)

const MINUTE_MS = 60_000
const QUERY = '{ shop { name } }'
const SHOP_NAME = { data: { shop: { name: 'acme', myshopifyDomain: shop } } }

const served: AcceptanceTitle[] = []

/** Declares the test of one title of the guide. */
function acceptance(title: AcceptanceTitle, body: () => Promise<void>): void {
  served.push(title)
  it(title, body)
}

const PRODUCTS = `query ($after: String) {
  products(first: 1, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}`

interface ProductsData {
  readonly products: ConnectionPage & { readonly nodes: readonly { readonly id: string }[] }
}

/** A shop with one product on each of its pages. */
function pagesOfProducts(count: number): AdminHandler {
  return ({ body }) => {
    if (body === undefined) return { body: {} }
    const { after } = (body as { readonly variables: { readonly after: string | null } }).variables
    const page = Number(after ?? 0) + 1
    const pageInfo = { hasNextPage: page < count, endCursor: String(page) }
    return { body: { data: { products: { nodes: [{ id: String(page) }], pageInfo } } } }
  }
}

function adminStatuses({ shopify }: ManagedApp): Record<string, number> {
  return shopify.counters(shop).adminCallsByStatus
}

async function storedPair({ record }: ManagedApp): Promise<ExpiringRecord> {
  const stored = await record()
  if (stored?.kind === 'expiring') return stored
  throw new Error(`The row holds no pair but ${String(stored?.kind)}`)
}

afterEach(closeAll)

describe("the operators' guide", () => {
  acceptance('calls the API with the new token', async () => {
    const app = await managedApp()
    const old = await app.seed({ ageMs: 2 * HOUR_MS })

    expect(await app.tokens.forShop(shop).graphql(QUERY)).toMatchObject(SHOP_NAME)

    const { accessToken } = await storedPair(app)
    expect(accessToken).not.toBe(old.accessToken)
    const calls = app.shopify.log(shop).filter(({ endpoint }) => endpoint === 'admin')
    expect(calls).toEqual([expect.objectContaining({ presented: fingerprint(accessToken), status: 200 })])
  })

  acceptance('refreshes on 401 and the call then succeeds', async () => {
    const app = await managedApp()
    const { accessToken } = await app.seed()
    app.shopify.revokeToken(shop, accessToken)

    expect(await app.tokens.forShop(shop).graphql(QUERY)).toMatchObject(SHOP_NAME)

    expect(adminStatuses(app)).toEqual({ 200: 1, 401: 1 })
    expect(app.tokenCalls()).toBe(1)
    expect(app.eventsOf('token.rotated')).toEqual([expect.objectContaining({ trigger: 'rejected' })])
  })

  acceptance('refreshes shortly before expiry so that no 401 happens', async () => {
    const app = await managedApp()
    await app.seed()
    const client = app.tokens.forShop(shop)
    const minutes = 5 * 60

    for (let minute = 0; minute < minutes; minute += 1) {
      await client.graphql(QUERY)
      while (app.shopify.log(shop).some(({ outcome }) => outcome === 'pending')) await app.clock.settle()
      await app.clock.advance(MINUTE_MS)
    }

    expect(adminStatuses(app)).toEqual({ 200: minutes })
    const rotations = app.eventsOf('token.rotated')
    expect(rotations.length).toBeGreaterThanOrEqual(5)
    expect(new Set(rotations.map(({ trigger }) => trigger))).toEqual(new Set(['ahead']))
  })

  acceptance('stores the rotated refresh token after each refresh', async () => {
    const app = await managedApp({ shopifyOptions: { grace: 'none' } })
    const refreshTokens = [(await app.seed({ ageMs: 2 * HOUR_MS })).refreshToken]

    for (let refresh = 1; refresh <= 3; refresh += 1) {
      // A process that has just started knows nothing but the row; and here every refresh token works once.
      const { value } = await app.anotherProcess().token(shop)

      const { accessToken, refreshToken } = await storedPair(app)
      expect(accessToken).toBe(value)
      expect(refreshTokens).not.toContain(refreshToken)
      expect(app.shopify.hasLiveCredential(shop, [refreshToken])).toBe(true)
      expect(app.tokenCalls()).toBe(refresh)
      refreshTokens.push(refreshToken)
      await app.clock.advance(2 * HOUR_MS)
    }
  })

  acceptance('concurrent requests cause one refresh', async () => {
    const app = await managedApp({ shopifyOptions: { grace: 'none' } })
    await app.seed({ ageMs: 2 * HOUR_MS })
    const refresh = app.shopify.hold('token')

    const answers = Array.from({ length: 100 }, () => app.tokens.forShop(shop).graphql(QUERY))
    await refresh.arrived()
    await app.clock.settle()
    refresh.release()

    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject(SHOP_NAME)
    expect(app.tokenCalls()).toBe(1)
    expect(adminStatuses(app)).toEqual({ 200: 100 })
  })

  acceptance('a background job refreshes mid-job and completes', async () => {
    const pages = 8
    const app = await managedApp({ shopifyOptions: { grace: 'none', admin: pagesOfProducts(pages) } })
    await app.seed({ ageMs: 50 * MINUTE_MS })
    const client = app.tokens.forShop(shop)
    const checkpoint = { load: () => Promise.resolve(null), save: () => Promise.resolve() }
    const next = pagesOf(client, PRODUCTS, { connection: ({ products }: ProductsData) => products })
    const done: string[] = []

    for await (const { nodes } of resumable({ checkpoint, next })) {
      await app.clock.advance(30 * MINUTE_MS)
      for (const { id } of nodes) {
        const { status } = await client.fetch(`/admin/api/2026-10/products/${id}.json`)
        if (status === 200) done.push(id)
      }
    }

    expect(done).toEqual(Array.from({ length: pages }, (_, n) => String(n + 1)))
    expect(adminStatuses(app)).toEqual({ 200: 2 * pages })
    expect(app.eventsOf('token.rotated').length).toBeGreaterThanOrEqual(4)
    const tokens = app.shopify.log(shop).flatMap(({ endpoint, presented }) => (endpoint === 'admin' ? [presented] : []))
    expect(new Set(tokens).size).toBeGreaterThanOrEqual(5)
  })

  acceptance('network timeouts during refresh: exponential backoff, then success or a controlled failure', async () => {
    const requestTimeoutMs = 500
    const network = new UnreliableNetwork()
    const app: ManagedApp = await managedApp({ requestTimeoutMs, fetch: (url, init) => fetchThrough(url, init) })
    const fetchThrough = network.through(app)
    const request = (): Promise<object> => app.tokens.forShop(shop).graphql(QUERY)
    await app.seed({ ageMs: 2 * HOUR_MS })

    network.lose(3)
    expect(await request()).toMatchObject(SHOP_NAME)
    expect(network.pausesAfter(requestTimeoutMs)).toEqual([200, 400, 800])

    await app.clock.advance(2 * HOUR_MS)
    const { refreshToken } = await storedPair(app)
    network.lose(Infinity)
    const failure = { code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE', retryable: true }
    await expect(request()).rejects.toMatchObject({ ...failure, retryAfterMs: 2_000 })
    expect(network.pausesAfter(requestTimeoutMs)).toEqual([200, 400, 800, 1_600, 3_200])
    await expect(request()).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN', retryable: true })
    expect(network.requests).toBe(6)
    await app.clock.advance(2_000)
    await expect(request()).rejects.toMatchObject({ ...failure, retryAfterMs: 4_000 })
    expect(await storedPair(app)).toMatchObject({ refreshToken, mark: null })

    network.lose(0)
    await app.clock.advance(4_000)
    expect(await request()).toMatchObject(SHOP_NAME)
    expect(await storedPair(app)).toMatchObject({ coolDown: null, mark: null })
    expect(adminStatuses(app)).toEqual({ 200: 2 })
  })

  acceptance('invalid refresh token: the shop is marked for reauthorization and support is notified', async () => {
    const behind: Promise<void>[] = []
    const ticketsOf = (tickets: ReauthorizationNotice[]): Partial<TokenManagerOptions> => ({
      notify: (notice) => tickets.push(notice),
      background: (work) => behind.push(work),
    })
    const tickets: ReauthorizationNotice[] = []
    const app = await managedApp(ticketsOf(tickets))
    const { accessToken, refreshToken } = await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.revokeToken(shop, refreshToken)

    const requests = Array.from({ length: 10 }, () => app.tokens.forShop(shop).graphql(QUERY))
    const failures = await Promise.allSettled(requests)
    await Promise.all(behind)

    const url = `https://${shop}/admin/apps/${app.shopify.clientId}`
    const failure = { code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'refresh-token-rejected', url }
    for (const each of failures) expect(each).toMatchObject({ status: 'rejected', reason: failure })
    const { mark, ...marked } = await storedPair(app)
    expect(marked).toMatchObject({ accessToken, refreshToken })
    expect(mark).toMatchObject({ reason: failure.reason, notifiedAt: expect.any(Number) as number })
    expect(tickets).toEqual([{ shop, reason: failure.reason, at: mark?.at, url }])
    expect(app.eventsOf('reauthorization.required')).toHaveLength(1)
    expect(app.tokenCalls()).toBe(1)

    const more: ReauthorizationNotice[] = []
    const other = app.anotherProcess(ticketsOf(more))
    await expect(other.forShop(shop).graphql(QUERY)).rejects.toMatchObject(failure)
    await Promise.all(behind)
    expect(more).toEqual([])

    const merchant = other.forShop(shop, { idToken: app.shopify.sessionToken(shop) })
    expect(await merchant.graphql(QUERY)).toMatchObject(SHOP_NAME)
    expect(await storedPair(app)).toMatchObject({ mark: null })
    expect(app.eventsOf('reauthorization.cleared')).toHaveLength(1)
    expect(adminStatuses(app)).toEqual({ 200: 1 })
  })
})

describeWithServer('PostgreSQL', "the operators' guide, on PostgreSQL", () => {
  acceptance('database write failure while storing: retried, no half-updated state', async () => {
    const server = await createPostgresDatabase()
    const shopify = await startShopify({ grace: 'none' })
    const database = await TokenDatabase.open(server.url)
    const app = openTokenManager(readEnvironment(database.environment), { fetch: shopify.fetch })
    const events = new EventEmitter()
    const types: TokenEventType[] = []
    app.tokens.subscribe(({ type }) => types.push(type) && events.emit('event'))
    const until = async (type: TokenEventType, times: number): Promise<void> => {
      while (types.filter((each) => each === type).length < times) await once(events, 'event')
    }
    const old = await database.seed(shopify, shop, { ageMs: 2 * HOUR_MS })
    const heal = await failPairWrites(server.url)
    try {
      const reader = new RowReader(() => database.pair(shop))

      expect(await app.tokens.forShop(shop).graphql(QUERY)).toMatchObject(SHOP_NAME)
      await until('rotation.unstored', 3)
      expect(tokensOf(await database.pair(shop))).toEqual(tokensOf(old))
      await heal()
      await until('token.rotated', 1)

      const stored = await database.pair(shop)
      expect(await reader.stop()).toEqual([tokensOf(old), tokensOf(stored)])
      expect(stored).toMatchObject({ predecessor: old.refreshToken, attempts: [], coolDown: null, mark: null })
      expect((await app.tokens.token(shop)).value).toBe(stored.accessToken)
      expect(shopify.accessTokenState(shop, stored.accessToken)).toBe('live')
      expect(shopify.hasLiveCredential(shop, [stored.refreshToken])).toBe(true)
      expect(shopify.counters(shop).tokenCalls).toBe(1)
      expect(new Set(types)).toEqual(new Set(['rotation.unstored', 'token.rotated']))
    } finally {
      await heal()
      await app.close()
      await database.close()
      await shopify.close()
      await server.drop()
    }
  })
})

it('has every title of the guide, as a test or on the list of those not yet served', () => {
  process.stdout.write(`Not yet served:\n${NOT_YET_SERVED.map((title) => `- ${title}\n`).join('')}`)
  expect([...served, ...NOT_YET_SERVED].sort()).toEqual([...ACCEPTANCE_TITLES].sort())
  expect(ACCEPTANCE_TITLES).toHaveLength(10)
})
