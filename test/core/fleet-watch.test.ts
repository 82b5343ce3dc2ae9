import { type ExpiringRecord, fingerprint, type Shop, type TokenEvent } from '@shopify-tokens/core'
import { aMark, aRecord, FakeClock, fault } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { EventBus } from '../../packages/core/src/events.js'
import { FleetWatch } from '../../packages/core/src/renewal/fleet-watch.js'
import { CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)
jest.setTimeout(60_000)

const WINDOW_MS = DEFAULT_DURATIONS.fleetWindowMs

describe('the fleet watch', () => {
  function aWatch(): { clock: FakeClock; events: TokenEvent[]; fleet: FleetWatch } {
    const clock = new FakeClock()
    const events: TokenEvent[] = []
    const bus = new EventBus(() => clock.now())
    bus.subscribe((event) => events.push(event))
    return { clock, events, fleet: new FleetWatch(clock, bus, DEFAULT_DURATIONS) }
  }

  const live = (fleet: FleetWatch, shops: readonly Shop[]): void => {
    for (const each of shops) fleet.lives(each)
  }
  const die = (fleet: FleetWatch, shops: readonly Shop[]): boolean[] => shops.map((each) => fleet.dies(each))

  it('believes five deaths, though nobody lives', () => {
    const { events, fleet } = aWatch()

    expect(die(fleet, someShops(5))).toEqual([true, true, true, true, true])
    expect(events).toEqual([])
  })

  it('believes none from the sixth on when a fifth of those tried are dead', () => {
    const { events, fleet } = aWatch()
    live(fleet, someShops(24, 'living'))

    expect(die(fleet, someShops(7))).toEqual([true, true, true, true, true, false, false])
    expect(events).toEqual([expect.objectContaining({ type: 'fleet.suspect', dead: 6, tried: 30 })])
  })

  it('believes the sixth when less than a fifth of those tried are dead', () => {
    const { events, fleet } = aWatch()
    live(fleet, someShops(25, 'living'))

    expect(die(fleet, someShops(6))).not.toContain(false)
    expect(events).toEqual([])
  })

  it('counts a shop once, however often it is tried', () => {
    const { fleet } = aWatch()

    for (let n = 0; n < 10; n++) expect(die(fleet, someShops(5))).not.toContain(false)
  })

  it('counts a shop that has come back among the living', () => {
    const { fleet } = aWatch()
    die(fleet, someShops(5))
    live(fleet, someShops(1))

    expect(fleet.dies(shop)).toBe(true)
  })

  it('counts nobody who was tried before the window', async () => {
    const { clock, events, fleet } = aWatch()
    live(fleet, someShops(50_000, 'living'))
    die(fleet, someShops(5))
    await clock.advance(WINDOW_MS)

    expect(die(fleet, someShops(5, 'later'))).not.toContain(false)
    fleet.dies(shop)
    expect(events).toEqual([expect.objectContaining({ dead: 6, tried: 6 })])
  })

  it('believes again when the share has fallen, and says so when it rises again', () => {
    const { events, fleet } = aWatch()
    die(fleet, someShops(6))
    live(fleet, someShops(30, 'living'))
    expect(fleet.dies(shop)).toBe(true)

    expect(die(fleet, someShops(20, 'later'))).toContain(false)
    expect(events).toHaveLength(2)
  })
})

describe('shops that nobody has kept alive', () => {
  it('raise no suspicion when their end has come: all are marked, and those that die before it are still watched', async () => {
    const app = await managedApp()
    const lapsed = someShops(20, 'lapsed')
    const dead = someShops(7, 'dead')
    for (const each of lapsed) await app.seed({ ageMs: 2_400 * HOUR_MS, shop: each, sweepAt: 1 })
    expect(await app.tokens.sweep()).toMatchObject({ visited: 20, failed: 20 })

    expect(app.eventsOf('fleet.suspect')).toEqual([])
    expect(
      app
        .eventsOf('reauthorization.required')
        .map((event) => event.shop)
        .sort(),
    ).toEqual([...lapsed].sort())
    expect(await app.tokens.sweep()).toMatchObject({ visited: 0 })

    for (const each of dead) {
      const { refreshToken } = await app.seed({ ageMs: 2_000 * HOUR_MS, shop: each, sweepAt: 1 })
      app.shopify.revokeToken(each, refreshToken)
    }
    await app.tokens.sweep()
    expect(app.eventsOf('fleet.suspect')).toEqual([expect.objectContaining({ dead: 6 })])
  })
})

describe('an old database that was restored', () => {
  /** Fifty shops whose refresh tokens Shopify has ended and whose access tokens are over. */
  async function restored(): Promise<ManagedApp & { readonly shops: readonly Shop[] }> {
    const app = await managedApp()
    const shops = someShops(50)
    for (const each of shops) {
      const { refreshToken } = await app.seed({ ageMs: 2 * HOUR_MS, shop: each })
      app.shopify.revokeToken(each, refreshToken)
    }
    return { ...app, shops }
  }

  async function marked({ record }: ManagedApp, shops: readonly Shop[]): Promise<readonly Shop[]> {
    const rows = await Promise.all(shops.map((each) => record(each)))
    return shops.filter((_, n) => rows[n]?.mark?.reason !== undefined)
  }

  it('marks at most five shops, tells once, and marks again when the share has fallen', async () => {
    const app = await restored()
    const { clock, eventsOf, seed, shops, tokens } = app

    const outcomes = await Promise.allSettled(shops.map((each) => tokens.token(each)))
    const codes = outcomes.map((each) => (each.status === 'rejected' ? (each.reason as { code: string }).code : ''))
    expect(codes.filter((code) => code === 'ERR_FLEET_SUSPECT').length).toBeGreaterThanOrEqual(45)
    expect((await marked(app, shops)).length).toBeLessThanOrEqual(5)
    expect(eventsOf('reauthorization.required').length).toBeLessThanOrEqual(5)

    await clock.advance(70_000)
    await Promise.allSettled(shops.map((each) => tokens.token(each)))
    expect((await marked(app, shops)).length).toBeLessThanOrEqual(5)
    expect(eventsOf('fleet.suspect')).toHaveLength(1)

    await clock.advance(WINDOW_MS)
    const living = someShops(30, 'living')
    for (const each of living) await seed({ ageMs: 2 * HOUR_MS, shop: each })
    await Promise.all(living.map((each) => tokens.token(each)))
    const [last] = shops.slice(-1) as [Shop]
    await expect(tokens.token(last)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(await marked(app, [last])).toEqual([last])
    expect(eventsOf('fleet.suspect')).toHaveLength(1)
  })

  it('lets merchants who come mend their shops, whatever waits for whom', async () => {
    const app = await restored()
    const { eventsOf, shopify, shops, tokens } = app
    await Promise.allSettled(shops.map((each) => tokens.token(each)))
    const [last] = shops.slice(-1) as [Shop]
    await expect(tokens.token(last)).rejects.toMatchObject({
      code: 'ERR_FLEET_SUSPECT',
      retryable: true,
      retryAfterMs: expect.any(Number) as number,
    })

    const token = await tokens.token(last, { idToken: shopify.sessionToken(last) })

    expect(shopify.accessTokenState(last, token.value)).toBe('live')
    expect((await app.record(last))?.coolDown).toBeNull()
    expect(eventsOf('token.acquired')).toHaveLength(1)
  })

  it('lets a merchant go on alone whose run somebody else had begun', async () => {
    const { shopify, shops, tokens } = await restored()
    await Promise.allSettled(shops.slice(0, 10).map((each) => tokens.token(each)))
    const [last] = shops.slice(-1) as [Shop]
    const hold = shopify.hold('token', { shop: last, grant: 'refresh' })
    const without = tokens.token(last)
    await hold.arrived()
    const present = tokens.token(last, { idToken: shopify.sessionToken(last) })
    hold.release()

    await expect(without).rejects.toMatchObject({ code: 'ERR_FLEET_SUSPECT' })
    expect(shopify.accessTokenState(last, (await present).value)).toBe('live')
  })

  it('costs no token that still works, and calls Shopify no more than the cool-downs allow', async () => {
    const behind: Promise<void>[] = []
    const app = await restored()
    const tokens = app.anotherProcess({ background: (work) => behind.push(work) })
    const { accessToken, refreshToken } = await app.seed({ ageMs: HOUR_MS - 60_000 })
    app.shopify.revokeToken(shop, refreshToken)
    await Promise.allSettled(app.shops.map((each) => tokens.token(each)))

    for (let n = 0; n < 5; n++) {
      expect((await tokens.token(shop)).value).toBe(accessToken)
      await Promise.all(behind)
    }
    expect(app.tokenCalls()).toBe(1)
    expect(await app.record()).toMatchObject({ mark: null, attempts: [], coolDown: { scope: 'suspect' } })
  })

  it('leaves the rows of other tokens that Shopify refuses alone between two looks', async () => {
    const app = await restored()
    await Promise.allSettled(app.shops.map((each) => app.tokens.token(each)))
    const row = aRecord.nonExpiring({ secretId: fingerprint(CLIENT_SECRET) })
    await app.put(row)

    for (let n = 0; n < 5; n++) {
      await expect(app.tokens.token(shop, { rejected: row.accessToken })).rejects.toMatchObject({
        code: 'ERR_FLEET_SUSPECT',
      })
    }
    expect(app.store.count('put')).toBe(1)
    expect(await app.record()).toMatchObject({ mark: null })
  })
})

describe('shops that die one by one', () => {
  it('are all marked: six among a thousand are no reason for suspicion', async () => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    const healthy = someShops(1_000, 'healthy')
    for (const each of healthy) await seed({ ageMs: 2 * HOUR_MS, shop: each })
    const gone = someShops(6, 'gone')
    for (const each of gone) {
      await seed({ ageMs: 2 * HOUR_MS, shop: each })
      shopify.uninstall(each)
    }

    for (let n = 0; n < 1_000; n += 50) await Promise.all(healthy.slice(n, n + 50).map((each) => tokens.token(each)))
    for (const each of gone) {
      await expect(tokens.token(each)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
      expect(await record(each)).toMatchObject({ mark: {} })
    }
    expect(eventsOf('reauthorization.required')).toHaveLength(6)
    expect(eventsOf('fleet.suspect')).toEqual([])
  }, 120_000)

  it('are not counted when they are marked already and merely tried again', async () => {
    const { clock, eventsOf, record, seed, shopify, tokens } = await managedApp()
    const yesterday = clock.now() - 25 * HOUR_MS
    const dead = someShops(20, 'dead')
    for (const each of [...dead, shop]) {
      const mark = each === shop ? null : aMark({ at: yesterday })
      const { refreshToken } = await seed({ ageMs: 48 * HOUR_MS, shop: each, mark })
      shopify.revokeToken(each, refreshToken)
    }

    for (const each of [...dead, shop]) {
      await expect(tokens.token(each)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    }
    expect(await record()).toMatchObject({ mark: { reason: 'refresh-token-rejected' } })
    expect(((await record(dead[0])) as ExpiringRecord).mark?.triedAt).toBeGreaterThan(yesterday)
    expect(eventsOf('fleet.suspect')).toEqual([])
    expect(eventsOf('reauthorization.required')).toHaveLength(1)
  })

  it('are counted once although their mark had to be written twice', async () => {
    const { eventsOf, put, record, seed, shopify, store, tokens } = await managedApp()
    for (const each of someShops(5)) {
      const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS, shop: each })
      shopify.revokeToken(each, refreshToken)
      const touch = fault.meanwhile(async () => put({ ...((await record(each)) as ExpiringRecord) }, each))
      store.next('put', fault.pass(), touch, fault.pass(), touch)
      await expect(tokens.token(each)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    }
    expect(eventsOf('reauthorization.required')).toHaveLength(5)
    expect(eventsOf('fleet.suspect')).toEqual([])
  })
})
