import { type ExpiringRecord, parseShop, type Shop } from '@shopify-tokens/core'
import { aMark, fault } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'

// What docs/operations.md tells an operator, and the packages' own suites do not show.

afterEach(closeAll)

const HALF_AN_HOUR_MS = 1_800_000
const DEAD = { kind: 'terminal' } as const

/** Shops with expired tokens, whose refresh tokens Shopify has ended or not. */
async function shopsOf(app: ManagedApp, count: number, name: string, isDead: boolean): Promise<Shop[]> {
  const shops = Array.from({ length: count }, (_, index) => parseShop(`${name}-${String(index)}.myshopify.com`))
  for (const at of shops) {
    await app.seed({ shop: at, ageMs: 2 * HOUR_MS })
    if (isDead) app.shopify.faults.next(at, DEAD, { grant: 'refresh', times: Infinity })
  }
  return shops
}

const codeOf = (tokens: ManagedApp['tokens'], at: Shop, idToken?: string): Promise<unknown> =>
  tokens.token(at, { idToken }).then(
    () => 'served',
    (error: unknown) => (error as { readonly code: unknown }).code,
  )

describe('when a crowd of shops turns out dead', () => {
  it('five are marked at most, the others keep their tokens, and a merchant who comes gets a new pair', async () => {
    const app = await managedApp()
    const { eventsOf, record, shopify, tokens } = app
    const shops = await shopsOf(app, 12, 'restored', true)

    const codes: unknown[] = []
    for (const at of shops) codes.push(await codeOf(tokens, at))

    expect(codes).toEqual([
      ...Array<string>(5).fill('ERR_REAUTHORIZATION_REQUIRED'),
      ...Array<string>(7).fill('ERR_FLEET_SUSPECT'),
    ])
    expect(eventsOf('fleet.suspect')).toHaveLength(1)
    const [last] = shops.slice(-1) as [Shop]
    expect(await record(last)).toMatchObject({ kind: 'expiring', mark: null })

    expect(await codeOf(tokens, last, shopify.sessionToken(last))).toBe('served')
  })

  it('a shop is believed again once the crowd has gone by', async () => {
    const app = await managedApp()
    const { clock, eventsOf, tokens } = app
    for (const at of await shopsOf(app, 12, 'restored', true)) await codeOf(tokens, at)
    const [left] = (await shopsOf(app, 1, 'left', true)) as [Shop]

    await clock.advance(11 * 60_000)

    expect(await codeOf(tokens, left)).toBe('ERR_REAUTHORIZATION_REQUIRED')
    expect(eventsOf('fleet.suspect')).toHaveLength(1)
  })
})

it('a marked shop whose tokens live is cleared when it is forced', async () => {
  const { eventsOf, seed, tokens } = await managedApp()
  await seed({ mark: aMark() })

  await tokens.force(shop)

  expect(eventsOf('reauthorization.cleared')).toHaveLength(1)
})

describe('while the store', () => {
  it('takes no writes, Shopify is asked for nothing, tokens in rows are served, and no event tells of it', async () => {
    const { events, seed, store, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed({ ageMs: HALF_AN_HOUR_MS })
    store.always('put', fault.failBefore())

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await expect(tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })

    expect(tokenCalls()).toBe(0)
    expect(events).toEqual([])
  })

  it('does not answer, a shop whose token has ended fails, and no event tells of it', async () => {
    const { events, seed, store, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.always('get', fault.failBefore())

    expect(await codeOf(tokens, shop)).toBe('ERR_STORE_UNAVAILABLE')

    expect(events).toEqual([])
  })

  it('is put back to an earlier state, a pair that it had not taken is merged into that', async () => {
    const { eventsOf, put, record, seed, shopify, store, tokens } = await managedApp()
    const before = await seed({ ageMs: 2 * HOUR_MS })
    store.next(
      'put',
      fault.pass(),
      fault.failBefore(),
      fault.meanwhile(() => put(before)),
    )

    const { value } = await tokens.token(shop)
    await tokens.close()

    expect(eventsOf('rotation.unstored')).toHaveLength(1)
    expect(eventsOf('rotation.merged')).toHaveLength(1)

    const row = (await record()) as ExpiringRecord
    expect(row.accessToken).toBe(value)
    expect(row.predecessor).toBe(before.refreshToken)
    expect(shopify.hasLiveCredential(shop, [row.refreshToken])).toBe(true)
  })
})

describe('a process that is configured wrongly', () => {
  let warnings: jest.SpyInstance

  beforeEach(() => {
    warnings = jest.spyOn(process, 'emitWarning').mockReturnValue()
  })

  it('with another secret than the rows were minted by renews nothing, and says so', async () => {
    const { anotherProcess, eventsOf, seed, shopify, tokenCalls } = await managedApp()
    const { accessToken } = await seed({ ageMs: HALF_AN_HOUR_MS })
    const tokens = anotherProcess({ clientSecret: 'wrong' })

    await expect(tokens.verifySessionToken(shopify.sessionToken(shop))).rejects.toThrow('signature')
    await expect(tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_SECRET_OUTDATED' })
    expect((await tokens.token(shop)).value).toBe(accessToken)

    expect(eventsOf('sessionToken.refused')).toMatchObject([{ flaw: 'signature' }])
    expect(warnings).toHaveBeenCalledWith(expect.stringContaining('signature'), 'ShopifyTokensWarning')
    expect(eventsOf('secret.outdated').length).toBeGreaterThan(0)
    expect(tokenCalls()).toBe(0)
  })

  it('with another client id finds no rows and refuses session tokens', async () => {
    const { anotherProcess, eventsOf, seed, shopify, tokenCalls } = await managedApp()
    await seed()
    const tokens = anotherProcess({ clientId: 'wrong' })

    await expect(tokens.verifySessionToken(shopify.sessionToken(shop))).rejects.toThrow('audience')
    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'not-installed' })

    expect(eventsOf('sessionToken.refused')).toMatchObject([{ flaw: 'audience' }])
    expect(warnings).toHaveBeenCalledWith(expect.stringContaining('audience'), 'ShopifyTokensWarning')
    expect(tokenCalls()).toBe(0)
  })

  it('with a secret that Shopify has forgotten touches no row', async () => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    const row = await seed({ ageMs: HALF_AN_HOUR_MS })
    shopify.faults.next(shop, { kind: 'invalid-client' }, { times: Infinity })

    await expect(tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_APP_MISCONFIGURED' })
    expect((await tokens.token(shop)).value).toBe(row.accessToken)

    expect(eventsOf('renewal.failed')).toMatchObject([{ code: 'ERR_APP_MISCONFIGURED' }])
    expect(await record()).toMatchObject({ refreshToken: row.refreshToken, mark: null, attempts: [] })
  })
})

describe('a copied database', () => {
  it('under another name is neither renewed nor acquired into, serves tokens that live, and can be adopted', async () => {
    const { anotherProcess, clock, eventsOf, seed, shopify, tokenCalls } = await managedApp()
    const { accessToken } = await seed({ ageMs: HALF_AN_HOUR_MS })
    const original = anotherProcess({ deploymentId: 'production' })
    await original.force(shop)
    const renewed = (await original.token(shop)).value
    expect(renewed).not.toBe(accessToken)
    const calls = tokenCalls()

    const copy = anotherProcess({ deploymentId: 'staging' })
    const unnamed = anotherProcess()
    for (const tokens of [copy, unnamed]) {
      expect((await tokens.token(shop)).value).toBe(renewed)
      await expect(tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_FOREIGN_DEPLOYMENT' })
      const idToken = shopify.sessionToken(shop)
      await expect(tokens.acquire(shop, { idToken })).rejects.toMatchObject({ code: 'ERR_FOREIGN_DEPLOYMENT' })
    }
    expect(tokenCalls()).toBe(calls)
    expect(eventsOf('deployment.foreign')).toHaveLength(2)

    expect(await copy.adoptDeployment()).toBe(true)
    expect(await copy.adoptDeployment()).toBe(false)
    await copy.force(shop)
    await clock.advance(30_000)
    await expect(original.force(shop)).rejects.toMatchObject({ code: 'ERR_FOREIGN_DEPLOYMENT' })
  })

  it('is not looked at by another app: rows are kept per client id', async () => {
    const { anotherProcess, seed } = await managedApp()
    await seed()
    const staging = anotherProcess({ clientId: 'staging-app' })

    await expect(staging.token(shop)).rejects.toMatchObject({ reason: 'not-installed' })
  })
})
