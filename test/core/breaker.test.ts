import { MemoryLock, parseShop, type Shop, type TokenEvent } from '@shopify-tokens/core'
import { FakeClock } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { EventBus } from '../../packages/core/src/events.js'
import { Breaker } from '../../packages/core/src/renewal/breaker.js'
import { CLIENT_ID, closeAll, HOUR_MS, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)
jest.setTimeout(60_000)

/** Fails at once: the wait that it asks for is longer than a run tries. */
const THROTTLED = { kind: 'throttled', retryAfter: 15 } as const

describe('the breaker', () => {
  function aBreaker(): { breaker: Breaker; clock: FakeClock; events: TokenEvent[] } {
    const clock = new FakeClock()
    const events: TokenEvent[] = []
    const bus = new EventBus(() => clock.now())
    bus.subscribe((event) => events.push(event))
    return { breaker: new Breaker(clock, bus, DEFAULT_DURATIONS), clock, events }
  }

  /** `null`: the run may call Shopify. */
  function refusal(breaker: Breaker): unknown {
    try {
      breaker.pass(shop)
      return null
    } catch (error) {
      return error
    }
  }

  function fail(breaker: Breaker, shops: readonly Shop[]): void {
    for (const each of shops) breaker.failed(each)
  }

  it('opens when ten different shops failed and none succeeded', () => {
    const { breaker, events } = aBreaker()

    fail(breaker, someShops(9))
    expect(refusal(breaker)).toBeNull()
    breaker.failed(shop)

    expect(refusal(breaker)).toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE', retryAfterMs: 5_000 })
    expect(events).toEqual([expect.objectContaining({ type: 'breaker.opened', shops: 10 })])
  })

  it('stays closed however often nine shops fail', () => {
    const { breaker, events } = aBreaker()

    for (let n = 0; n < 100; n++) fail(breaker, someShops(9))

    expect(refusal(breaker)).toBeNull()
    expect(events).toEqual([])
  })

  it('stays closed while any shop succeeded within the window', async () => {
    const { breaker, clock, events } = aBreaker()
    breaker.succeeded()
    await clock.advance(29_999)

    fail(breaker, someShops(100))
    expect(events).toEqual([])

    await clock.advance(1)
    breaker.failed(shop)
    expect(events).toEqual([expect.objectContaining({ type: 'breaker.opened', shops: 101 })])
  })

  it('counts no failure that is older than the window', async () => {
    const { breaker, clock, events } = aBreaker()
    fail(breaker, someShops(9))
    await clock.advance(30_000)

    fail(breaker, someShops(9, 'later'))
    expect(events).toEqual([])
  })

  it('lets a shop that fails again count from its latest failure', async () => {
    const { breaker, clock, events } = aBreaker()
    fail(breaker, someShops(9))
    await clock.advance(29_000)
    fail(breaker, someShops(9))
    await clock.advance(29_000)
    breaker.failed(shop)

    expect(events).toHaveLength(1)
  })

  it('counts no old failure of other shops because one has failed again since', async () => {
    const { breaker, clock, events } = aBreaker()
    fail(breaker, someShops(9))
    await clock.advance(29_000)
    fail(breaker, someShops(1))
    await clock.advance(2_000)

    breaker.failed(shop)
    expect(events).toEqual([])
  })

  it('lets one run through in each pause while it is open', async () => {
    const { breaker, clock } = aBreaker()
    fail(breaker, someShops(10))
    await clock.advance(4_999)
    expect(refusal(breaker)).toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE', retryAfterMs: 1 })

    for (let n = 0; n < 3; n++) {
      await clock.advance(n === 0 ? 1 : 5_000)
      expect(refusal(breaker)).toBeNull()
      expect(refusal(breaker)).toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE', retryAfterMs: 5_000 })
    }
  })

  it('tells that it opened once, however many more fail', () => {
    const { breaker, events } = aBreaker()

    fail(breaker, someShops(1_000))

    expect(events).toHaveLength(1)
  })

  it('closes with the first success and counts anew', async () => {
    const { breaker, clock, events } = aBreaker()
    fail(breaker, someShops(10))
    await clock.advance(7_000)

    breaker.succeeded()

    expect(refusal(breaker)).toBeNull()
    expect(events.at(-1)).toMatchObject({ type: 'breaker.closed', openForMs: 7_000 })
    await clock.advance(30_000)
    fail(breaker, someShops(9))
    expect(refusal(breaker)).toBeNull()
  })

  it('tells nothing of successes while it is closed', () => {
    const { breaker, events } = aBreaker()

    breaker.succeeded()
    expect(events).toEqual([])
  })
})

describe('an endpoint that is down for all shops', () => {
  /** Twelve shops have just failed. */
  async function broken(app: ManagedApp): Promise<void> {
    const failing = someShops(12, 'failing')
    for (const each of failing) await app.seed({ ageMs: 2 * HOUR_MS, shop: each })
    app.shopify.faults.next('*', THROTTLED, { times: Infinity })
    await Promise.all(failing.map((each) => expect(app.tokens.token(each)).rejects.toThrow()))
    expect(app.eventsOf('breaker.opened')).toHaveLength(1)
    app.shopify.resetCounters()
    app.store.resetCounts()
  }

  it('is asked by one run in each pause, and by all as soon as it answers', async () => {
    const app = await managedApp()
    const { clock, eventsOf, seed, shopify, tokens } = app
    const waiting = someShops(12, 'waiting')
    for (const each of waiting) await seed({ ageMs: 2 * HOUR_MS, shop: each })
    const { accessToken } = await seed({ ageMs: HOUR_MS - 60_000 })
    await broken(app)

    for (let probes = 0; probes < 3; probes++) {
      for (const each of waiting) {
        await expect(tokens.token(each)).rejects.toMatchObject({
          retryable: true,
          retryAfterMs: expect.any(Number) as number,
        })
      }
      expect((await tokens.token(shop)).value).toBe(accessToken)
      expect(shopify.counters().tokenCalls).toBe(probes)
      await clock.advance(5_000)
    }

    shopify.faults.clear()
    await clock.advance(60_000)
    for (const each of [...waiting, ...someShops(12, 'failing')]) {
      expect(shopify.accessTokenState(each, (await tokens.token(each)).value)).toBe('live')
    }
    expect(eventsOf('breaker.closed')).toHaveLength(1)
    expect(eventsOf('breaker.opened')).toHaveLength(1)
  })

  it('leaves no trace in the rows of shops that were not let through', async () => {
    const app = await managedApp()
    const before = await app.seed({ ageMs: 2 * HOUR_MS })
    await broken(app)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({
      code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
      shop,
      retryAfterMs: 5_000,
    })

    expect(app.store.count('put')).toBe(0)
    expect(await app.record()).toEqual(before)
    expect(app.eventsOf('renewal.failed').filter((event) => event.shop === shop)).toEqual([])
  })

  it('is asked by forced renewals and acquisitions all the same, and their success closes the breaker', async () => {
    const app = await managedApp()
    const other = parseShop('other.myshopify.com')
    await app.seed({ ageMs: 2 * HOUR_MS })
    await app.seed({ ageMs: 2 * HOUR_MS, shop: other })
    await broken(app)

    await expect(app.tokens.force(shop)).rejects.toMatchObject({ status: 429 })
    const idToken = app.shopify.sessionToken(shop)
    await expect(app.tokens.acquire(shop, { idToken })).rejects.toMatchObject({ status: 429 })
    expect(app.tokenCalls()).toBe(2)
    await expect(app.tokens.token(other)).rejects.toMatchObject({ status: undefined })

    app.shopify.faults.clear()
    await app.tokens.force(shop)
    expect(app.eventsOf('breaker.closed')).toHaveLength(1)
    expect(app.shopify.accessTokenState(other, (await app.tokens.token(other)).value)).toBe('live')
  })

  it('answers a run that was under way when the breaker opened, and so closes it', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const outage = app.shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })
    const hold = app.shopify.hold('token', { shop })
    const call = app.tokens.token(shop)
    await hold.arrived()
    await broken(app)
    hold.release()
    await outage.untilStruck(2)
    app.shopify.faults.clear()

    expect(app.shopify.accessTokenState(shop, (await call).value)).toBe('live')
    expect(app.eventsOf('breaker.closed')).toHaveLength(1)
  })

  it.each([
    ['a refusal that ends a refresh token', { kind: 'terminal' }, 'ERR_REAUTHORIZATION_REQUIRED'],
    ['a frozen shop', { kind: 'status', status: 402 }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['a wrong client secret', { kind: 'invalid-client' }, 'ERR_APP_MISCONFIGURED'],
  ] as const)('is up again when it answers with %s', async (_title, answer, code) => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    await broken(app)
    app.shopify.faults.clear()
    app.shopify.faults.next(shop, answer)
    await app.clock.advance(5_000)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ code })
    expect(app.eventsOf('breaker.closed')).toHaveLength(1)
  })

  it.each([
    ['a redirect, as of a captive proxy', { kind: 'redirect' }],
    ['a status that nobody knows', { kind: 'status', status: 418, body: {} }],
  ] as const)('is not known to be up when what answers is %s', async (_title, answer) => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    await broken(app)
    app.shopify.faults.clear()
    app.shopify.faults.next(shop, answer)
    await app.clock.advance(5_000)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect(app.eventsOf('breaker.closed')).toEqual([])
  })

  it('is asked once by a run that was let through and had to wait for the lock', async () => {
    const app = await managedApp()
    const lock = new MemoryLock({ clock: app.clock })
    const tokens = app.anotherProcess({ lock })
    const behindLock: ManagedApp = { ...app, tokens }
    await app.seed({ ageMs: 2 * HOUR_MS })
    await broken(behindLock)
    app.shopify.faults.clear()
    await app.clock.advance(5_000)
    await lock.tryAcquire(`${CLIENT_ID}:${shop}`, 300)

    expect(app.shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
    expect(app.tokenCalls()).toBe(1)
  })

  it('keeps no renewal behind a request from being tried again, and fails no request', async () => {
    const behind: Promise<void>[] = []
    const app = await managedApp({ background: (work) => behind.push(work) })
    const { accessToken } = await app.seed({ ageMs: HOUR_MS - 60_000 })
    await broken(app)

    expect((await app.tokens.token(shop)).value).toBe(accessToken)
    await Promise.all(behind)
    expect(app.tokenCalls()).toBe(0)

    app.shopify.faults.clear()
    await app.clock.advance(5_000)
    expect((await app.tokens.token(shop)).value).toBe(accessToken)
    await Promise.all(behind)
    expect((await app.tokens.token(shop)).value).not.toBe(accessToken)
  })
})
