import {
  MemoryTokenStore,
  type ReauthorizationNotice,
  type Shop,
  type TokenManager,
  type TokenRecord,
} from '@shopify-tokens/core'
import { aMark, aRecord, FakeClock, fault } from '@shopify-tokens/testing'
import { EventBus } from '../../packages/core/src/events.js'
import { Notices } from '../../packages/core/src/renewal/notices.js'
import { ShopifyTime } from '../../packages/core/src/renewal/shopify-time.js'
import { StoreCalls } from '../../packages/core/src/renewal/store-calls.js'
import { CLIENT_ID, closeAll, HOUR_MS, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)

const MINUTE_MS = 60_000
const URL = `https://acme.myshopify.com/admin/apps/${CLIENT_ID}`

interface Called {
  readonly notice: ReauthorizationNotice
  succeed(): void
}

/** A process whose `notify` the test answers. Meanwhile time stands still, unless the test moves it. */
function answering({ anotherProcess, clock }: ManagedApp): { calls: Called[]; tokens: TokenManager } {
  const calls: Called[] = []
  const notify = (notice: ReauthorizationNotice): Promise<void> =>
    new Promise((resolve) => {
      calls.push({ notice, succeed: resolve })
    })
  return { calls, tokens: anotherProcess({ notify: clock.watch(notify) }) }
}

/** Until all that was set off has come to where it waits. */
async function quiet({ clock }: ManagedApp): Promise<void> {
  await clock.advance(0)
}

/** An app with a shop whose refresh token Shopify has ended; the merchant is not there. */
async function deadShop(notify?: (notice: ReauthorizationNotice) => unknown): Promise<ManagedApp> {
  const app = await managedApp({ notify })
  const { refreshToken } = await app.seed({ ageMs: 2 * HOUR_MS })
  app.shopify.revokeToken(shop, refreshToken)
  return app
}

async function refused(tokens: TokenManager, at: Shop = shop): Promise<void> {
  await expect(tokens.token(at)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
}

function markOf(record: TokenRecord | null): TokenRecord['mark'] {
  return record?.mark ?? null
}

describe('a shop that comes to need its merchant', () => {
  it('is told of once, with the reason, the instant and where to send the merchant', async () => {
    const notify = jest.fn()
    const app = await deadShop(notify)

    for (let n = 0; n < 3; n++) await refused(app.tokens)
    await quiet(app)

    const mark = markOf(await app.record())
    expect(notify.mock.calls).toEqual([[{ shop, reason: 'refresh-token-rejected', at: mark?.at, url: URL }]])
    expect(mark?.notifiedAt).toBe(app.clock.now())
  })

  it('fails its requests without waiting for the hook', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)

    await refused(tokens)

    expect(calls).toHaveLength(1)
    expect(markOf(await app.record())).toMatchObject({ notifiedAt: null })
    calls[0]?.succeed()
    await quiet(app)
    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
  })

  it.each([
    ['app-not-installed', { kind: 'app-not-installed' }],
    ['refresh-token-rejected', { kind: 'terminal' }],
  ] as const)('is told of with the reason %s', async (reason, answer) => {
    const notify = jest.fn()
    const app = await managedApp({ notify })
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, answer)

    await refused(app.tokens)

    expect(notify).toHaveBeenCalledWith(expect.objectContaining({ reason }))
  })

  it('is told of when Shopify refuses a token that nothing renews', async () => {
    const notify = jest.fn()
    const app = await managedApp({ notify })
    const record = aRecord.static()
    await app.put(record)

    await expect(app.tokens.token(shop, { rejected: record.accessToken })).rejects.toThrow()

    expect(notify).toHaveBeenCalledWith(expect.objectContaining({ reason: 'access-token-rejected', url: URL }))
  })

  it('is not told of when it only never was installed', async () => {
    const notify = jest.fn()
    const { tokens } = await managedApp({ notify })

    await refused(tokens)

    expect(notify).not.toHaveBeenCalled()
  })

  it('is told of although the answer to the write of its mark was lost', async () => {
    const notify = jest.fn()
    const app = await deadShop(notify)
    app.store.next('put', fault.pass(), fault.failAfter())

    await refused(app.tokens)

    expect(app.eventsOf('reauthorization.required')).toHaveLength(1)
    expect(notify).toHaveBeenCalledTimes(1)
  })

  it('is not told of when the write of its mark failed', async () => {
    const notify = jest.fn()
    const app = await deadShop(notify)
    app.store.next('put', fault.pass(), fault.failBefore())

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })

    expect(app.eventsOf('reauthorization.required')).toEqual([])
    expect(notify).not.toHaveBeenCalled()
  })

  it('is told of behind the request, in the host’s own way', async () => {
    const behind: Promise<void>[] = []
    const app = await deadShop()
    const tokens = app.anotherProcess({ notify: () => undefined, background: (work) => behind.push(work) })

    await refused(tokens)

    expect(behind).toHaveLength(1)
    await behind[0]
    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
  })
})

describe('a notice that fails', () => {
  it.each([
    ['rejects', () => Promise.reject(new Error('secret'))],
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
  ])('is given again when the shop is met a minute later: %s', async (_how, fails) => {
    const notify = jest.fn<unknown, [ReauthorizationNotice]>(fails)
    const app = await deadShop(notify)
    await refused(app.tokens)
    await quiet(app)
    expect(markOf(await app.record())).toMatchObject({ notifiedAt: null })

    await app.clock.advance(MINUTE_MS)
    notify.mockImplementation(() => undefined)
    await refused(app.tokens)
    await quiet(app)

    expect(notify).toHaveBeenCalledTimes(2)
    expect(notify.mock.calls[1]).toEqual(notify.mock.calls[0])
    expect(markOf(await app.record())?.notifiedAt).toBe(app.clock.now())
    expect(app.eventsOf('reauthorization.notifyFailed')).toHaveLength(1)
  })

  it('is told by an event that holds nothing of what the hook said', async () => {
    const app = await deadShop(() => Promise.reject(new Error('shpat_secret')))

    await refused(app.tokens)
    await quiet(app)

    const [event] = app.eventsOf('reauthorization.notifyFailed')
    expect(event).toEqual({ type: 'reauthorization.notifyFailed', shop, at: app.clock.now() })
  })

  it('is given at most once a minute by one process, however often the shop is met', async () => {
    const notify = jest.fn(() => Promise.reject(new Error('away')))
    const app = await deadShop(notify)

    for (let second = 0; second < 180; second += 10) {
      await refused(app.tokens)
      await app.clock.advance(10_000)
    }

    expect(notify).toHaveBeenCalledTimes(3)
    expect(app.eventsOf('reauthorization.notifyFailed')).toHaveLength(3)
  })

  it('has failed when the hook takes longer than ten seconds', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)

    await app.clock.advance(10_000)

    expect(app.eventsOf('reauthorization.notifyFailed')).toHaveLength(1)
    calls[0]?.succeed()
    await quiet(app)
    expect(markOf(await app.record())).toMatchObject({ notifiedAt: null })
  })

  it('is given by another process when the first has died in between', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)
    const another = jest.fn()
    const second = app.anotherProcess({ notify: another })

    await refused(second)
    expect(another).not.toHaveBeenCalled()
    await app.clock.advance(MINUTE_MS)
    await refused(second)
    await quiet(app)

    expect(another.mock.calls).toEqual([[calls[0]?.notice]])
    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
  })

  it('is given again when only the note in the row could not be written', async () => {
    const notify = jest.fn()
    const app = await deadShop(notify)
    app.store.next('put', fault.pass(), fault.pass(), fault.failBefore())
    await refused(app.tokens)
    await quiet(app)
    expect(markOf(await app.record())).toMatchObject({ notifiedAt: null })

    await app.clock.advance(MINUTE_MS)
    await refused(app.tokens)
    await quiet(app)

    expect(notify).toHaveBeenCalledTimes(2)
    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
    expect(app.eventsOf('reauthorization.notifyFailed')).toEqual([])
  })
})

describe('a shop that is known to need its merchant', () => {
  it('is not told of again by the daily try that fails again', async () => {
    const notify = jest.fn()
    const app = await deadShop(notify)
    await refused(app.tokens)
    await quiet(app)
    const { at, notifiedAt } = markOf(await app.record()) ?? {}
    const before = app.tokenCalls()

    await app.clock.advance(25 * HOUR_MS)
    await refused(app.tokens)
    await quiet(app)

    expect(app.tokenCalls()).toBe(before + 1)
    expect(markOf(await app.record())).toMatchObject({ at, notifiedAt, triedAt: app.clock.now() })
    expect(notify).toHaveBeenCalledTimes(1)
  })

  it('is told of when it was marked before there was a hook', async () => {
    const notify = jest.fn()
    const app = await managedApp({ notify })
    const at = app.clock.now() - 5 * HOUR_MS
    await app.seed({ ageMs: 6 * HOUR_MS, mark: aMark({ at }) })

    await refused(app.tokens)
    await quiet(app)

    expect(notify.mock.calls).toEqual([[expect.objectContaining({ shop, at })]])
    expect(markOf(await app.record())).toMatchObject({ at, notifiedAt: app.clock.now() })
  })

  it('is told of when its mark was written under a clock that was ahead', async () => {
    const notify = jest.fn()
    const app = await managedApp({ notify })
    await app.seed({ ageMs: 2 * HOUR_MS, mark: aMark({ at: app.clock.now() + HOUR_MS, triedAt: app.clock.now() }) })

    await refused(app.tokens)

    expect(notify).toHaveBeenCalledTimes(1)
  })

  it('costs no write where there is no hook', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 6 * HOUR_MS, mark: aMark({ at: app.clock.now() - 5 * HOUR_MS, triedAt: app.clock.now() }) })

    await refused(app.tokens)
    await quiet(app)

    expect(app.store.count('put')).toBe(0)
  })

  it('is told of anew when it had recovered and needs its merchant once more, within the same minute', async () => {
    const notify = jest.fn()
    const app = await deadShop(notify)
    await refused(app.tokens)
    await quiet(app)
    await app.tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })
    await app.clock.advance(1)
    app.shopify.uninstall(shop)

    await expect(app.tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    await quiet(app)

    expect(notify).toHaveBeenCalledTimes(2)
    const [[first], [second]] = notify.mock.calls as [[ReauthorizationNotice], [ReauthorizationNotice]]
    expect(second.at).toBeGreaterThan(first.at)
    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
  })
})

describe('a shop that works again while it is being told of', () => {
  it('keeps its new pair as it is', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)
    await tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })
    const recovered = await app.record()
    app.store.resetCounts()

    calls[0]?.succeed()
    await quiet(app)

    expect(app.store.count('put')).toBe(0)
    expect(await app.record()).toEqual(recovered)
  })

  it('keeps its new pair when that comes between the reading of the row and the note', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)
    const theirs = aRecord.expiring({ obtainedAt: app.clock.now() })
    app.store.next(
      'put',
      fault.meanwhile(() => app.put(theirs)),
    )

    calls[0]?.succeed()
    await quiet(app)

    expect(await app.record()).toEqual(theirs)
  })

  it('and then needs its merchant once more is told of that as well, and not at the same time', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)
    await tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })
    await app.clock.advance(1)
    app.shopify.uninstall(shop)
    await expect(tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(calls).toHaveLength(1)

    calls[0]?.succeed()
    await quiet(app)
    expect(markOf(await app.record())).toMatchObject({ notifiedAt: null })
    await app.clock.advance(MINUTE_MS)
    await expect(tokens.force(shop)).rejects.toThrow()
    calls[1]?.succeed()
    await quiet(app)

    expect(calls.map(({ notice }) => notice.at)).toEqual([expect.any(Number), markOf(await app.record())?.at])
    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
  })

  it('has its note written once although two processes have told of it', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)
    const row = (await app.record()) ?? aRecord.empty()
    const noted = { ...row, mark: aMark({ ...row.mark, notifiedAt: 7 }) }
    await app.put(noted)

    calls[0]?.succeed()
    await quiet(app)

    expect(await app.record()).toEqual(noted)
    expect(app.store.count('put')).toBe(0)
  })

  it('has the note written once more when the row changed and the entry is the same', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)
    const row = (await app.record()) ?? aRecord.empty()
    app.store.next(
      'put',
      fault.meanwhile(() => app.put({ ...row, sweepAt: 1 })),
    )

    calls[0]?.succeed()
    await quiet(app)

    expect(await app.record()).toMatchObject({ sweepAt: 1, mark: { notifiedAt: app.clock.now() } })
  })

  it('leaves a row alone that answers every write with a conflict', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)
    const row = (await app.record()) ?? aRecord.empty()
    app.store.always(
      'put',
      fault.meanwhile(async () => {
        const { version } = await app.store.get({ clientId: CLIENT_ID, shop })
        app.store.next('put', fault.pass())
        await app.store.put({ clientId: CLIENT_ID, shop }, row, version)
      }),
    )

    calls[0]?.succeed()
    await quiet(app)

    expect(app.store.count('put')).toBeLessThan(100)
    expect(markOf(await app.record())).toMatchObject({ notifiedAt: null })
  })
})

describe('many shops that need their merchants at once', () => {
  const since = (app: ManagedApp): { at: number; triedAt: number } => ({
    at: app.clock.now() - HOUR_MS,
    triedAt: app.clock.now(),
  })

  it('are told of a few at a time, each once', async () => {
    const app = await managedApp()
    const { calls, tokens } = answering(app)
    const shops = someShops(12)
    for (const each of shops) await app.seed({ shop: each, ageMs: 2 * HOUR_MS, mark: aMark(since(app)) })

    for (const each of [...shops, ...shops]) await refused(tokens, each)

    expect(calls).toHaveLength(5)
    for (let told = 0; told < shops.length; told++) {
      expect(calls.length).toBe(Math.min(shops.length, told + 5))
      calls[told]?.succeed()
      await quiet(app)
    }
    expect(calls.map(({ notice }) => notice.shop)).toEqual(shops)
    for (const each of shops) expect(markOf(await app.record(each))?.notifiedAt).not.toBeNull()
  })

  it('are left to whoever meets them later when more wait than there is room for', async () => {
    const clock = new FakeClock()
    const events = new EventBus(() => clock.now())
    const store = new StoreCalls(new MemoryTokenStore({ clock }), CLIENT_ID, clock, 2_000, events)
    const told: (() => void)[] = []
    const notices = new Notices({
      ...{ clientId: CLIENT_ID, store, clock, time: new ShopifyTime(clock), events, shops: 10_000 },
      notify: () => new Promise<void>((resolve) => told.push(resolve)),
      behind: () => undefined,
      abandon: new AbortController().signal,
    })
    const shops = someShops(1_010)

    for (const each of shops) notices.entered(each, aMark())
    for (const succeed of told) {
      succeed()
      await clock.advance(0)
    }
    expect(told).toHaveLength(1_005)

    const marked = aRecord.expiring({ mark: aMark({ at: clock.now() - HOUR_MS }) })
    notices.met(shops[1_009] ?? shop, marked)
    expect(told).toHaveLength(1_006)
  })
})

describe('closing while a shop is being told of', () => {
  it('waits for the hook and for the note', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)

    const closed = tokens.close()
    calls[0]?.succeed()
    await closed

    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
  })

  it('waits no longer than its deadline, and leaves the rest to the next process', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    await refused(tokens)

    const closed = tokens.close({ deadlineMs: 3_000 })
    await app.clock.advance(3_000)
    await closed

    expect(app.eventsOf('reauthorization.notifyFailed')).toEqual([])
    expect(markOf(await app.record())).toMatchObject({ notifiedAt: null })
    expect(app.clock.sleepers).toBe(0)
    expect(calls).toHaveLength(1)
  })

  it('tells of what the last runs find out', async () => {
    const app = await deadShop()
    const { calls, tokens } = answering(app)
    const hold = app.shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()

    const hasClosed = jest.fn()
    const closed = tokens.close().then(hasClosed)
    hold.release()

    await expect(call).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    await quiet(app)
    expect(hasClosed).not.toHaveBeenCalled()
    calls[0]?.succeed()
    await closed
    expect(markOf(await app.record())?.notifiedAt).not.toBeNull()
  })

  it('begins nothing afterwards', async () => {
    const notify = jest.fn()
    const app = await managedApp({ notify })
    await app.seed({ ageMs: 6 * HOUR_MS, mark: aMark({ at: app.clock.now() - 5 * HOUR_MS, triedAt: app.clock.now() }) })
    await app.tokens.close()

    await refused(app.tokens)

    expect(notify).not.toHaveBeenCalled()
  })
})

it('refuses a notify that is no function', async () => {
  await expect(managedApp({ notify: 'mail@example.com' as never })).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTION',
    options: ['notify'],
  })
})
