import { getMaxListeners } from 'node:events'
import { candidates, type ExpiringRecord, parseShop } from '@shopify-tokens/core'
import { anAttempt, aToken, fault } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

describe('a token that has expired', () => {
  it('is renewed once for a hundred callers, with one attempt and one pair written', async () => {
    const { seed, shopify, store, tokenCalls, tokens } = await managedApp({ shopifyOptions: { grace: 'none' } })
    await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token')

    const calls = Array.from({ length: 100 }, () => tokens.token(shop))
    await hold.arrived()
    hold.release()
    const values = new Set((await Promise.all(calls)).map(({ value }) => value))

    expect(values.size).toBe(1)
    expect(tokenCalls()).toBe(1)
    expect(store.count('put')).toBe(2)
  })

  it('is replaced by a stored pair with the presented refresh token as its predecessor', async () => {
    const { events, record, seed, tokens } = await managedApp()
    const before = await seed({ ageMs: 2 * HOUR_MS })

    const token = await tokens.token(shop)

    const after = (await record()) as ExpiringRecord
    expect(after.accessToken).toBe(token.value)
    expect(after.accessToken).not.toBe(before.accessToken)
    expect(after.refreshToken).not.toBe(before.refreshToken)
    expect(after.predecessor).toBe(before.refreshToken)
    expect(after).toMatchObject({ attempts: [], alternates: [], mark: null, coolDown: null })
    expect(events.map(({ type }) => type)).toEqual(['token.rotated'])
    expect(events[0]).toMatchObject({ trigger: 'expired', requests: 1 })
  })

  it('announces the attempt in the row before Shopify is called', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token')

    const call = tokens.token(shop)
    await hold.arrived()
    const during = await record()
    hold.release()
    await call

    expect(during?.attempts).toEqual([expect.objectContaining({ grant: 'refresh' })])
  })

  it('is not renewed under a lease that would not outlast the request: the attempt is made anew', async () => {
    const { clock, record, seed, shopify, store, tokens } = await managedApp({ storeTimeoutMs: 12_000 })
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.delay(11_000))
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()
    const ages = ((await record())?.attempts ?? []).map(({ at }) => clock.now() - at)
    hold.release()
    await call

    expect(ages).toHaveLength(1)
    expect(ages[0]).toBeLessThan(10_000)
  })

  it('is left to the process that announced itself first', async () => {
    const { anotherProcess, seed, shopify, tokenCalls, tokens } = await managedApp({
      shopifyOptions: { grace: 'none' },
    })
    await seed({ ageMs: 2 * HOUR_MS })
    const other = anotherProcess()
    const hold = shopify.hold('token')

    const first = tokens.token(shop)
    await hold.arrived()
    const second = other.token(shop)
    hold.release()

    expect((await first).value).toBe((await second).value)
    expect(tokenCalls()).toBe(1)
  })
})

describe('an outage of the token endpoint', () => {
  it.each([
    ['two 520s before the rotation', { kind: 'error-520', when: 'before' }],
    ['two 520s after the rotation', { kind: 'error-520', when: 'after' }],
    ['two resets', { kind: 'reset', when: 'after' }],
    ['two HTML pages', { kind: 'html', when: 'before' }],
    ['two truncated answers', { kind: 'truncated' }],
    ['two 429s without Retry-After', { kind: 'throttled' }],
    ['two answers without an access token', { kind: 'missing', field: 'access_token' }],
  ] as const)('%s are outlasted by repeating the same refresh token', async (_title, trouble) => {
    const { eventsOf, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, trouble, { times: 2 })

    const token = await tokens.token(shop)

    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(shopify.counters(shop).tokenCalls).toBe(3)
    expect(new Set(shopify.log(shop).map(({ presented }) => presented)).size).toBe(1)
    expect(eventsOf('token.rotated')).toEqual([expect.objectContaining({ requests: 3 })])
  })

  it('ends in a controlled failure with a time to come back when it lasts', async () => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    const before = await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })

    await expect(tokens.token(shop)).rejects.toMatchObject({
      code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
      retryable: true,
      retryAfterMs: expect.any(Number) as number,
    })

    const after = await record()
    expect(after).toMatchObject({ accessToken: before.accessToken, refreshToken: before.refreshToken, mark: null })
    expect(after?.coolDown).toMatchObject({ failures: 1, scope: 'all' })
    expect(eventsOf('renewal.failed')).toHaveLength(1)
  })

  it('leaves a row that does not grow with its length, and still tells what is in doubt', async () => {
    const { clock, eventsOf, record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const outage = shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })
    for (let n = 0; n < 20; n++) {
      await expect(tokens.token(shop)).rejects.toThrow()
      await clock.advance(80_000)
    }

    expect((await record())?.attempts).toHaveLength(2)
    expect(eventsOf('grant.inDoubt').length).toBeLessThan(40)

    outage.cancel()
    await tokens.token(shop)
    // The credential had been presented before, so the pair is renewed once more.
    expect(eventsOf('token.rotated').map(({ trigger }) => trigger)).toEqual(['expired', 'confirm'])
    expect((await record())?.attempts).toEqual([])
  })

  it('keeps one doubt per credential, and one for all acquisitions', async () => {
    const { clock, put, record, seed, shopify, tokens } = await managedApp()
    const row = await seed({ ageMs: 2 * HOUR_MS })
    const at = clock.now() - HOUR_MS
    const attempts = [
      anAttempt({ credential: 'a', at }),
      anAttempt({ grant: 'id-token', at: at + 1 }),
      anAttempt({ credential: 'b', at: at + 2 }),
      anAttempt({ credential: 'a', at: at + 3 }),
      anAttempt({ grant: 'id-token', at: at + 4 }),
      anAttempt({ credential: 'a', at: clock.now() - 60_000 }),
    ]
    await put({ ...row, attempts })
    shopify.faults.next(shop, { kind: 'status', status: 404 })
    await expect(tokens.token(shop)).rejects.toThrow()

    expect((await record())?.attempts).toEqual(attempts.slice(2))
  })

  it('that strikes many shops at once is no leak of listeners to Node.js', async () => {
    const { clock, seed, shopify, tokens } = await managedApp()
    const sleep = jest.spyOn(clock, 'sleep')
    const shops = Array.from({ length: 20 }, (_, n) => parseShop(`shop-${String(n)}.myshopify.com`))
    for (const each of shops) await seed({ ageMs: 2 * HOUR_MS, shop: each })
    shopify.faults.next('*', { kind: 'html', when: 'before' }, { times: Infinity })

    await Promise.allSettled(shops.map((each) => tokens.token(each)))

    const signals = sleep.mock.calls.flatMap(([, signal]) => signal ?? [])
    const shared = new Set(signals.filter((signal, n) => signals.indexOf(signal) !== n))
    expect([...shared].map((signal) => getMaxListeners(signal))).toEqual([Infinity])
  })

  it('makes nobody call Shopify while the shop cools down', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const outage = shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })
    await expect(tokens.token(shop)).rejects.toThrow()
    const calls = tokenCalls()

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN' })
    expect(tokenCalls()).toBe(calls)

    outage.cancel()
    await clock.advance(60_000)
    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
  })

  it('serves a token that is still good enough, whatever the endpoint does', async () => {
    const { clock, seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed({ ageMs: HOUR_MS - 60_000 })
    shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await clock.advance(30_000)
    expect((await tokens.token(shop)).value).toBe(accessToken)
  })

  it('lets a time-out leave the attempt in the row, because the request may still arrive', async () => {
    const { record, seed, shopify, tokens } = await managedApp({ timeoutsStrike: true })
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'hang', when: 'before' }, { times: Infinity })

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect((await record())?.attempts).toHaveLength(1)
  })

  it('brings no request that the lease would not outlast', async () => {
    // Counted where they are sent: one may be given up before it has arrived.
    const fetch = jest.fn((url: string, init: RequestInit) => app.shopify.fetch(url, init))
    const app: ManagedApp = await managedApp({ timeoutsStrike: true, retryBudgetMs: 14_000, fetch })
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, { kind: 'hang', when: 'before' }, { times: Infinity })

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect(fetch).toHaveBeenCalledTimes(2)
  })

  it('lets a refusal that is certain take the attempt out of the row', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 3600 }, { times: Infinity })

    await expect(tokens.token(shop)).rejects.toThrow()
    expect(await record()).toMatchObject({ attempts: [], coolDown: { failures: 1 } })
  })
})

describe('a put that fails', () => {
  it('is repeated while the new token is served from memory', async () => {
    const { eventsOf, record, seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.pass(), fault.failBefore(), fault.failBefore())

    const token = await tokens.token(shop)
    expect((await tokens.token(shop)).value).toBe(token.value)
    await tokens.close()

    expect(await record()).toMatchObject({ accessToken: token.value })
    expect(eventsOf('rotation.unstored').map(({ tries }) => tries)).toEqual([1, 2])
    expect(tokenCalls()).toBe(1)
  })

  it('leaves the new token to be had though the store is away and the cache has no room for it', async () => {
    const { eventsOf, seed, store, tokens } = await managedApp({ cacheSize: 1 })
    const other = parseShop('other.myshopify.com')
    await seed({ ageMs: 2 * HOUR_MS })
    await seed({ shop: other })
    store.next('put', fault.pass())
    store.always('put', fault.failBefore())
    const token = await tokens.token(shop)
    await tokens.token(other)
    store.always('get', fault.failBefore())

    const [again] = await Promise.allSettled([tokens.token(shop)])
    store.heal()
    await tokens.close()

    expect(again).toMatchObject({ status: 'fulfilled', value: { value: token.value } })
    expect(eventsOf('token.rotated')).toHaveLength(1)
  })

  it('is not repeated when the row turns out to hold the pair already', async () => {
    const { record, seed, store, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.pass(), fault.failAfter())

    const token = await tokens.token(shop)
    await tokens.close()

    expect(store.count('put')).toBe(2)
    expect(await record()).toMatchObject({ accessToken: token.value, alternates: [], attempts: [] })
  })

  it('of the attempt keeps Shopify uncalled', async () => {
    const { seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.always('put', fault.failBefore())

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(tokenCalls()).toBe(0)
  })

  it('of the attempt whose answer alone was lost is found in the row', async () => {
    const { seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.failAfter())

    await tokens.token(shop)
    expect(tokenCalls()).toBe(1)
  })

  it('to the end makes close reject with the shop by name', async () => {
    const { clock, seed, store, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.pass())
    store.always('put', fault.failBefore())
    await tokens.token(shop)

    const closing = tokens.close({ deadlineMs: 8_000 })
    await Promise.all([
      expect(closing).rejects.toMatchObject({ code: 'ERR_ROTATION_NOT_STORED', shops: [shop] }),
      clock.advance(10_000),
    ])
  })
})

describe('close', () => {
  it('does not name a shop whose pair was stored by the put under way at the deadline', async () => {
    const { record, seed, store, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.pass(), fault.failBefore(), fault.delay(1_500))
    const token = await tokens.token(shop)

    await tokens.close({ deadlineMs: 500 })
    expect(await record()).toMatchObject({ accessToken: token.value })
  })

  it('ends although requests keep coming', async () => {
    const { clock, store, tokens } = await managedApp()
    const shops = Array.from({ length: 5 }, (_, n) => parseShop(`not-installed-${String(n)}.myshopify.com`))
    store.always('get', fault.delay(50))
    let isClosed = false
    const visitors = shops.map(async (each, n) => {
      await clock.sleep(n * 20)
      while (!isClosed && clock.monotonic() < 60_000) await tokens.token(each).catch(() => undefined)
    })
    await clock.sleep(200)

    await tokens.close()
    isClosed = true
    await Promise.all(visitors)
    expect(clock.monotonic()).toBeLessThan(10_000)
  })
})

describe('patience', () => {
  it('ends for a caller after a lease and two seconds, while the run goes on', async () => {
    const { anotherProcess, clock, put, record, seed, shopify } = await managedApp()
    const row = await seed({ ageMs: 2 * HOUR_MS })
    await put({ ...row, refreshToken: aToken('shprt'), alternates: [aToken('shprt'), row.refreshToken] })
    const slow = anotherProcess({
      requestTimeoutMs: 9_999,
      fetch: async (input, init) => {
        await clock.sleep(9_000)
        return shopify.fetch(input, init)
      },
    })

    await expect(slow.token(shop)).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT', retryAfterMs: 2_000 })
    await slow.close({ deadlineMs: 60_000 })
    expect(shopify.hasLiveCredential(shop, candidates(await record()))).toBe(true)
    expect(shopify.counters(shop).tokenCalls).toBeGreaterThan(1)
  })

  it('ends for a caller for whom there is only an unstored pair that has expired', async () => {
    const { clock, seed, shopify, store, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.pass())
    store.always('put', fault.failBefore())
    await tokens.token(shop)
    await clock.advance(2 * HOUR_MS)

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT' })

    store.heal()
    await clock.advance(10_000)
    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
  })

  it('ends for a caller who waits for an unstored pair to be stored, and nothing is begun for them later', async () => {
    const { clock, seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.pass())
    store.always('put', fault.failBefore())
    await tokens.token(shop)

    await expect(tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT' })
    store.heal()
    await tokens.close()
    await clock.settle()
    expect(tokenCalls()).toBe(1)
  })
})
