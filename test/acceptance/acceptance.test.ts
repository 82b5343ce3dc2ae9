import type { ExpiringRecord } from '@shopify-tokens/core'
import { fingerprint } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'
import { ACCEPTANCE_TITLES, type AcceptanceTitle, NOT_YET_SERVED } from './titles.js'

const MINUTE_MS = 60_000
const QUERY = '{ shop { name } }'
const SHOP_NAME = { data: { shop: { name: 'acme', myshopifyDomain: shop } } }

const served: AcceptanceTitle[] = []

/** Declares the test of one title of the guide. */
function acceptance(title: AcceptanceTitle, body: () => Promise<void>): void {
  served.push(title)
  it(title, body)
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
})

it('has every title of the guide, as a test or on the list of those not yet served', () => {
  process.stdout.write(`Not yet served:\n${NOT_YET_SERVED.map((title) => `- ${title}\n`).join('')}`)
  expect([...served, ...NOT_YET_SERVED].sort()).toEqual([...ACCEPTANCE_TITLES].sort())
  expect(ACCEPTANCE_TITLES).toHaveLength(10)
})
