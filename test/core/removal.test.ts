import { type ExpiringRecord, fingerprint, type ServableRecord, type Shop } from '@shopify-tokens/core'
import { aMark, aRecord, fault } from '@shopify-tokens/testing'
import { judgeUninstall } from '../../packages/core/src/renewal/uninstall-rule.js'
import { CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)

const MINUTE_MS = 60_000
const LATER = 120_001
const secretId = fingerprint(CLIENT_SECRET)

describe('the rule', () => {
  const T = 1_000_000_000
  const RECORDS: readonly ServableRecord[] = [
    aRecord.expiring(),
    aRecord.clientCredentials(),
    aRecord.nonExpiring(),
    aRecord.static(),
  ]
  const whenUnsure = {
    expiring: 'ask',
    'client-credentials': 'remove',
    'non-expiring': 'keep',
    static: 'keep',
  } as const

  it.each(RECORDS)('judges $kind tokens by the two instants where these differ by more than two minutes', (record) => {
    expect(judgeUninstall({ ...record, confirmedAt: T }, T + LATER)).toBe('remove')
    expect(judgeUninstall({ ...record, confirmedAt: T }, T - LATER)).toBe('keep')
  })

  it.each(RECORDS)('does not believe instants that are closer or unknown: $kind', (record) => {
    for (const at of [T - 120_000, T, T + 120_000, undefined]) {
      expect(judgeUninstall({ ...record, confirmedAt: T }, at)).toBe(whenUnsure[record.kind])
    }
    for (const at of [0, T, 2 * T]) {
      expect(judgeUninstall({ ...record, confirmedAt: null }, at)).toBe(whenUnsure[record.kind])
    }
  })
})

describe('the news of an uninstall', () => {
  it.each([
    ['there is no row', null],
    ['an acquisition has only begun', aRecord.empty()],
    ['the app was removed already', aRecord.removed()],
  ])('finds nothing to remove where %s', async (_what, row) => {
    const app = await managedApp()
    if (row !== null) await app.put(row)

    for (const at of [undefined, app.clock.now()]) {
      expect(await app.tokens.removeIfUninstalled(shop, { at })).toBe('absent')
    }

    expect(await app.record()).toEqual(row)
    expect([app.store.count('put'), app.tokenCalls()]).toEqual([0, 0])
    expect(app.eventsOf('shop.removed')).toEqual([])
  })

  it('leaves a tombstone where it is later than the last grant, without asking Shopify', async () => {
    const { clock, eventsOf, record, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 10 * MINUTE_MS })
    await tokens.token(shop)
    shopify.uninstall(shop)
    const at = clock.now() - MINUTE_MS

    expect(await tokens.removeIfUninstalled(shop, { at })).toBe('removed')
    expect(await tokens.removeIfUninstalled(shop, { at })).toBe('absent')

    expect(await record()).toEqual(aRecord.removed({ removedAt: at }))
    expect(eventsOf('shop.removed')).toEqual([expect.objectContaining({ shop, removedAt: at })])
    expect(tokenCalls()).toBe(0)
    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })

  it('removes nothing where it is from before the last grant, and asks nobody', async () => {
    const { clock, record, seed, store, tokenCalls, tokens } = await managedApp()
    const row = await seed({ ageMs: 10 * MINUTE_MS })

    expect(await tokens.removeIfUninstalled(shop, { at: clock.now() - HOUR_MS })).toBe('kept')

    expect(await record()).toEqual(row)
    expect([store.count('put'), tokenCalls()]).toEqual([0, 0])
    expect((await tokens.token(shop)).value).toBe(row.accessToken)
  })

  it.each(['nonExpiring', 'static'] as const)(
    'ends tokens that nothing renews only where it is later for certain: %s',
    async (kind) => {
      const { clock, put, record, tokenCalls, tokens } = await managedApp()
      const row = aRecord[kind]({ secretId })
      await put(row)

      expect(await tokens.removeIfUninstalled(shop)).toBe('kept')
      expect(await tokens.removeIfUninstalled(shop, { at: clock.now() })).toBe('kept')
      expect(await record()).toEqual(row)
      await clock.advance(3 * MINUTE_MS)
      expect(await tokens.removeIfUninstalled(shop, { at: clock.now() })).toBe('removed')
      expect(tokenCalls()).toBe(0)
    },
  )

  it('is taken from two processes at once, and removes once', async () => {
    const { anotherProcess, clock, eventsOf, seed, tokens } = await managedApp()
    await seed({ ageMs: HOUR_MS })

    const news = { at: clock.now() }
    const outcomes = await Promise.all([tokens, anotherProcess()].map((each) => each.removeIfUninstalled(shop, news)))

    expect(outcomes.sort()).toEqual(['absent', 'removed'])
    expect(eventsOf('shop.removed')).toHaveLength(1)
  })

  it.each([NaN, -1, 1.5, Infinity])('is refused with the instant %s', async (at) => {
    const { seed, store, tokens } = await managedApp()
    await seed()

    await expect(tokens.removeIfUninstalled(shop, { at })).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION' })
    expect(store.count()).toBe(0)
  })

  it('is refused of what is no shop', async () => {
    const { tokens } = await managedApp()
    const evil = 'evil.example' as Shop

    await expect(tokens.removeIfUninstalled(evil)).rejects.toMatchObject({ code: 'ERR_INVALID_SHOP' })
  })
})

describe('the news of an uninstall that the instants do not settle', () => {
  const UNSETTLED: [what: string, at: (now: number) => number | undefined][] = [
    ['without an instant', () => undefined],
    ['two minutes after the last grant', (now) => now + 2 * MINUTE_MS],
    ['two minutes before it', (now) => now - 2 * MINUTE_MS],
  ]

  it.each(UNSETTLED)('keeps what Shopify renews: %s', async (_what, at) => {
    const { clock, eventsOf, record, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()

    expect(await tokens.removeIfUninstalled(shop, { at: at(clock.now()) })).toBe('kept')

    const row = (await record()) as ExpiringRecord
    expect(shopify.accessTokenState(shop, row.accessToken)).toBe('live')
    expect((await tokens.token(shop)).value).toBe(row.accessToken)
    expect(tokenCalls()).toBe(1)
    expect(eventsOf('shop.removed')).toEqual([])
  })

  it.each(UNSETTLED)('removes what Shopify refuses: %s', async (_what, at) => {
    const { clock, eventsOf, record, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    shopify.uninstall(shop)
    const told = at(clock.now())

    expect(await tokens.removeIfUninstalled(shop, { at: told })).toBe('removed')

    expect(await record()).toEqual(aRecord.removed({ removedAt: told ?? clock.now() }))
    expect(tokenCalls()).toBe(1)
    expect(eventsOf('shop.removed')).toHaveLength(1)
    expect(eventsOf('renewal.failed')).toEqual([])
  })

  it('asks once more of a shop that is marked already', async () => {
    const { clock, record, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS, mark: aMark({ at: clock.now() }) })
    shopify.uninstall(shop)

    expect(await tokens.removeIfUninstalled(shop)).toBe('removed')
    expect(await record()).toMatchObject({ kind: 'removed', mark: null })
    expect(tokenCalls()).toBe(1)
  })

  it.each([
    ['an outage', { kind: 'throttled', retryAfter: 600 }],
    ['a frozen shop', { kind: 'status', status: 402 }],
    ['a wrong client secret', { kind: 'invalid-client' }],
    ['a page that quotes the refusal', { kind: 'decoy', status: 502 }],
  ] as const)('keeps everything where Shopify gives no verdict: %s', async (_what, answer) => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    const { refreshToken } = await seed()
    shopify.faults.next(shop, answer, { times: Infinity })

    expect(await tokens.removeIfUninstalled(shop)).toBe('kept')

    expect(await record()).toMatchObject({ kind: 'expiring', refreshToken, mark: null })
    expect(eventsOf('shop.removed')).toEqual([])
  })

  it('keeps a shop that is marked already where Shopify gives no verdict', async () => {
    const { clock, record, seed, shopify, tokens } = await managedApp()
    const row = await seed({ ageMs: 2 * HOUR_MS, mark: aMark({ at: clock.now() }) })
    shopify.faults.next(shop, { kind: 'status', status: 503 }, { times: Infinity })

    expect(await tokens.removeIfUninstalled(shop)).toBe('kept')
    expect(await record()).toMatchObject({ kind: 'expiring', mark: row.mark })
  })

  it('keeps everything while so many shops are refused at once that the mistake is likelier ours', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    const shops = someShops(6)
    for (const each of shops) {
      await seed({ shop: each })
      shopify.uninstall(each)
    }

    const outcomes: string[] = []
    for (const each of shops) outcomes.push(await tokens.removeIfUninstalled(each))

    expect(outcomes).toEqual([...Array<string>(5).fill('removed'), 'kept'])
    expect(await record(shops[5])).toMatchObject({ kind: 'expiring', mark: null })
  })

  it('is to be told again where the store does not answer', async () => {
    const { record, seed, shopify, store, tokens } = await managedApp()
    await seed()
    shopify.uninstall(shop)
    store.always('put', fault.failBefore())

    await expect(tokens.removeIfUninstalled(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    store.heal()

    expect(await record()).toMatchObject({ kind: 'expiring' })
    expect(await tokens.removeIfUninstalled(shop)).toBe('removed')
  })

  it('is to be told again where the process is closing', async () => {
    const { anotherProcess, seed, tokenCalls, tokens } = await managedApp()
    await seed()
    await tokens.close()

    await expect(tokens.removeIfUninstalled(shop)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(tokenCalls()).toBe(0)
    expect(await anotherProcess().removeIfUninstalled(shop)).toBe('kept')
  })

  it('leaves a tombstone although support is still being told of the mark', async () => {
    const told: (() => void)[] = []
    const notify = (): Promise<void> => new Promise((resolve) => told.push(resolve))
    const { clock, record, seed, shopify, tokens } = await managedApp({
      notify: () => clock.watch(notify)(),
    })
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.uninstall(shop)
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })

    expect(await tokens.removeIfUninstalled(shop)).toBe('removed')
    expect(told).toHaveLength(1)
    told[0]?.()
    await clock.advance(0)

    expect(await record()).toMatchObject({ kind: 'removed', mark: null })
  })

  it('calls for no merchant when Shopify’s refusal proves it', async () => {
    const notify = jest.fn()
    const { events, seed, shopify, tokenCalls, tokens } = await managedApp({ notify })
    await seed()
    shopify.uninstall(shop)

    expect(await tokens.removeIfUninstalled(shop)).toBe('removed')

    expect(tokenCalls()).toBe(1)
    expect(events.map(({ type }) => type)).toEqual(['shop.removed'])
    expect(notify).not.toHaveBeenCalled()
  })

  it('calls for the merchant after all when the tombstone cannot be written', async () => {
    const notify = jest.fn()
    const { clock, eventsOf, record, seed, shopify, store, tokens } = await managedApp({ notify })
    await seed()
    shopify.uninstall(shop)
    store.next('put', fault.pass(), fault.pass(), fault.failBefore())

    await expect(tokens.removeIfUninstalled(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(await record()).toMatchObject({ kind: 'expiring', mark: { notifiedAt: null } })
    await clock.advance(2 * HOUR_MS)
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    await clock.advance(0)

    expect(notify).toHaveBeenCalledTimes(1)
    expect(eventsOf('shop.removed')).toEqual([])
  })
})

describe('a shop that has installed the app again', () => {
  const freshInstallation = ({ clock }: ManagedApp): ExpiringRecord =>
    aRecord.expiring({ obtainedAt: clock.now(), secretId })

  it('between the judging and the tombstone keeps its new tokens', async () => {
    const app = await managedApp()
    const { clock, eventsOf, put, record, seed, store, tokens } = app
    await seed({ ageMs: HOUR_MS })
    const fresh = freshInstallation(app)
    store.next(
      'put',
      fault.meanwhile(() => put(fresh)),
    )

    expect(await tokens.removeIfUninstalled(shop, { at: clock.now() - 5 * MINUTE_MS })).toBe('kept')

    expect(await record()).toEqual(fresh)
    expect(eventsOf('shop.removed')).toEqual([])
  })

  it('between Shopify’s refusal and the tombstone keeps its new tokens', async () => {
    const app = await managedApp()
    const { eventsOf, put, record, seed, shopify, store, tokens } = app
    await seed()
    shopify.uninstall(shop)
    const fresh = freshInstallation(app)
    store.next(
      'put',
      fault.pass(),
      fault.pass(),
      fault.meanwhile(() => put(fresh)),
    )

    expect(await tokens.removeIfUninstalled(shop)).toBe('kept')

    expect(await record()).toEqual(fresh)
    expect(eventsOf('shop.removed')).toEqual([])
  })

  it('and removed it again, between Shopify’s refusal and the tombstone, has nothing to remove', async () => {
    const { put, seed, shopify, store, tokens } = await managedApp()
    await seed()
    shopify.uninstall(shop)
    store.next(
      'put',
      fault.pass(),
      fault.pass(),
      fault.meanwhile(() => put(aRecord.removed())),
    )

    expect(await tokens.removeIfUninstalled(shop)).toBe('absent')
  })

  it('while the news is on its way gets its pair over the tombstone', async () => {
    const { clock, record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: HOUR_MS })
    const uninstalledAt = clock.now() - 10_000
    shopify.uninstall(shop)
    shopify.reinstall(shop)
    const hold = shopify.hold('token', { grant: 'id-token', at: 'answer' })
    const acquiring = tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })
    await hold.arrived()

    expect(await tokens.removeIfUninstalled(shop, { at: uninstalledAt })).toBe('removed')
    hold.release()

    expect(await record()).toMatchObject({ kind: 'removed' })
    const { value } = await acquiring
    expect(await record()).toMatchObject({ kind: 'expiring', accessToken: value })
    expect(shopify.accessTokenState(shop, value)).toBe('live')
  })

  describe.each([5, -5])('and whose process has a clock %d minutes off Shopify’s', (minutes) => {
    const offsetMs = minutes * MINUTE_MS

    /** Installed again by the merchant's visit, ten minutes after the uninstall. */
    async function reinstalled(): Promise<ManagedApp & { shopifysNow(): number }> {
      const app = await managedApp()
      await app.seed({ ageMs: 3 * HOUR_MS, confirmedAt: app.clock.now() + offsetMs - 3 * HOUR_MS })
      app.shopify.configure({ dateOffsetMs: offsetMs })
      app.shopify.uninstall(shop)
      app.shopify.reinstall(shop)
      await app.tokens.acquire(shop, { idToken: app.shopify.sessionToken(shop) })
      app.store.resetCounts()
      return { ...app, shopifysNow: () => app.clock.now() + offsetMs }
    }

    it('is not removed by news from before that', async () => {
      const { record, shopify, shopifysNow, store, tokenCalls, tokens } = await reinstalled()
      const before = tokenCalls()

      expect(await tokens.removeIfUninstalled(shop, { at: shopifysNow() - 2.5 * MINUTE_MS })).toBe('kept')

      expect([store.count('put'), tokenCalls() - before]).toEqual([0, 0])
      const { accessToken } = (await record()) as ExpiringRecord
      expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
    })

    it('is not removed by news that does not say when', async () => {
      const { record, shopify, tokens } = await reinstalled()

      expect(await tokens.removeIfUninstalled(shop)).toBe('kept')

      const { accessToken } = (await record()) as ExpiringRecord
      expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
    })

    it('is removed by news from after that', async () => {
      const { clock, record, shopify, shopifysNow, tokens } = await reinstalled()
      await clock.advance(2.5 * MINUTE_MS)
      shopify.uninstall(shop)

      expect(await tokens.removeIfUninstalled(shop, { at: shopifysNow() })).toBe('removed')
      expect(await record()).toMatchObject({ kind: 'removed', removedAt: shopifysNow() })
    })
  })

  it.each([5, -5])(
    'is not removed by late news where Shopify’s answer told no time, with a clock %d minutes off',
    async (minutes) => {
      const { clock, record, shopify, tokens } = await managedApp()
      shopify.configure({ sendDate: false })
      shopify.installShop(shop)
      await tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })
      const late = clock.now() + minutes * MINUTE_MS - 2.5 * MINUTE_MS

      expect(await tokens.removeIfUninstalled(shop, { at: late })).toBe('kept')

      const { accessToken, confirmedAt } = (await record()) as ExpiringRecord
      expect(confirmedAt).toBeNull()
      expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
      shopify.uninstall(shop)
      expect(await tokens.removeIfUninstalled(shop, { at: late })).toBe('removed')
    },
  )
})

describe('an uninstall during a renewal', () => {
  it.each(['request', 'answer'] as const)(
    'leaves no tokens behind, whether Shopify has acted or not: held at the %s',
    async (at) => {
      const { clock, eventsOf, record, seed, shopify, tokens } = await managedApp()
      await seed({ ageMs: 2 * HOUR_MS })
      const hold = shopify.hold('token', { at })
      const call = tokens.token(shop)
      await hold.arrived()
      shopify.uninstall(shop)

      expect(await tokens.removeIfUninstalled(shop, { at: clock.now() })).toBe('removed')
      hold.release()

      await expect(call).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'removed' })
      expect(await record()).toEqual(aRecord.removed({ removedAt: clock.now(), attempts: expect.any(Array) as [] }))
      expect(eventsOf('token.rotated')).toEqual([])
      await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
    },
  )

  it('of which nobody knows when it was waits for that renewal, asks, and leaves no tokens behind', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token', { at: 'answer' })
    const call = tokens.token(shop)
    await hold.arrived()
    shopify.uninstall(shop)
    const removing = tokens.removeIfUninstalled(shop)
    hold.release()

    await call
    expect(await removing).toBe('removed')
    expect(await record()).toMatchObject({ kind: 'removed', attempts: [] })
    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })

  it('ends the token at hand although the answer to the tombstone’s write was lost', async () => {
    const { clock, seed, store, tokens } = await managedApp()
    await seed({ ageMs: 30 * MINUTE_MS })
    await tokens.token(shop)
    store.next('put', fault.failAfter())

    const news = { at: clock.now() }
    await expect(tokens.removeIfUninstalled(shop, news)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })

    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
    expect(await tokens.removeIfUninstalled(shop, news)).toBe('absent')
  })
})
