import { parseShop, type Shop, type ShopsQuery, type ShopState, StoreUnreadableError } from '@shopify-tokens/core'
import { aCoolDown, aMark, anAttempt, aRecord, fault } from '@shopify-tokens/testing'
import { DAY_MS, idle } from './idle-shops.js'
import { CLIENT_ID, closeAll, HOUR_MS, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)

async function states({ tokens }: Pick<ManagedApp, 'tokens'>, query?: ShopsQuery): Promise<ShopState[]> {
  const found: ShopState[] = []
  for await (const state of tokens.shops(query)) found.push(state)
  return found
}

async function names(app: Pick<ManagedApp, 'tokens'>, query?: ShopsQuery): Promise<Shop[]> {
  return (await states(app, query)).map((state) => state.shop)
}

describe('the state of a shop', () => {
  it('says everything that is not secret', async () => {
    const app = await managedApp()
    const now = app.clock.now()
    const coolDown = aCoolDown({ until: now + HOUR_MS, failures: 3, stuck: true })
    const mark = aMark({ reason: 'app-not-installed', at: now - DAY_MS })
    const given = { coolDown, mark, attempts: [anAttempt()], sweepAt: now + HOUR_MS }
    const record = await app.seed({ ageMs: 2 * DAY_MS, ...given })
    await app.store.ask({ clientId: CLIENT_ID, shop })

    expect(await states(app)).toEqual([
      {
        ...{ shop, kind: 'expiring', sweepAt: now + HOUR_MS, askedAt: now },
        obtainedAt: record.obtainedAt,
        expiresAt: record.expiresAt,
        refreshTokenExpiresAt: record.refreshTokenExpiresAt,
        mark: { reason: 'app-not-installed', at: now - DAY_MS },
        coolDown: { until: now + HOUR_MS, failures: 3, stuck: true },
        ...{ attempts: 1, isAtRisk: false },
      },
    ])
  })

  it.each([
    aRecord.expiring({ alternates: ['shprt_alternate'], predecessor: 'shprt_before' }),
    aRecord.clientCredentials(),
    aRecord.nonExpiring(),
    aRecord.static(),
    aRecord.empty({ attempts: [anAttempt()] }),
    aRecord.removed(),
  ])('holds no secret of a $kind record, and is frozen', async (record) => {
    const app = await managedApp()
    await app.put(record)

    const [state] = await states(app)

    expect(state?.kind).toBe(record.kind)
    const secrets = JSON.stringify(record).match(/shp(?:at|rt)_\w+/g) ?? []
    const credentials = record.attempts.map(({ credential }) => credential)
    for (const secret of [...secrets, ...credentials]) expect(JSON.stringify(state)).not.toContain(secret)
    expect(Object.isFrozen(state)).toBe(true)
  })

  it('is told of a row that the store cannot understand too', async () => {
    const app = await managedApp()
    await app.seed()
    const odd = parseShop('odd.myshopify.com')
    const scan = app.store.scan.bind(app.store)
    app.store.scan = async function* (query) {
      query.onUnreadable?.(new StoreUnreadableError('A row is not understood.', { shop: odd }))
      yield* scan(query)
    }

    const found = await states(app)

    expect(found.map(({ kind, shop: each }) => [each, kind])).toEqual([
      [odd, 'unreadable'],
      [shop, 'expiring'],
    ])
  })
})

describe('the shops', () => {
  it('come by name, whatever they are', async () => {
    const app = await managedApp()
    const shops = someShops(3).toReversed()
    for (const each of shops) await app.put(aRecord.removed(), each)

    expect(await names(app)).toEqual(shops.toReversed())
  })

  it('that are due come as a sweep visits them', async () => {
    const app = await managedApp()
    const [first, second, asked, fresh] = someShops(4) as [Shop, Shop, Shop, Shop]
    await idle(app, [second], 21)
    await idle(app, [first], 22)
    await app.seed({ shop: fresh, sweepAt: app.clock.now() + 1 })
    await app.seed({ shop: asked })
    await app.store.ask({ clientId: CLIENT_ID, shop: asked })

    expect(await names(app, { due: true })).toEqual([asked, first, second])
    expect(await names(app, { due: false })).toHaveLength(4)
  })

  it('can be those of some kinds, and those that need their merchant or do not', async () => {
    const app = await managedApp()
    const [marked, custom, pair] = someShops(3) as [Shop, Shop, Shop]
    await app.seed({ shop: marked, mark: aMark() })
    await app.put(aRecord.static(), custom)
    await app.seed({ shop: pair })

    expect(await names(app, { kinds: ['expiring'] })).toEqual([marked, pair])
    expect(await names(app, { kinds: ['expiring', 'static'], marked: false })).toEqual([custom, pair])
    expect(await names(app, { marked: true })).toEqual([marked])
    expect(await names(app, { kinds: [] })).toEqual([])
  })

  it('are read on though the store fails in between, and not for ever', async () => {
    const app = await managedApp()
    await app.seed()
    app.store.next('scan', fault.failBefore())
    expect(await names(app)).toEqual([shop])

    app.store.always('scan', fault.failBefore())
    await expect(names(app)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it('are not read any further once the signal has aborted', async () => {
    const app = await managedApp()
    for (const each of someShops(3)) await app.seed({ shop: each })
    const stop = new AbortController()
    const found: Shop[] = []

    const reading = (async () => {
      for await (const state of app.tokens.shops({ signal: stop.signal })) {
        found.push(state.shop)
        stop.abort('enough')
      }
    })()

    await expect(reading).rejects.toBe('enough')
    expect(found).toHaveLength(1)
  })

  it.each<[query: object, option: string]>([
    [{ due: 1 }, 'due'],
    [{ atRisk: 'yes' }, 'atRisk'],
    [{ marked: null }, 'marked'],
    [{ kinds: 'expiring' }, 'kinds'],
    [{ kinds: ['offline'] }, 'kinds'],
    [{ signal: {} }, 'signal'],
    [{ shop: 'acme.myshopify.com' }, 'shop'],
  ])('are not asked for by %p', async (query, option) => {
    const { store, tokens } = await managedApp()

    expect(() => tokens.shops(query)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [option] }) as Error,
    )
    expect(store.count()).toBe(0)
  })
})

describe('a shop at risk', () => {
  const DOWN = { kind: 'status', status: 402 } as const

  it('is one whose refresh token ends within two weeks although it has been due', async () => {
    const app = await managedApp()
    const [early, late, marked, custom] = someShops(4) as [Shop, Shop, Shop, Shop]
    await idle(app, [early], 75)
    await idle(app, [late], 77)
    await idle(app, [marked], 77, { mark: aMark({ triedAt: app.clock.now() }) })
    await app.put(aRecord.static(), custom)

    expect(await names(app, { atRisk: true })).toEqual([late])
    expect((await states(app)).map(({ isAtRisk }) => isAtRisk)).toEqual([false, true, false, false])
  })

  it('is found while it cools down, when a sweep would not visit it', async () => {
    const app = await managedApp()
    await idle(app, [shop], 80)
    app.shopify.faults.next(shop, DOWN, { times: Infinity })
    for (let n = 0; n < 12; n++) {
      await app.tokens.sweep()
      await app.clock.advance(HOUR_MS)
    }
    await app.tokens.sweep()

    expect(await names(app, { due: true })).toEqual([])
    expect(await names(app, { atRisk: true })).toEqual([shop])
  })

  it('is told of when its renewals keep failing, once a day in each process', async () => {
    const app = await managedApp()
    const [endsAt] = (await idle(app, [shop], 80)).map(({ refreshTokenExpiresAt }) => refreshTokenExpiresAt)
    app.shopify.faults.next(shop, DOWN, { times: Infinity })

    await app.tokens.sweep()
    expect(app.eventsOf('shop.atRisk')).toEqual([])
    for (let hours = 0; hours < 47; hours++) {
      await app.clock.advance(HOUR_MS)
      await app.tokens.sweep()
    }
    expect(app.eventsOf('shop.atRisk')).toHaveLength(2)
    expect(app.eventsOf('shop.atRisk')[0]).toMatchObject({ shop, endsAt, failures: 2 })

    await app
      .anotherProcess()
      .renewIfDue(shop)
      .catch(() => undefined)
    await app.clock.advance(HOUR_MS)
    await app
      .anotherProcess()
      .renewIfDue(shop)
      .catch(() => undefined)
    expect(app.eventsOf('shop.atRisk').length).toBeGreaterThan(2)
  })

  it('is not told of while there is time, nor when a renewal fails once', async () => {
    const app = await managedApp()
    const [early, late] = someShops(2) as [Shop, Shop]
    await idle(app, [early], 60)
    await idle(app, [late], 80)
    app.shopify.faults.next(early, DOWN, { times: Infinity })
    app.shopify.faults.next(late, DOWN)

    for (let hours = 0; hours < 24; hours++) {
      await app.tokens.sweep()
      await app.clock.advance(HOUR_MS)
    }

    expect(app.eventsOf('shop.atRisk')).toEqual([])
    expect(await names(app, { atRisk: true })).toEqual([])
  })
})
