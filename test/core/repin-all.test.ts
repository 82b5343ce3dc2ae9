import {
  fingerprint,
  type RepinStep,
  type Shop,
  StoreUnreadableError,
  type TokenManager,
  type TokenManagerOptions,
} from '@shopify-tokens/core'
import { anAttempt, aRecord, aToken, fault } from '@shopify-tokens/testing'
import { until } from '../until.js'
import { CLIENT_SECRET, closeAll, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

afterEach(closeAll)

const NEW_SECRET = 'test-client-secret-of-next-year'
const NEW_ID = fingerprint(NEW_SECRET)
const OLD_ID = fingerprint(CLIENT_SECRET)
const ROTATING = { clientSecret: NEW_SECRET, previousClientSecret: CLIENT_SECRET }
const LATE_MS = 75_000

interface Rotation extends ManagedApp {
  /** A process on the new configuration; `tokens` is one on the old. */
  readonly rotated: TokenManager
  secretIds(of: readonly Shop[]): Promise<(string | null)[]>
  /** Ends the old secret at Shopify, and tells which of the shops a process on the new configuration cannot serve. */
  revokeOld(of: readonly Shop[]): Promise<Shop[]>
}

/** An app whose shops were minted with the old secret; Shopify has the new one since now. */
async function rotation(options: Partial<TokenManagerOptions> & { readonly grace?: 'none' } = {}): Promise<Rotation> {
  const { grace, ...changed } = options
  const app = await managedApp(grace === undefined ? {} : { shopifyOptions: { grace } })
  app.shopify.addClientSecret(NEW_SECRET)
  const rotated = app.anotherProcess({ ...ROTATING, ...changed })
  return {
    ...app,
    rotated,
    secretIds: (of) =>
      Promise.all(of.map(async (each) => ((await app.record(each)) as { secretId?: string } | null)?.secretId ?? null)),
    async revokeOld(of) {
      app.shopify.revokeClientSecret(CLIENT_SECRET)
      const dead: Shop[] = []
      for (const each of of) {
        const token = await app.anotherProcess({ clientSecret: NEW_SECRET }).token(each)
        if (app.shopify.accessTokenState(each, token.value) !== 'live') dead.push(each)
      }
      return dead
    },
  }
}

/** Pairs of the old secret. Shopify pins what it mints by itself to the newest, so they are made before that is there. */
async function seeded(
  count: number,
  options: Parameters<typeof rotation>[0] = {},
): Promise<Rotation & { readonly shops: Shop[] }> {
  const shops = someShops(count)
  const app = await rotation(options)
  app.shopify.revokeClientSecret(NEW_SECRET)
  for (const each of shops) await app.seed({ shop: each })
  app.shopify.addClientSecret(NEW_SECRET)
  return { ...app, shops }
}

describe('repinning all shops', () => {
  it('renews each of 200 with the new secret once, and none is lost when the old one is revoked', async () => {
    const app = await seeded(200, { grace: 'none' })
    const { revokeOld, rotated, secretIds, shopify, shops } = app

    const report = await rotated.repinAll()

    expect(report).toEqual({ secretId: NEW_ID, repinned: 200, already: 0, failed: 0, failures: [] })
    expect(new Set(await secretIds(shops))).toEqual(new Set([NEW_ID]))
    expect(shopify.counters().tokenCallsByGrant.refresh).toMatchObject({ granted: 200, replayed: 0, refused: 0 })
    expect(await revokeOld(shops)).toEqual([])
    expect(shopify.counters().tokenCalls).toBe(200)
  })

  it('asks Shopify for nothing when it is called again', async () => {
    const { rotated, shopify } = await seeded(3)
    await rotated.repinAll()
    shopify.resetCounters()

    expect(await rotated.repinAll()).toMatchObject({ repinned: 0, already: 3, failed: 0 })
    expect(shopify.counters().tokenCalls).toBe(0)
  })

  it('begins as many renewals a second as it was told, evenly spaced', async () => {
    const { rotated, shopify } = await seeded(20)

    await rotated.repinAll({ perSecond: 4, concurrency: 100 })

    const at = shopify.log().map((entry) => entry.at)
    expect(at.slice(1).map((each, n) => each - (at[n] ?? 0))).toEqual(Array.from({ length: 19 }, () => 250))
  })

  it('has as many renewals under way at one time as it was told', async () => {
    const { rotated, shopify, clock } = await seeded(10)
    const hold = shopify.hold('token')
    const done = rotated.repinAll({ perSecond: 1_000, concurrency: 3 })
    await hold.arrived()
    await clock.advance(100)
    await hold.arrived(3)
    await clock.advance(100)
    expect(hold.count).toBe(3)
    hold.release()

    expect(await done).toMatchObject({ repinned: 10 })
  })

  it('tries a shop again that fails at first, when no request of the run that failed can be on its way any more', async () => {
    const { clock, rotated, shopify, shops, revokeOld } = await seeded(3)
    const [, failing] = shops as [Shop, Shop, Shop]
    const trouble = shopify.faults.next(failing, { kind: 'error-520', when: 'before' }, { times: Infinity })
    const steps: RepinStep[] = []
    const began = clock.monotonic()

    const report = await rotated.repinAll({
      onProgress: (step) => {
        steps.push(step)
        if (step.outcome === 'failed') trouble.cancel()
      },
    })

    expect(report).toMatchObject({ repinned: 3, failed: 0, failures: [] })
    expect(steps.filter(({ shop: each }) => each === failing)).toEqual([
      expect.objectContaining({ outcome: 'failed', reason: 'failed', code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' }),
      { outcome: 'repinned', shop: failing },
    ])
    expect(clock.monotonic() - began).toBeGreaterThan(LATE_MS)
    expect(await revokeOld(shops)).toEqual([])
  })

  it('gives a shop up that fails three times, names it, and leaves the others unharmed', async () => {
    const { rotated, shopify, shops } = await seeded(3)
    const [frozen] = shops as [Shop]
    shopify.faults.next(frozen, { kind: 'status', status: 402 }, { times: Infinity })

    const report = await rotated.repinAll()

    expect(report).toMatchObject({ repinned: 2, failed: 1 })
    expect(report.failures).toEqual([
      {
        shop: frozen,
        reason: 'failed',
        code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
        requestId: expect.any(String) as string,
      },
    ])
    expect(shopify.counters(frozen).tokenCalls).toBe(3)
  })

  it('tries a marked shop once, and tells what only its merchant can mend', async () => {
    const { record, rotated, put, seed, shopify } = await seeded(2)
    const living = await seed({ shop })
    await put({
      ...living,
      secretId: OLD_ID,
      mark: { reason: 'refresh-token-rejected', at: 1, triedAt: 1, notifiedAt: null },
    })
    const [dead] = someShops(1)
    shopify.uninstall(dead!)

    const report = await rotated.repinAll()

    expect(report).toMatchObject({ repinned: 2, failed: 1 })
    expect(report.failures).toEqual([
      expect.objectContaining({ shop: dead, reason: 'reauthorization-required', code: 'ERR_REAUTHORIZATION_REQUIRED' }),
    ])
    expect(await record()).toMatchObject({ mark: null, secretId: NEW_ID })
    expect(shopify.counters(dead).tokenCalls).toBe(1)
  })

  it('names shops whose tokens no refresh can move, and calls Shopify for none of them', async () => {
    const { put, rotated, shopify } = await rotation()
    const [stranded, custom] = someShops(2) as [Shop, Shop]
    await put(aRecord.nonExpiring({ secretId: OLD_ID }), stranded)
    await put(aRecord.static({ secretId: OLD_ID }), custom)

    const report = await rotated.repinAll()

    expect(report).toMatchObject({ repinned: 0, already: 0, failed: 1 })
    expect(report.failures).toEqual([{ shop: stranded, reason: 'non-expiring', code: undefined, requestId: undefined }])
    expect(shopify.counters().tokenCalls).toBe(0)
  })

  it('asks anew for tokens that the app gets by its own credentials', async () => {
    const { anotherProcess, record, shopify } = await rotation()
    shopify.installShop(shop)
    await anotherProcess({ grant: 'client-credentials' }).token(shop)

    const report = await anotherProcess({ ...ROTATING, grant: 'client-credentials' }).repinAll()

    expect(report).toMatchObject({ repinned: 1, failed: 0 })
    expect(await record()).toMatchObject({ kind: 'client-credentials', secretId: NEW_ID })
  })

  it('renews a shop that a process with the old secret installs behind its back', async () => {
    const { rotated, shopify, shops, secretIds, tokens } = await seeded(3)
    const late = someShops(1, 'a-late')[0]!
    shopify.installShop(late)

    const report = await rotated.repinAll({
      concurrency: 1,
      onProgress: async ({ shop: each }) => {
        if (each === shops[0]) await tokens.acquire(late, { idToken: shopify.sessionToken(late) })
      },
    })

    expect(report).toMatchObject({ repinned: 4, failed: 0 })
    expect(await secretIds([late])).toEqual([NEW_ID])
  })

  it('leaves a shop alone that another process has renewed since it was looked at', async () => {
    const { anotherProcess, rotated, shopify, shops } = await seeded(2)
    const [first, second] = shops as [Shop, Shop]

    const report = await rotated.repinAll({
      concurrency: 1,
      onProgress: async ({ shop: each }) => {
        if (each === first) await anotherProcess(ROTATING).force(second)
      },
    })

    expect(report).toMatchObject({ repinned: 1, failed: 0 })
    expect(shopify.counters(second).tokenCalls).toBe(1)
  })

  it('waits for a request that may still bring older tokens, and renews the shop once it cannot arrive any more', async () => {
    const { clock, put, record, rotated, secretIds, shopify, shops } = await seeded(1)
    const [only] = shops as [Shop]
    const row = await record(only)
    if (row?.kind !== 'expiring') throw new Error('no pair')
    await put({ ...row, secretId: NEW_ID, attempts: [anAttempt({ at: clock.now() })] }, only)
    const began = clock.now()

    expect(await rotated.repinAll()).toMatchObject({ repinned: 0, already: 0, failed: 0 })

    const [call] = shopify.log(only)
    expect((call?.at ?? 0) - began).toBeGreaterThan(LATE_MS)
    expect(await record(only)).toMatchObject({ attempts: [] })
    expect(await secretIds([only])).toEqual([NEW_ID])
  })

  it('waits for an installation that is under way, whatever secret it has', async () => {
    const { clock, rotated, secretIds, shopify, shops, tokens } = await seeded(1)
    const installing = someShops(1, 'installing')[0]!
    shopify.installShop(installing)
    const hold = shopify.hold('token', { shop: installing })
    const installed = tokens.token(installing, { idToken: shopify.sessionToken(installing) })
    await hold.arrived()

    const repinned = rotated.repinAll()
    await clock.advance(1_000)
    await until(() => shopify.counters(shops[0]).tokenCallsByGrant.refresh.granted === 1, 'the other shop')
    for (let turn = 0; turn < 10; turn += 1) await clock.settle()
    hold.release()
    await installed

    expect(await repinned).toMatchObject({ repinned: 2, failed: 0 })
    expect(new Set(await secretIds([...shops, installing]))).toEqual(new Set([NEW_ID]))
  })

  it('gives a shop up whose row is never without a request under way', async () => {
    const { clock, put, rotated } = await rotation()
    const busy = (): Promise<void> => put(aRecord.expiring({ attempts: [anAttempt({ at: clock.now() })] }))
    await busy()
    const timer = (async () => {
      for (let n = 0; n < 40; n += 1) {
        await clock.sleep(30_000)
        await busy()
      }
    })()

    const report = await rotated.repinAll()

    expect(report.failures).toEqual([expect.objectContaining({ shop, reason: 'failed', code: 'ERR_LEASE_TIMEOUT' })])
    await timer
  })

  it('renews a shop once more whose row holds the refresh tokens of two runs', async () => {
    const { put, record, rotated, shopify, shops } = await seeded(1)
    const [only] = shops as [Shop]
    const row = await record(only)
    if (row?.kind !== 'expiring') throw new Error('no pair')
    await put({ ...row, secretId: NEW_ID, refreshToken: aToken('shprt'), alternates: [row.refreshToken] }, only)

    expect(await rotated.repinAll()).toMatchObject({ repinned: 0, failed: 0 })

    expect(await record(only)).toMatchObject({ alternates: [], predecessor: row.refreshToken, secretId: NEW_ID })
    expect(shopify.counters(only).tokenCallsByGrant.refresh.granted).toBe(1)
  })

  it('ends although an attempt stands in the row of a time that is yet to come', async () => {
    const { clock, put, record, rotated, shopify, shops } = await seeded(1)
    const [only] = shops as [Shop]
    const row = await record(only)
    if (row === null) throw new Error('no row')
    // The clock of the database was a day ahead, and was set right.
    await put({ ...row, attempts: [anAttempt({ at: clock.now() + 86_400_000 })] }, only)

    expect(await rotated.repinAll()).toMatchObject({ repinned: 1, failed: 0 })

    expect(await record(only)).toMatchObject({ attempts: [], secretId: NEW_ID })
    expect(shopify.counters(only).tokenCallsByGrant.refresh.granted).toBe(2)
  })

  it('does not fall over a shop that is uninstalled meanwhile', async () => {
    const { rotated, shops, tokens } = await seeded(2)
    const [first, second] = shops as [Shop, Shop]

    const report = await rotated.repinAll({
      concurrency: 1,
      onProgress: async ({ shop: each }) => {
        if (each === first) await tokens.remove(second)
      },
    })

    expect(report).toMatchObject({ repinned: 1, failed: 0 })
  })
})

describe('a store that fails while shops are repinned', () => {
  it('is asked again behind the last shop that it gave', async () => {
    const { rotated, shops, store } = await seeded(3)
    store.next('scan', fault.failBefore(), fault.failBefore(new Error('a driver’s own')))

    expect(await rotated.repinAll()).toMatchObject({ repinned: shops.length, failed: 0 })
  })

  it('ends the call when that does not help', async () => {
    const { rotated, store } = await seeded(1)
    store.always('scan', fault.failBefore(new Error('away')))

    await expect(rotated.repinAll()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(store.count('scan')).toBe(5)
  })

  it('costs one shop its turn alone when the rest of it answers', async () => {
    const { rotated, store } = await seeded(3)
    store.next('get', fault.failBefore(), fault.failBefore())

    expect(await rotated.repinAll({ concurrency: 1 })).toMatchObject({ repinned: 3, failed: 0 })
  })

  it('names a shop whose row nobody understands, and goes on behind it', async () => {
    const { rotated, shops, store } = await seeded(3)
    const [, unreadable] = shops as [Shop, Shop]
    const scan = store.scan.bind(store)
    jest.spyOn(store, 'scan').mockImplementation(async function* (query) {
      for await (const row of scan(query)) {
        if (row.key.shop !== unreadable) yield row
        else query.onUnreadable?.(new StoreUnreadableError('made by a newer version', { shop: unreadable }))
      }
    })

    const report = await rotated.repinAll()

    expect(report).toMatchObject({ repinned: 2, failed: 1 })
    expect(report.failures).toEqual([expect.objectContaining({ shop: unreadable, code: 'ERR_STORE_UNREADABLE' })])
  })
})

describe('repinning ends', () => {
  it('with the reason of an abort, and begins no renewal after it', async () => {
    const { clock, rotated, shopify } = await seeded(5)
    const stop = new AbortController()
    const reason = new Error('enough')
    const hold = shopify.hold('token')
    const done = rotated.repinAll({ signal: stop.signal, concurrency: 2 })
    await hold.arrived()
    await clock.advance(1_000)
    await hold.arrived(2)

    stop.abort(reason)
    await expect(done).rejects.toBe(reason)
    hold.release()
    await clock.settle()

    expect(shopify.counters().tokenCalls).toBe(2)
  })

  it('when the manager closes', async () => {
    const { rotated, shopify } = await seeded(5)
    const hold = shopify.hold('token')
    const done = rotated.repinAll({ concurrency: 1 })
    await hold.arrived()

    const closed = rotated.close()
    await expect(done).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    hold.release()
    await closed

    expect(shopify.counters().tokenCalls).toBe(1)
  })

  it('at the tenth shop when Shopify refuses the secret, having taken it for none', async () => {
    const { anotherProcess, shopify } = await seeded(30)
    const mistaken = anotherProcess({ clientSecret: 'mistyped', previousClientSecret: CLIENT_SECRET })

    await expect(mistaken.repinAll({ concurrency: 1 })).rejects.toMatchObject({ code: 'ERR_APP_MISCONFIGURED' })

    expect(shopify.counters().tokenCalls).toBe(10)
  })

  it('at the first shop in a copy of the database', async () => {
    const { anotherProcess, shopify, tokens } = await seeded(3, {})
    await anotherProcess({ ...ROTATING, deploymentId: 'production' }).force(someShops(1)[0]!)
    shopify.resetCounters()

    await expect(anotherProcess({ ...ROTATING, deploymentId: 'staging' }).repinAll()).rejects.toMatchObject({
      code: 'ERR_FOREIGN_DEPLOYMENT',
    })
    expect(shopify.counters().tokenCalls).toBe(0)
    await tokens.close()
  })
})

describe('the options of repinAll', () => {
  it.each([
    [{ perSecond: 0 }, 'perSecond'],
    [{ perSecond: 1.5 }, 'perSecond'],
    [{ concurrency: 101 }, 'concurrency'],
    [{ signal: {} }, 'signal'],
    [{ onProgress: 'loud' }, 'onProgress'],
    [{ persecond: 5 }, 'persecond'],
  ])('are checked: %j', async (options, name) => {
    const { rotated } = await rotation()
    await expect(rotated.repinAll(options as object)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      options: [name],
    })
  })

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('mine')
      },
    ],
    ['rejects', () => Promise.reject(new TypeError('mine'))],
  ])('take no harm from a listener that %s', async (_how, onProgress) => {
    const { rotated } = await seeded(2)
    const warned = jest.spyOn(process, 'emitWarning').mockReturnValue()

    expect(await rotated.repinAll({ onProgress })).toMatchObject({ repinned: 2 })
    expect(warned.mock.calls).toEqual(
      Array.from({ length: 2 }, () => [expect.stringContaining('TypeError') as string, 'ShopifyTokensWarning']),
    )
  })
})

describe('a process on the old configuration, once another has repinned', () => {
  it('serves every shop, and renews none', async () => {
    const { eventsOf, rotated, shopify, shops, tokens } = await seeded(10)
    await rotated.repinAll()
    shopify.resetCounters()

    for (const each of shops) {
      const token = await tokens.token(each)
      expect(shopify.accessTokenState(each, token.value)).toBe('live')
      await expect(tokens.force(each)).rejects.toMatchObject({ code: 'ERR_SECRET_OUTDATED' })
    }

    expect(shopify.counters().tokenCalls).toBe(0)
    expect(eventsOf('secret.outdated')).toHaveLength(10)
  })
})

describe('a shop that could not be repinned, once the old secret is forgotten everywhere', () => {
  it('is revived by its merchant when Shopify had ended its tokens', async () => {
    const { anotherProcess, rotated, secretIds, shopify, shops } = await seeded(1)
    const [left] = shops as [Shop]
    shopify.uninstall(left)
    await rotated.repinAll()
    shopify.revokeClientSecret(CLIENT_SECRET)
    shopify.reinstall(left)

    const tokens = anotherProcess({ clientSecret: NEW_SECRET })
    const merchant = tokens.forShop(left, { idToken: shopify.sessionToken(left) })

    expect(await merchant.graphql('{ shop { name } }')).toHaveProperty('data')
    expect(await secretIds([left])).toEqual([NEW_ID])
  })
})
