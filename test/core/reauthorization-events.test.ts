import { type ExpiringRecord, fingerprint, type TokenEventType } from '@shopify-tokens/core'
import { aMark, aRecord, fault } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const secretId = fingerprint(CLIENT_SECRET)

/** How often each was told. */
function told({ eventsOf }: ManagedApp, ...types: TokenEventType[]): number[] {
  return types.map((type) => eventsOf(type).length)
}

describe('a shop that comes to need its merchant is told of once', () => {
  const REFRESH = { grant: 'refresh' } as const

  it.each([
    ['a refresh that was refused', 'refresh-token-rejected', { kind: 'terminal' }],
    ['a refresh that found no app', 'app-not-installed', { kind: 'app-not-installed' }],
  ] as const)('after %s', async (_what, reason, answer) => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, answer, { ...REFRESH, times: Infinity })

    for (let n = 0; n < 2; n++) await expect(app.tokens.token(shop)).rejects.toMatchObject({ reason })

    expect(app.eventsOf('reauthorization.required')).toEqual([expect.objectContaining({ shop, reason })])
    expect(await app.record()).toMatchObject({ mark: { reason }, attempts: [] })
  })

  it('after its refresh tokens were refused and the merchant’s session token found no app', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, { kind: 'terminal' }, REFRESH)
    app.shopify.faults.next(shop, { kind: 'app-not-installed' }, { grant: 'id-token' })

    await expect(app.tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })).rejects.toMatchObject({
      reason: 'app-not-installed',
    })

    expect(app.eventsOf('reauthorization.required')).toEqual([expect.objectContaining({ reason: 'app-not-installed' })])
    expect(await app.record()).toMatchObject({ mark: { reason: 'app-not-installed' }, attempts: [] })
    expect(app.tokenCalls()).toBe(2)
    await expect(app.tokens.token(shop)).rejects.toMatchObject({ reason: 'app-not-installed' })
    expect(app.tokenCalls()).toBe(2)
  })

  it('but not when only the merchant’s session token was refused', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, { kind: 'terminal' }, REFRESH)
    app.shopify.faults.next(shop, { kind: 'invalid-subject-token' }, { grant: 'id-token' })

    await expect(app.tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })).rejects.toMatchObject({
      code: 'ERR_INVALID_SESSION_TOKEN',
      flaw: 'refused',
    })

    expect(told(app, 'reauthorization.required')).toEqual([0])
    expect(await app.record()).toMatchObject({ mark: null, attempts: [] })
  })

  it.each(['nonExpiring', 'static'] as const)('after a %s token was refused', async (kind) => {
    const app = await managedApp()
    const record = aRecord[kind]({ secretId })
    await app.put(record)

    for (let n = 0; n < 2; n++) {
      await expect(app.tokens.token(shop, { rejected: record.accessToken })).rejects.toMatchObject({
        reason: 'access-token-rejected',
      })
    }

    expect(told(app, 'reauthorization.required')).toEqual([1])
    expect(await app.record()).toMatchObject({ mark: { reason: 'access-token-rejected' } })
  })
})

describe('a shop that works again is told of once', () => {
  async function marked(given: Partial<ExpiringRecord> = {}): Promise<ManagedApp & { row: ExpiringRecord }> {
    const app = await managedApp()
    const yesterday = app.clock.now() - 25 * HOUR_MS
    const row = await app.seed({ ageMs: 26 * HOUR_MS, mark: aMark({ at: yesterday, triedAt: yesterday }), ...given })
    return { ...app, row }
  }

  it('after the daily try', async () => {
    const app = await marked()

    await app.tokens.token(shop)

    expect(told(app, 'reauthorization.cleared', 'token.rotated')).toEqual([1, 1])
    expect(await app.record()).toMatchObject({ mark: null })
  })

  it('after the merchant has opened the app', async () => {
    const app = await marked()
    app.shopify.revokeToken(shop, app.row.refreshToken)

    await app.tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })

    expect(told(app, 'reauthorization.cleared', 'token.acquired')).toEqual([1, 1])
  })

  it('after the merchant has come through authorization', async () => {
    const app = await marked()

    await app.tokens.acquire(shop, { code: app.shopify.issueCode(shop) })

    expect(told(app, 'reauthorization.cleared', 'token.acquired')).toEqual([1, 1])
  })

  it('after the merchant of a non-expiring token that was refused has opened the app', async () => {
    const app = await managedApp()
    app.shopify.installShop(shop)
    await app.put(aRecord.nonExpiring({ secretId, mark: aMark({ reason: 'access-token-rejected' }) }))

    const idToken = app.shopify.sessionToken(shop)
    await app.tokens.token(shop, { idToken, rejected: 'shpat_refused' })

    expect(told(app, 'reauthorization.cleared', 'token.acquired')).toEqual([1, 1])
  })

  it('although the answer to the write that cleared it was lost', async () => {
    const app = await marked()
    app.store.next('put', fault.pass(), fault.failAfter())

    await app.tokens.token(shop)
    await app.tokens.close()

    expect(told(app, 'reauthorization.cleared', 'token.rotated')).toEqual([1, 1])
    expect(await app.record()).toMatchObject({ mark: null })
  })

  it('by the run that clears the mark of another, which was set while it was away', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const hold = app.shopify.hold('token', { at: 'answer' })
    const call = app.tokens.token(shop)
    await hold.arrived()
    const row = (await app.record()) as ExpiringRecord
    await app.put({ ...row, mark: aMark({ at: app.clock.now() }) })
    hold.release()

    const { value } = await call

    expect(await app.record()).toMatchObject({ accessToken: value, mark: null })
    expect(told(app, 'reauthorization.cleared')).toEqual([1])
  })

  it('by the run that finds its own pair in the row, marked', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.store.next(
      'put',
      fault.pass(),
      fault.meanwhile(async () => {
        const call = app.store.calls.findLast(({ verb }) => verb === 'put')
        if (call?.verb === 'put') await app.put({ ...call.record, mark: aMark({ at: app.clock.now() }) })
      }),
    )

    await app.tokens.token(shop)

    expect(await app.record()).toMatchObject({ mark: null })
    expect(told(app, 'reauthorization.cleared')).toEqual([1])
  })

  it('and not by the run that finds it cleared already', async () => {
    const app = await marked()
    const hold = app.shopify.hold('token', { at: 'answer' })
    const call = app.tokens.token(shop)
    await hold.arrived()
    const row = (await app.record()) as ExpiringRecord
    await app.put({ ...row, mark: null })
    hold.release()

    await call

    expect(told(app, 'reauthorization.cleared')).toEqual([0])
  })

  it('and not when it was removed', async () => {
    const app = await marked()

    expect(await app.tokens.remove(shop)).toBe(true)

    expect(told(app, 'reauthorization.cleared', 'shop.removed')).toEqual([0, 1])
  })
})
