import { fingerprint, InvalidShopError, type Shop, staticKeyRing } from '@shopify-tokens/core'
import { aCoolDown, aKey, aMark, anAttempt, aRecord, fault } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

describe('a fresh token', () => {
  it('is served from the cache without any call after the first', async () => {
    const { seed, store, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed()
    await tokens.token(shop)
    store.resetCounts()

    for (let n = 0; n < 10; n++) expect((await tokens.token(shop)).value).toBe(accessToken)

    expect(store.count()).toBe(0)
    expect(tokenCalls()).toBe(0)
  })

  it('costs neither a timer nor cryptography once it is cached', async () => {
    const sealing = staticKeyRing([{ id: 'k', bytes: new Uint8Array(32).fill(7) }])
    const { clock, shopify, tokens } = await managedApp({ sealing, deploymentId: 'production' })
    shopify.installShop(shop)
    const idToken = shopify.sessionToken(shop)
    const { value } = await tokens.token(shop, { idToken })
    await tokens.token(shop)
    const sleep = jest.spyOn(clock, 'sleep')
    const { decrypt, encrypt, importKey, verify } = globalThis.crypto.subtle
    const ciphers = [decrypt, encrypt, importKey, verify].map((each) => jest.mocked(each).mockClear())

    for (let n = 0; n < 1_000; n++) expect((await tokens.token(shop, { idToken })).value).toBe(value)

    expect(sleep).not.toHaveBeenCalled()
    for (const cipher of ciphers) expect(cipher).not.toHaveBeenCalled()
  })

  it('is read once for callers who come together', async () => {
    const { seed, store, tokens } = await managedApp()
    await seed()

    await Promise.all(Array.from({ length: 20 }, () => tokens.token(shop)))

    expect(store.count('get')).toBe(1)
  })

  it('is read again behind the request that finds it older than revalidateMs', async () => {
    const { clock, put, seed, store, tokens } = await managedApp({ revalidateMs: 30_000 })
    const first = await seed()
    await tokens.token(shop)
    const second = aRecord.expiring({ obtainedAt: clock.now(), secretId: fingerprint(CLIENT_SECRET) })
    await put(second)
    await clock.advance(30_000)

    expect((await tokens.token(shop)).value).toBe(first.accessToken)
    await clock.settle()
    expect((await tokens.token(shop)).value).toBe(second.accessToken)
    expect(store.count('get')).toBe(1)
  })

  it('is served on while the store is away', async () => {
    const { clock, seed, store, tokens } = await managedApp({ revalidateMs: 0 })
    const { accessToken } = await seed()
    await tokens.token(shop)
    store.always('get', fault.failBefore())

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await clock.settle()
    expect((await tokens.token(shop)).value).toBe(accessToken)
  })

  it('is forgotten when the re-read finds that the app was removed', async () => {
    const { clock, put, seed, tokens } = await managedApp({ revalidateMs: 1_000 })
    await seed()
    await tokens.token(shop)
    await put(aRecord.removed())
    await clock.advance(1_000)

    await tokens.token(shop)
    await clock.settle()
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'removed' })
  })

  it('is not read at all when the caller has already left', async () => {
    const { seed, store, tokens } = await managedApp()
    await seed()
    const reason = new Error('gone')

    await expect(tokens.token(shop, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(store.count()).toBe(0)
  })

  it('is refused for a string that is no shop, before any I/O', async () => {
    const { store, tokens } = await managedApp()

    await expect(tokens.token('evil.com' as Shop)).rejects.toBeInstanceOf(InvalidShopError)
    expect(store.count()).toBe(0)
  })

  it('leaves the cache when more shops than fit are served', async () => {
    const { seed, store, tokens } = await managedApp({ cacheSize: 2 })
    const shops = [aKey().shop, aKey().shop, aKey().shop] as const
    for (const each of shops) await seed({ shop: each })
    for (const each of shops) await tokens.token(each)
    store.resetCounts()

    await tokens.token(shops[2])
    expect(store.count('get')).toBe(0)
    await tokens.token(shops[0])
    expect(store.count('get')).toBe(1)
  })
})

describe('a token inside its renewal window', () => {
  it('is the answer at once while the renewal is held open, and the next answer is the new one', async () => {
    const { clock, eventsOf, seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed({ ageMs: HOUR_MS - 60_000 })
    const hold = shopify.hold('token')

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await hold.arrived()
    expect((await tokens.token(shop)).value).toBe(accessToken)
    hold.release()
    while (eventsOf('token.rotated').length === 0) await clock.settle()

    expect((await tokens.token(shop)).value).not.toBe(accessToken)
    expect(eventsOf('token.rotated')).toEqual([expect.objectContaining({ trigger: 'ahead' })])
  })

  it('is not renewed behind in lazy mode', async () => {
    const { clock, seed, tokenCalls, tokens } = await managedApp({ renewal: 'lazy' })
    await seed({ ageMs: HOUR_MS - 60_000 })

    await tokens.token(shop)
    await clock.settle()
    expect(tokenCalls()).toBe(0)
  })

  it('hands the renewal behind the request to the background hook', async () => {
    const behind: Promise<void>[] = []
    const { seed, tokenCalls, tokens } = await managedApp({ background: (work) => behind.push(work) })
    await seed({ ageMs: HOUR_MS - 60_000 })

    await tokens.token(shop)
    expect(behind).toHaveLength(1)
    await Promise.all(behind)
    expect(tokenCalls()).toBe(1)
  })

  it('is not looked at again by every request while its renewal cools down', async () => {
    const behind: Promise<void>[] = []
    const { seed, shopify, store, tokens } = await managedApp({ background: (work) => behind.push(work) })
    await seed({ ageMs: HOUR_MS - 60_000 })
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 30 }, { times: Infinity })
    await tokens.token(shop)
    await Promise.all(behind)
    store.resetCounts()

    for (let n = 0; n < 10; n++) await tokens.token(shop)
    expect(store.count()).toBe(0)
  })

  it.each([
    ['when it is due', HOUR_MS - 200_000],
    ['when it is to be read again', 60_000],
  ])('is looked at once in a while, not by every request, while the store is away: %s', async (_title, ageMs) => {
    const { clock, seed, store, tokens } = await managedApp()
    await seed()
    await tokens.token(shop)
    await clock.advance(ageMs)
    store.always('get', fault.failBefore())
    store.resetCounts()

    for (let n = 0; n < 20; n++) {
      await tokens.token(shop)
      await clock.settle()
    }
    // A failed read is repeated once.
    expect(store.count('get')).toBeLessThanOrEqual(4)

    store.resetCounts()
    await clock.advance(2_000)
    await tokens.token(shop)
    await clock.settle()
    expect(store.count('get')).toBe(2)
  })

  it.each([
    [
      'throws',
      () => {
        throw new RangeError('after the response')
      },
    ],
    ['rejects', () => Promise.reject(new RangeError('after the response'))],
  ])('is served although the background hook %s', async (_what, background) => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const { seed, shopify, tokens } = await managedApp({ background })
    const { accessToken } = await seed({ ageMs: HOUR_MS - 60_000 })
    const hold = shopify.hold('token')

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await hold.arrived()
    hold.release()
    await tokens.close()
    expect(warn.mock.calls).toEqual([['The option background threw (RangeError).', 'ShopifyTokensWarning']])
  })

  it('is read again behind the request by a lazy process too: somebody else may have renewed or removed it', async () => {
    const { clock, put, seed, tokens } = await managedApp({ renewal: 'lazy', revalidateMs: 1_000 })
    await seed({ ageMs: HOUR_MS - 200_000 })
    await tokens.token(shop)
    await put(aRecord.removed())
    await clock.advance(1_000)

    await tokens.token(shop)
    await clock.settle()
    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })

  it('is served while another process is renewing it', async () => {
    const { clock, seed, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed({ ageMs: HOUR_MS - 60_000, attempts: [anAttempt({ at: clock.now() })] })

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await clock.settle()
    expect(tokenCalls()).toBe(0)
  })

  it('does not turn a failing renewal behind a request into an unhandled rejection', async () => {
    const behind: Promise<void>[] = []
    const { seed, shopify, store, tokens } = await managedApp({ background: (work) => behind.push(work) })
    const { accessToken } = await seed({ ageMs: HOUR_MS - 60_000 })
    shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })
    store.always('put', fault.failBefore())

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await expect(Promise.all(behind)).resolves.toBeDefined()
  })
})

describe('a caller', () => {
  it('may leave without ending the renewal that others share', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token')
    const leaving = new AbortController()

    const left = tokens.token(shop, { signal: leaving.signal })
    const stays = tokens.token(shop)
    await hold.arrived()
    leaving.abort(new Error('client gone'))
    await expect(left).rejects.toThrow('client gone')
    hold.release()

    expect(shopify.accessTokenState(shop, (await stays).value)).toBe('live')
    expect(tokenCalls()).toBe(1)
  })

  it('is told when the store cannot be read and nothing is at hand', async () => {
    const { store, tokens } = await managedApp()
    store.always('get', fault.failBefore(new Error('connection refused')))

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', shop })
  })

  it('is told when the store does not answer in time', async () => {
    const { store, tokens } = await managedApp({ storeTimeoutMs: 500 })
    store.always('get', fault.hangBefore())

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    store.heal()
  })
})

describe('a non-expiring token', () => {
  const record = aRecord.nonExpiring({ secretId: fingerprint(CLIENT_SECRET) })

  it('is served, and its end announced once a day', async () => {
    const { clock, eventsOf, put, tokens } = await managedApp()
    await put(record)

    expect((await tokens.token(shop)).value).toBe(record.accessToken)
    await clock.advance(10_000)
    await tokens.token(shop)
    expect(eventsOf('migration.due')).toEqual([expect.objectContaining({ shop, daysLeft: 42 })])

    await clock.advance(24 * HOUR_MS)
    await tokens.token(shop)
    expect(eventsOf('migration.due').map(({ daysLeft }) => daysLeft)).toEqual([42, 41])
  })

  it('is read before it is served once it is older than nonExpiringCacheMs', async () => {
    const { clock, put, tokens } = await managedApp()
    await put(record)
    await tokens.token(shop)
    const migrated = aRecord.expiring({ obtainedAt: clock.now(), secretId: fingerprint(CLIENT_SECRET) })
    await put(migrated)
    await clock.advance(5_000)

    expect((await tokens.token(shop)).value).toBe(migrated.accessToken)
  })

  it('is better than an error when the store is away', async () => {
    const { clock, put, store, tokens } = await managedApp()
    await put(record)
    await tokens.token(shop)
    await clock.advance(60_000)
    store.always('get', fault.failBefore())

    expect((await tokens.token(shop)).value).toBe(record.accessToken)
  })

  it('that Shopify refuses marks the shop', async () => {
    const { eventsOf, put, tokens } = await managedApp()
    await put(record)
    const rejected = { rejected: record.accessToken }

    const refusal = { code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'access-token-rejected' }
    await expect(tokens.token(shop, rejected)).rejects.toMatchObject(refusal)
    await expect(tokens.token(shop, rejected)).rejects.toMatchObject(refusal)
    expect(eventsOf('reauthorization.required')).toHaveLength(1)
  })
})

describe('a static token', () => {
  it('is served for ever and never renewed', async () => {
    const { clock, put, tokenCalls, tokens } = await managedApp()
    const record = aRecord.static()
    await put(record)

    await clock.advance(1000 * HOUR_MS)
    expect((await tokens.token(shop)).value).toBe(record.accessToken)
    expect((await tokens.force(shop)).value).toBe(record.accessToken)
    expect((await tokens.token(shop)).expiresAt).toBe(Infinity)
    expect(tokenCalls()).toBe(0)
  })
})

describe('a shop without a token', () => {
  it.each([
    ['no row', null, 'not-installed'],
    ['a row of an acquisition that never ended', aRecord.empty(), 'not-installed'],
    ['a tombstone', aRecord.removed(), 'removed'],
  ] as const)('is told apart by its reason: %s', async (_title, record, reason) => {
    const { put, tokenCalls, tokens } = await managedApp()
    if (record !== null) await put(record)

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason })
    expect(tokenCalls()).toBe(0)
  })
})

describe('a marked shop', () => {
  it('is refused without a call once its access token has ended', async () => {
    const { clock, seed, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS, mark: aMark({ at: clock.now() }) })

    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'refresh-token-rejected' })
    expect(tokenCalls()).toBe(0)
  })

  it('is served as long as its access token lives', async () => {
    const { clock, seed, tokens } = await managedApp()
    const { accessToken } = await seed({ mark: aMark({ at: clock.now() }) })

    expect((await tokens.token(shop)).value).toBe(accessToken)
  })

  it('is served as long while the store is away, too', async () => {
    const { clock, seed, store, tokens } = await managedApp()
    const { accessToken } = await seed({ mark: aMark({ at: clock.now() }) })
    await tokens.token(shop)

    store.always('get', fault.failBefore())
    expect((await tokens.token(shop)).value).toBe(accessToken)
  })

  it('is tried again after a day, and cleared by success', async () => {
    const { clock, eventsOf, record, seed, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS, mark: aMark({ at: clock.now() }), coolDown: aCoolDown({ until: 0 }) })
    await clock.advance(24 * HOUR_MS)

    await tokens.token(shop)
    expect(await record()).toMatchObject({ mark: null, coolDown: null })
    expect(eventsOf('reauthorization.cleared')).toHaveLength(1)
  })

  it('is revived behind the request by a merchant who is there', async () => {
    const { clock, eventsOf, seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed({ mark: aMark({ at: clock.now() }) })

    expect((await tokens.token(shop, { idToken: shopify.sessionToken(shop) })).value).toBe(accessToken)
    while (eventsOf('token.acquired').length === 0) await clock.settle()
    expect(eventsOf('reauthorization.cleared')).toHaveLength(1)
  })
})

describe('a closed manager', () => {
  it('serves what it has and begins no new renewal', async () => {
    const { seed, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed()
    const expired = aKey().shop
    await seed({ shop: expired, ageMs: 2 * HOUR_MS })
    await tokens.token(shop)
    await tokens.close()

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await expect(tokens.token(expired)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(tokenCalls()).toBe(0)
    await tokens.close()
  })

  it('lets the request under way finish and stores what it brings', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()

    const closing = tokens.close()
    hold.release()
    const token = await call
    await closing
    expect(await record()).toMatchObject({ accessToken: token.value, attempts: [] })
  })

  it('repeats nothing', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()

    const closing = tokens.close()
    hold.release()
    await expect(call).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    await closing
    expect(tokenCalls()).toBe(1)
  })
})

describe('a session token that proves nothing', () => {
  async function warningsDuring(work: () => Promise<unknown>): Promise<string[]> {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    await work()
    const texts = warn.mock.calls.map(([text]) => String(text))
    warn.mockRestore()
    return texts
  }

  it('is told as an event with its flaw', async () => {
    const { eventsOf, shopify, tokens } = await managedApp()

    await tokens.verifySessionToken(shopify.sessionToken(shop))
    await expect(tokens.verifySessionToken(shopify.sessionToken(shop, { defect: 'expired' }))).rejects.toThrow()
    await expect(tokens.verifySessionToken('')).rejects.toThrow()

    expect(eventsOf('sessionToken.refused').map(({ flaw }) => flaw)).toEqual(['expired', 'missing'])
  })

  it.each([
    ['bad-signature', 'SHOPIFY_API_SECRET'],
    ['wrong-audience', 'SHOPIFY_API_KEY'],
  ] as const)('warns once of settings that accept none: %s', async (defect, variable) => {
    const { shopify, tokens } = await managedApp()
    const refused = (): Promise<unknown> =>
      tokens.verifySessionToken(shopify.sessionToken(shop, { defect })).catch(() => undefined)

    const warnings = await warningsDuring(async () => {
      await refused()
      await refused()
    })
    expect(warnings).toEqual([expect.stringContaining(variable)])
  })

  it('warns of no settings that have accepted one', async () => {
    const { shopify, tokens } = await managedApp()
    await tokens.verifySessionToken(shopify.sessionToken(shop))

    const refused = tokens.verifySessionToken(shopify.sessionToken(shop, { defect: 'bad-signature' }))
    expect(await warningsDuring(() => refused.catch(() => undefined))).toEqual([])
  })
})
