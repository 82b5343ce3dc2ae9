import { fingerprint, type Shop, StoreUnreadableError, type SweepStep } from '@shopify-tokens/core'
import { aCoolDown, aMark, anAttempt, aRecord, fault, type Hold } from '@shopify-tokens/testing'
import { calls, DAY_MS, idle, sweepAt } from './idle-shops.js'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  closeAll,
  HOUR_MS,
  type ManagedApp,
  managedApp,
  shop,
  someShops,
} from './managed-app.js'

afterEach(closeAll)

const MINUTE_MS = 60_000
const NOTHING = { visited: 0, renewed: 0, failed: 0, failures: [] }
const SECRET_ID = fingerprint(CLIENT_SECRET)

/** Time stands still while a request is held: the turns of those behind it have to come by hand. */
async function held({ clock }: ManagedApp, hold: Hold, n: number): Promise<void> {
  await hold.arrived()
  await clock.advance(100)
  await hold.arrived(n)
}

describe('a sweep', () => {
  it('renews the shops that are due, once, and leaves the others alone', async () => {
    const app = await managedApp()
    const [old, young] = someShops(2) as [Shop, Shop]
    await idle(app, [old], 20)
    await idle(app, [young], 19)

    expect(await app.tokens.sweep()).toEqual({ visited: 1, renewed: 1, failed: 0, failures: [] })

    expect(calls(app, [old, young])).toEqual([1, 0])
    expect(app.eventsOf('token.rotated')).toEqual([
      expect.objectContaining({ type: 'token.rotated', shop: old, trigger: 'keep-alive' }),
    ])
    expect(app.eventsOf('sweep.ended')).toEqual([
      expect.objectContaining({ type: 'sweep.ended', visited: 1, renewed: 1, failed: 0 }),
    ])
    expect(await sweepAt(app, old)).toBe(app.clock.now() + 20 * DAY_MS)
    expect(await app.tokens.sweep()).toEqual(NOTHING)
  })

  it('visits those first that were asked for, then those that have been due for longest', async () => {
    const app = await managedApp()
    const [older, asked, old] = someShops(3) as [Shop, Shop, Shop]
    await idle(app, [old], 22)
    await idle(app, [older], 23)
    await app.seed({ shop: asked, ageMs: 2 * HOUR_MS })
    await app.store.ask({ clientId: CLIENT_ID, shop: asked })
    const steps: SweepStep[] = []

    await app.tokens.sweep({ concurrency: 1, onProgress: (step) => steps.push(step) })

    expect(steps).toEqual([asked, older, old].map((each) => ({ outcome: 'renewed', shop: each })))
  })

  it('answers a question that needs no answer any more, and asks Shopify for nothing', async () => {
    const app = await managedApp()
    const fresh = await app.seed()
    await app.store.ask({ clientId: CLIENT_ID, shop })

    expect(await app.tokens.sweep()).toEqual({ visited: 1, renewed: 0, failed: 0, failures: [] })

    expect(await app.record()).toMatchObject({ refreshToken: fresh.refreshToken })
    expect(await app.tokens.sweep()).toEqual(NOTHING)
    expect(app.tokenCalls()).toBe(0)
  })

  it('of two processes at the same time makes one call per shop', async () => {
    const app = await managedApp()
    const shops = someShops(20)
    await idle(app, shops)

    const reports = await Promise.all([app.tokens.sweep(), app.anotherProcess().sweep()])

    expect(new Set(calls(app, shops))).toEqual(new Set([1]))
    expect(reports.reduce((sum, { renewed }) => sum + renewed, 0)).toBe(20)
    expect(reports.map(({ failed }) => failed)).toEqual([0, 0])
  })

  it('makes one call per shop when it meets another one in its own process', async () => {
    const app = await managedApp()
    const shops = someShops(10)
    await idle(app, shops)

    const reports = await Promise.all([app.tokens.sweep(), app.tokens.sweep({ concurrency: 3 })])

    expect(new Set(calls(app, shops))).toEqual(new Set([1]))
    expect(reports.reduce((sum, { renewed }) => sum + renewed, 0)).toBe(10)
  })

  it('renews a shop though a run under way, about something else, finds that its token serves', async () => {
    const app = await managedApp()
    const { accessToken } = await app.seed({ sweepAt: app.clock.now() - 1, obtainedAt: app.clock.now() - 21 * DAY_MS })
    const request = app.tokens.token(shop, { rejected: 'shpat_of_yesterday' })

    const [swept, token] = await Promise.all([app.tokens.renewIfDue(shop), request])

    expect([swept, token.value]).toEqual(['renewed', accessToken])
    expect(app.tokenCalls()).toBe(1)
  })

  it('begins as many renewals a second as it was told, evenly spaced', async () => {
    const app = await managedApp()
    await idle(app, someShops(10))

    await app.tokens.sweep({ perSecond: 4, concurrency: 100 })

    const at = app.shopify.log().map((entry) => entry.at)
    expect(at.slice(1).map((each, n) => each - (at[n] ?? 0))).toEqual(Array.from({ length: 9 }, () => 250))
  })

  it('has as many renewals under way at one time as it was told', async () => {
    const app = await managedApp()
    await idle(app, someShops(10))
    const hold = app.shopify.hold('token')
    const done = app.tokens.sweep({ perSecond: 1_000, concurrency: 3 })
    await held(app, hold, 3)
    await app.clock.advance(100)
    expect(hold.count).toBe(3)
    hold.release()

    expect(await done).toMatchObject({ visited: 10, renewed: 10 })
  })
})

describe('a doubt', () => {
  it.each([
    ['an attempt that never reported back', (at: number) => ({ attempts: [anAttempt({ at })] })],
    ['an alternate', () => ({ alternates: ['shprt_another'], predecessor: null })],
    ['an alternate beside a predecessor', () => ({ alternates: ['shprt_another'], predecessor: 'shprt_before' })],
  ])('that %s leaves is settled within a day', async (_what, doubt) => {
    const app = await managedApp()
    const at = app.clock.now()
    const pair = await app.seed(doubt(at))
    await app.clock.advance(MINUTE_MS)
    // Any write plans the visit; this one is of a run that is not about the doubt.
    await app.store.ask({ clientId: CLIENT_ID, shop })
    await app.tokens.sweep()
    expect(await sweepAt(app, shop)).toBe(at + DAY_MS)

    await app.clock.advance(DAY_MS)
    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, renewed: 1 })

    const settled = await app.record()
    expect(settled).toMatchObject({ attempts: [], alternates: [], predecessor: pair.refreshToken })
  })

  it('is not put off by visits that fail', async () => {
    const app = await managedApp()
    const at = app.clock.now() - DAY_MS
    await app.seed({ attempts: [anAttempt({ at })], sweepAt: at + DAY_MS, ageMs: 2 * DAY_MS })
    app.shopify.faults.next(shop, { kind: 'status', status: 402 })
    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, failed: 1 })

    await app.clock.advance(HOUR_MS)

    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, renewed: 1 })
  })

  it('of an acquisition that never reported back, where there is nothing to refresh, is over after one visit', async () => {
    const app = await managedApp()
    const at = app.clock.now() - DAY_MS
    const [empty, custom] = someShops(2) as [Shop, Shop]
    const attempts = [anAttempt({ grant: 'id-token', at })]
    await app.put(aRecord.empty({ attempts, sweepAt: at + DAY_MS }), empty)
    await app.put(aRecord.static({ attempts, sweepAt: at + DAY_MS }), custom)

    expect(await app.tokens.sweep()).toMatchObject({ visited: 2, renewed: 0 })

    expect(await Promise.all([empty, custom].map((each) => app.record(each)))).toMatchObject([
      { attempts: [], sweepAt: null },
      { attempts: [], sweepAt: null },
    ])
    expect(await app.tokens.sweep()).toEqual(NOTHING)
    expect(app.shopify.counters().tokenCalls).toBe(0)
  })
})

describe('a marked shop', () => {
  const marked = (triedAt: number) => aMark({ at: triedAt, triedAt })

  it('is tried once a day, and works again when Shopify takes its token', async () => {
    const app = await managedApp()
    const now = app.clock.now()
    await app.seed({ ageMs: 2 * DAY_MS, mark: marked(now - DAY_MS), sweepAt: now })
    const refused = app.shopify.faults.next(shop, { kind: 'terminal' }, { times: Infinity })

    expect(await app.tokens.sweep()).toEqual({
      ...{ visited: 1, renewed: 0, failed: 1 },
      failures: [{ shop, code: 'ERR_REAUTHORIZATION_REQUIRED', requestId: undefined }],
    })
    expect(await app.tokens.sweep()).toEqual(NOTHING)
    expect(app.tokenCalls()).toBe(1)

    refused.cancel()
    await app.clock.advance(DAY_MS)
    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, renewed: 1 })
    expect(app.eventsOf('reauthorization.cleared')).toHaveLength(1)
  })

  it('is not visited any more once its refresh token has ended, however long nobody swept', async () => {
    const app = await managedApp()
    const now = app.clock.now()
    await app.seed({ ageMs: 89 * DAY_MS, mark: marked(now - HOUR_MS), sweepAt: now + 23 * HOUR_MS })

    await app.clock.advance(30 * DAY_MS)

    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, failed: 1 })
    expect(await app.tokens.sweep()).toEqual(NOTHING)
    expect(await sweepAt(app, shop)).toBeNull()
    expect(app.tokenCalls()).toBe(0)
  })

  it('that was asked for the moment before it was marked is not visited again and again', async () => {
    const app = await managedApp()
    const now = app.clock.now()
    await app.seed({ ageMs: 2 * HOUR_MS, mark: marked(now), sweepAt: now + DAY_MS })
    await app.store.ask({ clientId: CLIENT_ID, shop })

    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, failed: 1 })
    expect(await app.tokens.sweep()).toEqual(NOTHING)
    expect(app.tokenCalls()).toBe(0)
  })
})

describe('a failure', () => {
  it('of one shop is named, and no other shop’s', async () => {
    const app = await managedApp()
    const [frozen, ...others] = someShops(5) as [Shop, ...Shop[]]
    await idle(app, [frozen, ...others])
    app.shopify.faults.next(frozen, { kind: 'status', status: 402 }, { times: Infinity })
    const steps: SweepStep[] = []

    const report = await app.tokens.sweep({ onProgress: (step) => steps.push(step) })

    const failure = { shop: frozen, code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE', requestId: expect.any(String) as string }
    expect(report).toEqual({ visited: 5, renewed: 4, failed: 1, failures: [failure] })
    expect(steps).toHaveLength(5)
    expect(steps).toContainEqual({ outcome: 'failed', ...failure })
    expect(calls(app, others)).toEqual([1, 1, 1, 1])
  })

  it('leaves the shop alone for its cool-down, and not for longer', async () => {
    const app = await managedApp()
    await idle(app, [shop])
    app.shopify.faults.next(shop, { kind: 'status', status: 402 })
    await app.tokens.sweep()
    const { coolDown, sweepAt: next } = (await app.record()) ?? {}

    expect(next).toBe(coolDown?.until)
    expect(await app.tokens.sweep()).toEqual(NOTHING)
    await app.clock.advance(60_000)
    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, renewed: 1 })
  })

  it('that lasts costs one call a day, and more only when the end is near', async () => {
    const app = await managedApp()
    const [frozen, late] = someShops(2) as [Shop, Shop]
    await idle(app, [frozen], 30)
    await idle(app, [late], 76)
    app.shopify.faults.choose(() => ({ kind: 'status', status: 402 }))
    const hours = async (count: number): Promise<readonly number[]> => {
      app.shopify.resetCounters()
      for (let n = 0; n < count; n++) {
        await app.tokens.sweep()
        await app.clock.advance(HOUR_MS)
      }
      return calls(app, [frozen, late])
    }
    await hours(24)

    const [ofFrozen, ofLate] = await hours(72)
    expect(ofFrozen).toBe(3)
    expect(ofLate).toBeGreaterThan(24)
  })

  it('that is the cool-down of refused tokens does not keep a shop from living on', async () => {
    const app = await managedApp()
    const until = app.clock.now() + HOUR_MS
    await idle(app, [shop], 21, { coolDown: aCoolDown({ scope: 'rejected', until }) })

    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, renewed: 1 })
  })

  it('of a row that the store cannot understand is told, and the rows behind it are visited', async () => {
    const app = await managedApp()
    const shops = someShops(3)
    await idle(app, shops)
    const unreadable = new StoreUnreadableError('A row is not understood.', { shop: 'odd.myshopify.com' })
    const scan = app.store.scan.bind(app.store)
    app.store.scan = async function* (query) {
      query.onUnreadable?.(unreadable)
      yield* scan(query)
    }

    expect(await app.tokens.sweep()).toEqual({
      ...{ visited: 4, renewed: 3, failed: 1 },
      failures: [{ shop: 'odd.myshopify.com', code: 'ERR_STORE_UNREADABLE', requestId: undefined }],
    })
  })

  it('of the store in between costs no shop its turn', async () => {
    const app = await managedApp()
    const shops = someShops(3)
    await idle(app, shops)
    app.store.next('scan', fault.failBefore(), fault.failBefore())

    expect(await app.tokens.sweep()).toMatchObject({ visited: 3, renewed: 3 })
  })

  it('of the store that lasts ends the sweep', async () => {
    const app = await managedApp()
    await idle(app, [shop])
    app.store.always('scan', fault.failBefore())

    await expect(app.tokens.sweep()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(app.eventsOf('sweep.ended')).toEqual([])
  })

  it('of Shopify for all opens the breaker, costs few calls, and is made good by a later sweep', async () => {
    const app = await managedApp()
    const shops = someShops(100)
    await idle(app, shops)
    app.shopify.faults.choose(() => ({ kind: 'throttled', retryAfter: 15 }))

    const during = await app.tokens.sweep({ perSecond: 100 })

    expect(during).toMatchObject({ visited: 100, renewed: 0, failed: 100 })
    expect(app.eventsOf('breaker.opened')).toHaveLength(1)
    expect(app.shopify.counters().tokenCalls).toBeLessThan(30)
    app.shopify.faults.clear()
    app.shopify.resetCounters()
    await app.clock.advance(HOUR_MS)
    expect(await app.tokens.sweep({ perSecond: 100 })).toMatchObject({ visited: 100, renewed: 100, failed: 0 })
    expect(app.shopify.counters().tokenCalls).toBe(100)
  })

  it('for want of the new client secret leaves the row due for a process that has it', async () => {
    const app = await managedApp()
    await idle(app, [shop], 21, { secretId: fingerprint('the-secret-of-next-year') })
    app.shopify.addClientSecret('the-secret-of-next-year')

    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, renewed: 0, failed: 1 })
    expect(app.tokenCalls()).toBe(0)
    const newer = app.anotherProcess({ clientSecret: 'the-secret-of-next-year', previousClientSecret: CLIENT_SECRET })
    expect(await newer.sweep()).toMatchObject({ visited: 1, renewed: 1 })
  })

  it('because the database is another deployment’s ends the sweep at its first shop', async () => {
    const app = await managedApp({ deploymentId: 'production' })
    await idle(app, someShops(20))
    await app.tokens.adoptDeployment()

    const copy = app.anotherProcess({ deploymentId: 'a-copy' })
    await expect(copy.sweep({ concurrency: 2 })).rejects.toMatchObject({ code: 'ERR_FOREIGN_DEPLOYMENT' })

    expect(app.shopify.counters().tokenCalls).toBe(0)
    expect(app.store.count('get')).toBeLessThanOrEqual(2)
  })

  it('of onProgress is a warning, and the sweep goes on', async () => {
    const app = await managedApp()
    await idle(app, someShops(3))
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)

    const report = await app.tokens.sweep({
      onProgress: ({ shop: each }) => {
        if (each === 'shop-0.myshopify.com') throw new RangeError('a secret of the app')
        return Promise.reject(new TypeError('another one'))
      },
    })
    await app.clock.settle()

    expect(report).toMatchObject({ visited: 3, renewed: 3 })
    expect(warn.mock.calls.map(([text]) => text).sort()).toEqual([
      'The option onProgress of sweep threw (RangeError).',
      'The option onProgress of sweep threw (TypeError).',
      'The option onProgress of sweep threw (TypeError).',
    ])
  })
})

describe('a shop that was asked for', () => {
  it('stays asked for while this process must not renew it', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS, secretId: fingerprint('the-secret-of-next-year') })
    await app.store.ask({ clientId: CLIENT_ID, shop })
    const askedAt = app.clock.now()

    await app.tokens.sweep()

    expect((await app.store.get({ clientId: CLIENT_ID, shop })).askedAt).toBe(askedAt)
  })
})

describe('an end before the last shop', () => {
  it('by a signal lets renewals under way run to their end, and begins none', async () => {
    const app = await managedApp()
    const shops = someShops(6)
    await idle(app, shops)
    const hold = app.shopify.hold('token')
    const stop = new AbortController()
    const done = app.tokens.sweep({ concurrency: 2, perSecond: 1_000, signal: stop.signal })
    const refused = expect(done).rejects.toBe('enough')
    await held(app, hold, 2)

    stop.abort('enough')
    await refused
    hold.release()
    await app.tokens.close()

    expect(app.shopify.counters().tokenCallsByGrant.refresh.granted).toBe(2)
    expect(app.eventsOf('token.rotated')).toHaveLength(2)
    expect(app.eventsOf('sweep.ended')).toEqual([])
  })

  it('by a signal that has aborted already reads nothing', async () => {
    const app = await managedApp()
    await idle(app, [shop])
    app.store.resetCounts()

    await expect(app.tokens.sweep({ signal: AbortSignal.abort('before') })).rejects.toBe('before')
    expect(app.store.count()).toBe(0)
  })

  it('by close() rejects with ERR_CLOSED, and what was minted is stored', async () => {
    const app = await managedApp()
    const shops = someShops(6)
    await idle(app, shops)
    const hold = app.shopify.hold('token')
    const done = app.tokens.sweep({ concurrency: 2, perSecond: 1_000 })
    const refused = expect(done).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    await held(app, hold, 2)

    const closed = app.tokens.close()
    await refused
    hold.release()
    await closed

    const alive = await Promise.all(
      shops.map(async (each) => {
        const record = await app.record(each)
        return record?.kind === 'expiring' && app.shopify.hasLiveCredential(each, [record.refreshToken])
      }),
    )
    expect(alive).toEqual(shops.map(() => true))
    expect(app.eventsOf('token.rotated')).toHaveLength(2)
    await expect(app.tokens.sweep()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

describe('a manager whose app asks with its own credentials', () => {
  it('has nothing to keep alive, and renews what was asked for', async () => {
    const app = await managedApp({ grant: 'client-credentials' })
    app.shopify.installShop(shop)
    await app.tokens.token(shop)
    await app.clock.advance(30 * DAY_MS)
    expect(await app.tokens.sweep()).toEqual(NOTHING)

    await app.store.ask({ clientId: CLIENT_ID, shop })
    expect(await app.tokens.sweep()).toMatchObject({ visited: 1, renewed: 1 })
    expect(app.tokenCalls()).toBe(2)
  })
})

describe('clocks that are wrong', () => {
  it('far ahead let the sweep come early rather than after the refresh token’s end', async () => {
    const app = await managedApp()
    await idle(app, [shop])
    // One answer that says so is not believed, so what it brings is dated a year ahead.
    app.shopify.configure({ dateOffsetMs: -365 * DAY_MS })

    await app.tokens.sweep()

    expect(Math.abs(((await sweepAt(app, shop)) ?? 0) - (app.clock.now() - 345 * DAY_MS))).toBeLessThan(5_000)
  })

  it('that date attempts in the future do not put the visit off', async () => {
    const app = await managedApp()
    await app.seed({ attempts: [anAttempt({ at: app.clock.now() + 400 * DAY_MS })] })
    await app.store.ask({ clientId: CLIENT_ID, shop })

    await app.tokens.sweep()

    expect(await sweepAt(app, shop)).toBe(app.clock.now() + DAY_MS)
  })
})

it('many failures are counted, and a thousand of them named', async () => {
  const app = await managedApp()
  const shops = someShops(1_100)
  const record = aRecord.static({ secretId: SECRET_ID, mark: aMark(), attempts: [anAttempt()] })
  for (const each of shops) await app.put({ ...record, sweepAt: app.clock.now() }, each)

  const report = await app.tokens.sweep({ perSecond: 1_000, concurrency: 100 })

  expect(report).toMatchObject({ visited: 1_100, failed: 1_100 })
  expect(report.failures).toHaveLength(1_000)
})
