import { type ExpiringRecord, fingerprint } from '@shopify-tokens/core'
import { aMark, anAttempt, aRecord, aToken, fault } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const DEAD = { kind: 'terminal' } as const

describe('a refresh token that Shopify has ended', () => {
  it('marks the shop once no other candidate is left, and says so once', async () => {
    const { eventsOf, record, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, DEAD, { times: Infinity })

    await expect(tokens.token(shop)).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      reason: 'refresh-token-rejected',
      retryable: false,
    })
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })

    expect(await record()).toMatchObject({ mark: { reason: 'refresh-token-rejected' }, attempts: [] })
    expect(eventsOf('reauthorization.required')).toHaveLength(1)
    expect(tokenCalls()).toBe(1)
  })

  it('keeps its tokens in the row: a mark is never final', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
    const dead = shopify.faults.next(shop, DEAD, { times: Infinity })
    await expect(tokens.token(shop)).rejects.toThrow()
    expect(await record()).toMatchObject({ refreshToken })

    dead.cancel()
    const token = await tokens.force(shop)
    expect(await record()).toMatchObject({ accessToken: token.value, mark: null })
  })

  it('tells an uninstalled app apart by its reason', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'app-not-installed' })

    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'app-not-installed' })
  })

  it('lets the other refresh tokens of the row be tried, once each, in order', async () => {
    const { put, record, seed, shopify, tokens } = await managedApp()
    const row = await seed({ ageMs: 2 * HOUR_MS })
    const { refreshToken } = row
    await put({ ...row, refreshToken: aToken('shprt'), alternates: [aToken('shprt'), refreshToken] })

    const token = await tokens.token(shop)

    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(shopify.counters(shop).tokenCalls).toBe(3)
    expect(await record()).toMatchObject({ alternates: [], predecessor: refreshToken, mark: null, attempts: [] })
  })

  it('is no verdict when another process has renewed meanwhile: its token is served', async () => {
    const { clock, put, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, DEAD)
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()
    const renewed = aRecord.expiring({ obtainedAt: clock.now(), secretId: fingerprint(CLIENT_SECRET) })
    await put(renewed)
    hold.release()

    expect((await call).value).toBe(renewed.accessToken)
    expect(tokenCalls()).toBe(1)
  })

  it('is no verdict while another run holds an open attempt: this one waits for it', async () => {
    const { clock, eventsOf, put, record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, DEAD, { times: Infinity })
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()
    const row = (await record()) as ExpiringRecord
    await put({ ...row, attempts: [...row.attempts, anAttempt({ at: clock.now() })] })
    const began = clock.monotonic()
    hold.release()

    await expect(call).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(clock.monotonic() - began).toBeGreaterThan(14_000)
    expect(eventsOf('reauthorization.required')).toHaveLength(1)
  })

  it('finds the tombstone of an app that was removed meanwhile', async () => {
    const { eventsOf, put, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, DEAD)
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()
    await put(aRecord.removed())
    hold.release()

    await expect(call).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'removed' })
    expect(eventsOf('reauthorization.required')).toEqual([])
  })

  it('is announced once although the mark had to be written twice', async () => {
    const { eventsOf, put, record, seed, shopify, store, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, DEAD, { times: Infinity })
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(async () => {
        const row = (await record()) as ExpiringRecord
        await put({ ...row, coolDown: null })
      }),
    )

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(eventsOf('reauthorization.required')).toHaveLength(1)
  })

  it.each([
    ['400 that merely contains the sentence', { kind: 'decoy', status: 400 }],
    ['403 that merely contains the sentence', { kind: 'decoy', status: 403 }],
    ['502 that merely contains the sentence', { kind: 'decoy', status: 502 }],
    ['an unknown error', { kind: 'oauth-error', status: 400, error: 'something_new' }],
    ['an empty error', { kind: 'oauth-error', status: 401, error: '' }],
    ['402', { kind: 'status', status: 402 }],
    ['423', { kind: 'status', status: 423 }],
    ['a redirect', { kind: 'redirect' }],
  ] as const)('is not what this means: %s', async (_title, answer) => {
    const { record, seed, shopify, tokens } = await managedApp()
    const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, answer, { times: Infinity })

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect(await record()).toMatchObject({ refreshToken, mark: null, coolDown: { scope: 'all' } })
    expect(shopify.strayRequests).toBe(0)
  })

  it('is not what a wrong client secret means', async () => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'invalid-client' })

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_APP_MISCONFIGURED', retryable: false })
    expect(await record()).toMatchObject({ mark: null, attempts: [] })
    expect(eventsOf('renewal.failed')).toEqual([expect.objectContaining({ code: 'ERR_APP_MISCONFIGURED' })])
  })

  it('reports an answer that nobody understands with status, error and request id', async () => {
    const { eventsOf, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'oauth-error', status: 409, error: 'novel' })

    await expect(tokens.token(shop)).rejects.toThrow()
    expect(eventsOf('answer.unknown')).toEqual([
      expect.objectContaining({ status: 409, error: 'novel', requestId: expect.any(String) as string }),
    ])
  })
})

describe('a merchant who is there', () => {
  it('gets a first token by the session token', async () => {
    const { eventsOf, record, shopify, tokens } = await managedApp()
    shopify.installShop(shop)

    const token = await tokens.token(shop, { idToken: shopify.sessionToken(shop) })

    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(await record()).toMatchObject({ kind: 'expiring', predecessor: null, attempts: [] })
    expect(eventsOf('token.acquired')).toEqual([expect.objectContaining({ grant: 'id-token', requests: 1 })])
  })

  it('is not asked while the pair may live: refresh comes first', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })

    await tokens.token(shop, { idToken: shopify.sessionToken(shop) })
    const { tokenCallsByGrant } = shopify.counters(shop)
    expect(tokenCallsByGrant.refresh).toMatchObject({ granted: 1 })
    expect(tokenCallsByGrant['id-token']).toMatchObject({ granted: 0 })
  })

  it('revives a dead shop in the same call, without a mark', async () => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
    shopify.revokeToken(shop, refreshToken)

    const token = await tokens.token(shop, { idToken: shopify.sessionToken(shop) })

    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(await record()).toMatchObject({ mark: null, attempts: [] })
    expect(eventsOf('reauthorization.required')).toEqual([])
  })

  it('goes on alone when the shared run had no session token and ended in reauthorization', async () => {
    const { seed, shopify, tokens } = await managedApp()
    const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
    shopify.revokeToken(shop, refreshToken)
    const hold = shopify.hold('token', { grant: 'refresh' })

    const without = tokens.token(shop)
    await hold.arrived()
    const present = tokens.token(shop, { idToken: shopify.sessionToken(shop) })
    hold.release()

    await expect(without).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(shopify.accessTokenState(shop, (await present).value)).toBe('live')
  })

  it('is asked for a new session token when this one has less than ten seconds left', async () => {
    const { clock, shopify, store, tokenCalls, tokens } = await managedApp()
    shopify.installShop(shop)
    const idToken = shopify.sessionToken(shop)
    await clock.advance(51_000)

    await expect(tokens.token(shop, { idToken })).rejects.toMatchObject({ code: 'ERR_INVALID_SESSION_TOKEN' })
    expect(tokenCalls()).toBe(0)
    expect(store.count('put')).toBe(0)
  })

  it("is not believed with another shop's session token", async () => {
    const { shopify, tokenCalls, tokens } = await managedApp()
    shopify.installShop(shop)
    const idToken = shopify.sessionToken('other.myshopify.com')

    await expect(tokens.token(shop, { idToken })).rejects.toMatchObject({
      code: 'ERR_INVALID_SESSION_TOKEN',
      flaw: 'shop',
    })
    expect(tokenCalls()).toBe(0)
  })

  it('is asked for a new session token when Shopify refuses this one', async () => {
    const { record, shopify, tokens } = await managedApp()
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'invalid-subject-token' })

    await expect(tokens.token(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({
      code: 'ERR_INVALID_SESSION_TOKEN',
    })
    expect(await record()).toMatchObject({ kind: 'empty', attempts: [] })
  })

  it('is not asked for again by every request of the merchant', async () => {
    const { shopify, tokenCalls, tokens } = await managedApp({ requireExpiring: true })
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'not-expiring' }, { times: Infinity })

    for (let n = 0; n < 5; n++) {
      await expect(tokens.token(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({
        code: n === 0 ? 'ERR_TOKEN_RESPONSE_INVALID' : 'ERR_COOLING_DOWN',
      })
    }
    expect(tokenCalls()).toBe(1)
  })

  it('learns that the shop has not installed the app', async () => {
    const { shopify, tokens } = await managedApp()
    shopify.faults.next(shop, { kind: 'app-not-installed' })

    await expect(tokens.token(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      reason: 'app-not-installed',
    })
  })

  it('writes over a tombstone by coming back', async () => {
    const { clock, put, record, shopify, tokens } = await managedApp()
    await put(aRecord.removed({ removedAt: clock.now() - HOUR_MS }))
    shopify.installShop(shop)

    await tokens.token(shop, { idToken: shopify.sessionToken(shop) })
    expect(await record()).toMatchObject({ kind: 'expiring' })
  })

  it('replaces a living pair only when the app asks for that by acquire', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    const before = await seed()

    const token = await tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })

    expect(token.value).not.toBe(before.accessToken)
    expect(shopify.hasLiveCredential(shop, [before.refreshToken])).toBe(false)
    expect(await record()).toMatchObject({ accessToken: token.value, predecessor: null })
    expect((await tokens.token(shop)).value).toBe(token.value)
  })

  it('has a pair that took two requests renewed soon, while a late first request can still show itself', async () => {
    const { clock, record, shopify, tokens } = await managedApp()
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'error-520', when: 'after' })

    await tokens.token(shop, { idToken: shopify.sessionToken(shop) })

    const { obtainedAt, renewAt } = (await record()) as ExpiringRecord
    expect(renewAt - obtainedAt).toBe(75_000)
    expect(obtainedAt).toBeLessThanOrEqual(clock.now())
  })

  it('meets the cool-down of an outage like everybody else', async () => {
    const { shopify, tokenCalls, tokens } = await managedApp()
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 60 }, { times: Infinity })
    const idToken = shopify.sessionToken(shop)

    await expect(tokens.token(shop, { idToken })).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    await expect(tokens.token(shop, { idToken })).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN' })
    expect(tokenCalls()).toBe(1)
  })
})

describe('a marked shop that Shopify does not answer for', () => {
  it('is left alone while it cools down, though its daily try is due', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    const dayBeforeYesterday = clock.now() - 48 * HOUR_MS
    await seed({ ageMs: 72 * HOUR_MS, mark: aMark({ at: dayBeforeYesterday, triedAt: dayBeforeYesterday }) })
    shopify.faults.next(shop, { kind: 'status', status: 404 }, { times: Infinity })

    for (let n = 0; n < 5; n++) await expect(tokens.token(shop)).rejects.toThrow()

    expect(tokenCalls()).toBe(1)
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
  })

  it.each(['expiring', 'non-expiring'] as const)(
    'is not asked for a new %s token by every request of its merchant',
    async (kind) => {
      const { clock, put, shopify, tokenCalls, tokens } = await managedApp()
      shopify.installShop(shop)
      const marked = { mark: aMark({ at: clock.now(), triedAt: clock.now() }), secretId: fingerprint(CLIENT_SECRET) }
      await put(
        kind === 'expiring'
          ? aRecord.expiring({ ...marked, expiresAt: clock.now(), renewAt: clock.now() })
          : aRecord.nonExpiring(marked),
      )
      shopify.faults.next(shop, { kind: 'status', status: 404 }, { times: Infinity })
      const idToken = shopify.sessionToken(shop)
      const rejected = kind === 'expiring' ? undefined : 'shpat_refused'

      for (let n = 0; n < 5; n++) await tokens.token(shop, { idToken, rejected }).catch(() => undefined)

      expect(tokenCalls()).toBe(1)
    },
  )
})

describe('an answer without an end', () => {
  it('is stored and served, and reported', async () => {
    const { eventsOf, record, shopify, tokens } = await managedApp()
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'not-expiring' })

    const token = await tokens.token(shop, { idToken: shopify.sessionToken(shop) })
    expect(token.expiresAt).toBe(Infinity)
    expect(await record()).toMatchObject({ kind: 'non-expiring', accessToken: token.value })
    expect(eventsOf('token.notExpiring')).toHaveLength(1)
  })

  it('is refused only by an app that requires expiring tokens', async () => {
    const { record, shopify, tokens } = await managedApp({ requireExpiring: true })
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'not-expiring' })

    await expect(tokens.token(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({
      code: 'ERR_TOKEN_RESPONSE_INVALID',
    })
    expect(await record()).toMatchObject({ kind: 'empty', attempts: [] })
  })
})
