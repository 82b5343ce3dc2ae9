import { fingerprint, parseShop, type Shop, type TokenManager, type TokenStore } from '@shopify-tokens/core'
import { aRecord, aToken, fault } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)

/** Brings a pair for each shop that the store does not take. */
async function unstored({ seed, shopify, store, tokens }: ManagedApp, ...shops: readonly Shop[]): Promise<string[]> {
  for (const each of shops) await seed({ ageMs: 2 * HOUR_MS, shop: each })
  const hold = shopify.hold('token')
  const calls = shops.map((each) => tokens.token(each))
  await hold.arrived(shops.length)
  store.always('put', fault.failBefore())
  hold.release()
  return (await Promise.all(calls)).map(({ value }) => value)
}

describe('closing while a minted pair is not stored', () => {
  it('ends the pause before the next try', async () => {
    const app = await managedApp()
    const [value] = await unstored(app, shop)
    while (app.eventsOf('rotation.unstored').length < 12) await app.clock.advance(100)
    app.store.heal()
    const began = app.clock.monotonic()

    await app.tokens.close()

    expect(await app.record()).toMatchObject({ accessToken: value })
    expect(app.clock.monotonic() - began).toBeLessThanOrEqual(500)
  })

  it('tries again every half second until the deadline, and names the shops in vain', async () => {
    const app = await managedApp()
    const shops = someShops(2)
    await unstored(app, ...shops)
    while (app.eventsOf('rotation.unstored').length < 30) await app.clock.advance(100)
    const before = app.eventsOf('rotation.unstored').length

    await expect(app.tokens.close({ deadlineMs: 8_000 })).rejects.toMatchObject({
      code: 'ERR_ROTATION_NOT_STORED',
      shops,
    })

    const tries = app.eventsOf('rotation.unstored').length - before
    expect(tries).toBeGreaterThanOrEqual(2 * 15)
    expect(tries).toBeLessThanOrEqual(2 * 18)
  })

  it('stores acquisitions first: a lost one is mended by the merchant alone', async () => {
    const app = await managedApp()
    const { clock, eventsOf, seed, shopify, store, tokens } = app
    const refreshed = parseShop('a-refreshed.myshopify.com')
    await seed({ ageMs: 2 * HOUR_MS, shop: refreshed })
    shopify.installShop(shop)
    const hold = shopify.hold('token')
    const calls = [tokens.token(refreshed), tokens.token(shop, { idToken: shopify.sessionToken(shop) })]
    await hold.arrived(2)
    store.always('put', fault.failBefore())
    hold.release()
    await Promise.all(calls)
    while (eventsOf('rotation.unstored').length < 24) await clock.advance(100)
    store.heal()
    store.resetCounts()

    await tokens.close()

    const puts = store.calls.flatMap((call) => (call.verb === 'put' ? [call.key.shop] : []))
    expect(puts).toEqual([shop, refreshed])
  })

  it('leaves a shop that was given up to the next process', async () => {
    const app = await managedApp()
    await unstored(app, shop)
    await expect(app.tokens.close({ deadlineMs: 1_000 })).rejects.toThrow()
    app.store.heal()

    const token = await app.anotherProcess().token(shop)
    expect(app.shopify.accessTokenState(shop, token.value)).toBe('live')
  })
})

it.each([NaN, -1, 1.5, Infinity])('refuses a deadline of %s, and stays open', async (deadlineMs) => {
  const { seed, tokenCalls, tokens } = await managedApp()
  await seed({ ageMs: 2 * HOUR_MS })

  await expect(tokens.close({ deadlineMs })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  await tokens.token(shop)
  expect(tokenCalls()).toBe(1)
})

it('removes nothing at an instant that is none', async () => {
  const { record, seed, tokens } = await managedApp()
  await seed()

  await expect(tokens.remove(shop, { at: NaN })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
  expect(await record()).toMatchObject({ kind: 'expiring' })
})

describe('closing while Shopify refuses one of several refresh tokens', () => {
  it('presents no other, and leaves no attempt that would keep the next process waiting', async () => {
    const app = await managedApp()
    const row = await app.seed({ ageMs: 2 * HOUR_MS })
    await app.put({ ...row, refreshToken: aToken('shprt'), alternates: [row.refreshToken] })
    const hold = app.shopify.hold('token')
    const call = app.tokens.token(shop)
    await hold.arrived()

    const closed = app.tokens.close()
    hold.release()

    await expect(call).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await closed
    expect(app.tokenCalls()).toBe(1)
    expect(await app.record()).toMatchObject({ attempts: [] })

    const token = await app.anotherProcess().token(shop)
    expect(app.shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(app.eventsOf('grant.inDoubt')).toEqual([])
  })
})

describe('a store that answers every write with a conflict', () => {
  /** A process for which the row always turns out to have changed, from the second put on. */
  function alwaysTooLate({ anotherProcess, store }: ManagedApp, passing: number): TokenManager {
    let puts = 0
    const late: TokenStore = {
      get: (key) => store.get(key),
      put: async (key, record, expected) =>
        ++puts <= passing ? store.put(key, record, expected) : { outcome: 'conflict', present: await store.get(key) },
      scan: (query) => store.scan(query),
      ask: (key) => store.ask(key),
    }
    return anotherProcess({ store: late })
  }

  it('is tried with pauses, while the pair is served from memory, and given up when the manager closes', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const tokens = alwaysTooLate(app, 1)

    const { value } = await tokens.token(shop)
    expect((await tokens.token(shop)).value).toBe(value)
    expect(app.shopify.accessTokenState(shop, value)).toBe('live')

    await expect(tokens.close()).rejects.toMatchObject({ code: 'ERR_ROTATION_NOT_STORED', shops: [shop] })
    expect(app.eventsOf('rotation.unstored').length).toBeGreaterThan(0)
  })

  it('keeps no run that finds the refresh token dead busy for ever', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, { kind: 'terminal' }, { times: Infinity })

    await expect(alwaysTooLate(app, 1).token(shop)).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT' })
    expect(app.store.count('get')).toBeLessThan(1_000)
    expect(app.eventsOf('reauthorization.required')).toEqual([])
  })

  it.each([
    ['cannot be renewed', aRecord.nonExpiring({ secretId: fingerprint(CLIENT_SECRET) })],
    [
      'was minted because of another',
      aRecord.expiring({ secretId: fingerprint(CLIENT_SECRET), mintedForRejected: true }),
    ],
  ])('keeps no run busy for ever whose refused token %s', async (_title, row) => {
    const app = await managedApp()
    await app.put(row)

    await expect(alwaysTooLate(app, 0).token(shop, { rejected: row.accessToken })).rejects.toMatchObject({
      code: 'ERR_LEASE_TIMEOUT',
    })
    expect(app.store.count('get')).toBeLessThan(1_000)
  })

  it('ends a removal, which may be tried again', async () => {
    const app = await managedApp()
    await app.seed()
    const tokens = alwaysTooLate(app, 0)

    await expect(tokens.remove(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', retryable: true })
    expect(await app.tokens.remove(shop)).toBe(true)
  })
})
