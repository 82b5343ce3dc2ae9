import { type ExpiringRecord, fingerprint } from '@shopify-tokens/core'
import { anAttempt, aRecord, aToken, fault } from '@shopify-tokens/testing'
import { CLIENT_ID, CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const THROTTLED = { kind: 'throttled', retryAfter: 3600 } as const
const KEY = { clientId: CLIENT_ID, shop }

/** Writes that the run would rather see done, but whose failure must change nothing for the caller. */
describe('the cool-down after a failed run', () => {
  async function failingRun(): Promise<ManagedApp> {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, THROTTLED, { times: Infinity })
    return app
  }

  it('is written onto the row as it is when somebody else wrote meanwhile', async () => {
    const { put, record, store, tokens } = await failingRun()
    const theirs = anAttempt({ at: 0 })
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(async () => {
        const row = (await record()) as ExpiringRecord
        await put({ ...row, attempts: [...row.attempts, theirs] })
      }),
    )

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect(await record()).toMatchObject({ attempts: [theirs], coolDown: { failures: 1 } })
  })

  it('is not written onto a pair that somebody else brought meanwhile, and that pair is served', async () => {
    const { clock, put, record, store, tokens } = await failingRun()
    const theirs = aRecord.expiring({ obtainedAt: clock.now(), secretId: fingerprint(CLIENT_SECRET) })
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(() => put(theirs)),
    )

    expect((await tokens.token(shop)).value).toBe(theirs.accessToken)
    expect(await record()).toMatchObject({ coolDown: null })
  })

  it('is dropped when the store is away, and the caller gets the reason that matters', async () => {
    const { eventsOf, record, store, tokens } = await failingRun()
    store.next('put', fault.pass(), fault.failBefore())

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect(await record()).toMatchObject({ coolDown: null, attempts: [{}] })
    expect(eventsOf('renewal.failed')).toHaveLength(1)
  })

  it('is dropped after three conflicts', async () => {
    const { put, record, store, tokens } = await failingRun()
    const touch = fault.meanwhile(async () => put((await record()) ?? aRecord.empty()))
    store.next('put', fault.pass(), touch, fault.pass(), touch, fault.pass(), touch, fault.pass())

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect((await record())?.coolDown).toBeNull()
  })

  it('grows with every failure and is capped while Shopify is out of reach', async () => {
    const { clock, eventsOf, seed, shopify, tokens } = await managedApp({ coolDownMs: 2_000, outageCoolDownMs: 60_000 })
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })

    for (let n = 0; n < 8; n++) {
      await expect(tokens.token(shop)).rejects.toThrow()
      await clock.advance(80_000)
    }
    const pauses = eventsOf('renewal.failed').map(({ coolDownMs }) => coolDownMs)
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000])
  })
})

describe('an attempt that has nothing left to say', () => {
  it('is withdrawn although its withdrawal was overtaken', async () => {
    const { put, record, shopify, store, tokens } = await managedApp()
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'invalid-subject-token' })
    const theirs = anAttempt()
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(async () => put({ ...((await record()) ?? aRecord.empty()), attempts: [theirs] })),
    )

    await expect(tokens.token(shop, { idToken: shopify.sessionToken(shop) })).rejects.toThrow()
    expect((await record())?.attempts).toEqual([theirs])
  })

  it('is left to age when the store is away', async () => {
    const { record, shopify, store, tokens } = await managedApp()
    shopify.installShop(shop)
    shopify.faults.next(shop, { kind: 'invalid-subject-token' })
    store.next('get', fault.pass(), fault.pass(), fault.failBefore(), fault.failBefore())

    await expect(tokens.token(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({
      code: 'ERR_INVALID_SESSION_TOKEN',
    })
    expect((await record())?.attempts).toHaveLength(1)
  })

  it('stays when a request of it was never answered', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
    shopify.revokeToken(shop, refreshToken)
    shopify.faults.next(shop, { kind: 'reset', when: 'before' })

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect((await record())?.attempts).toHaveLength(1)
  })
})

describe('an attempt whose write is in doubt', () => {
  it('is no attempt when the row does not show it', async () => {
    const { seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    store.next('put', fault.failBefore())

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(tokenCalls()).toBe(0)
  })

  it('begins again when another process removed the row’s tokens while candidates were tried', async () => {
    const { put, seed, shopify, store, tokens } = await managedApp()
    const row = await seed({ ageMs: 2 * HOUR_MS })
    await put({ ...row, refreshToken: aToken('shprt'), alternates: [aToken('shprt')] })
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(() => put(aRecord.removed())),
    )
    shopify.faults.next(shop, { kind: 'terminal' })

    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })
})

describe('a run that cannot be served by the store', () => {
  it('fails loudly when the row cannot be opened, and touches nothing', async () => {
    const { eventsOf, store, tokenCalls, tokens } = await managedApp({
      sealing: { current: () => ({ id: 'k', bytes: new Uint8Array(32) }), byId: () => undefined },
    })
    await store.put(KEY, aRecord.expiring(), 'absent')
    store.resetCounts()

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE', retryable: false })
    expect(store.count('put')).toBe(0)
    expect(tokenCalls()).toBe(0)
    expect(eventsOf('store.unreadable')).toEqual([expect.objectContaining({ shop })])
  })
})
