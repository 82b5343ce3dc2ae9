import {
  type AcquireOptions,
  type DeliveryLog,
  type ExpiringRecord,
  fingerprint,
  isHeld,
  MemoryDeliveryLog,
  MemoryLock,
  StoreUnavailableError,
  StoreUnreadableError,
  type TokenStore,
} from '@shopify-tokens/core'
import { aMark, aRecord, aToken, fault } from '@shopify-tokens/testing'
import { CLIENT_ID, CLIENT_SECRET, closeAll, HOUR_MS, managedApp, type ManagedApp, shop } from './managed-app.js'

afterEach(closeAll)

const SECRET_ID = fingerprint(CLIENT_SECRET)
const USED = { code: 'ERR_INVALID_CALLBACK', flaw: 'code', retryable: false, shop }

const grantsOf = ({ shopify }: Pick<ManagedApp, 'shopify'>): (string | undefined)[] =>
  shopify.log(shop).map(({ grant }) => grant)
const codeCalls = ({ shopify }: ManagedApp): number => grantsOf({ shopify }).filter((grant) => grant === 'code').length

/** The app's store with another log of deliveries. */
function storeWith(store: TokenStore, deliveries: DeliveryLog | undefined): TokenStore {
  return {
    get: (key) => store.get(key),
    put: (key, record, expected) => store.put(key, record, expected),
    scan: (query) => store.scan(query),
    ask: (key) => store.ask(key),
    deliveries,
  }
}

describe('an authorization code', () => {
  const rows: readonly (readonly [string, (app: ManagedApp) => Promise<unknown>])[] = [
    ['nothing is on record', () => Promise.resolve()],
    ['an earlier acquisition left an empty row', ({ put }) => put(aRecord.empty())],
    ['the app had been removed', ({ clock, put }) => put(aRecord.removed({ removedAt: clock.now() - HOUR_MS }))],
    ['the app was removed this instant', ({ clock, put }) => put(aRecord.removed({ removedAt: clock.now() }))],
    ['the pair lives', ({ seed }) => seed()],
    ['the pair has ended', ({ seed }) => seed({ ageMs: 2 * HOUR_MS })],
    ['the shop is marked', ({ clock, seed }) => seed({ mark: aMark({ at: clock.now(), triedAt: clock.now() }) })],
    ['a non-expiring token is there', ({ put }) => put(aRecord.nonExpiring({ secretId: SECRET_ID }))],
    [
      'the shop cools down',
      ({ clock, seed }) =>
        seed({ coolDown: { until: clock.now() + HOUR_MS, failures: 9, scope: 'all', stuck: false } }),
    ],
  ]

  it.each(rows)('brings a pair when %s', async (_title, prepare) => {
    const app = await managedApp()
    await prepare(app)
    const { eventsOf, record, shopify, tokens } = app

    const token = await tokens.acquire(shop, { code: shopify.issueCode(shop, { scopes: ['write_orders'] }) })

    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    const stored = (await record()) as ExpiringRecord
    expect(stored).toMatchObject({ accessToken: token.value, scopes: ['write_orders'], predecessor: null, mark: null })
    expect(stored).toMatchObject({ kind: 'expiring', attempts: [], alternates: [], coolDown: null })
    expect(shopify.hasLiveCredential(shop, [stored.refreshToken])).toBe(true)
    expect(eventsOf('token.acquired')).toEqual([expect.objectContaining({ grant: 'code', requests: 1 })])
    expect((await tokens.token(shop)).value).toBe(token.value)
    expect(codeCalls(app)).toBe(1)
  })

  it('ends the refresh token of a pair that lives', async () => {
    const { seed, shopify, tokens } = await managedApp()
    const before = await seed()

    await tokens.acquire(shop, { code: shopify.issueCode(shop) })

    expect(shopify.hasLiveCredential(shop, [before.refreshToken])).toBe(false)
  })

  it('is in the row, as a fingerprint, and known as sent before Shopify gets it', async () => {
    const { record, shopify, store, tokens } = await managedApp()
    const code = shopify.issueCode(shop)
    const hold = shopify.hold('token', { grant: 'code' })
    const call = tokens.acquire(shop, { code })
    await hold.arrived()

    expect(await record()).toMatchObject({
      kind: 'empty',
      attempts: [{ grant: 'code', credential: fingerprint(code) }],
    })
    const delivery = { clientId: CLIENT_ID, id: `code:${fingerprint(code)}` }
    expect(await store.deliveries?.begin(delivery, HOUR_MS)).toEqual({ outcome: 'done' })
    hold.release()
    await call
  })

  it('does not share the run under way, and takes its turn after it', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const { shopify, tokens } = app
    const hold = shopify.hold('token', { grant: 'refresh' })
    const refreshed = tokens.token(shop)
    await hold.arrived()
    const acquired = tokens.acquire(shop, { code: shopify.issueCode(shop) })
    const alsoAcquired = tokens.acquire(shop, { code: shopify.issueCode(shop) })
    hold.release()

    const values = (await Promise.all([refreshed, acquired, alsoAcquired])).map(({ value }) => value)
    expect(new Set(values).size).toBe(3)
    expect(shopify.counters(shop).tokenCalls).toBe(3)
    expect((await tokens.token(shop)).value).toBe(values[2])
  })

  it('waits for the run of another process, and replaces what that brings', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const { anotherProcess, record, shopify, tokens } = app
    const hold = shopify.hold('token', { grant: 'refresh' })
    const refreshed = anotherProcess().token(shop)
    await hold.arrived()
    const acquired = tokens.acquire(shop, { code: shopify.issueCode(shop) })
    hold.release()

    await refreshed
    const { value } = await acquired
    expect(await record()).toMatchObject({ accessToken: value, predecessor: null, alternates: [] })
    expect(grantsOf({ shopify })).toEqual(['refresh', 'code'])
  })

  it('keeps the refresh tokens that another process has stored meanwhile, behind its own', async () => {
    const { eventsOf, put, record, seed, shopify, store, tokens } = await managedApp()
    const row = await seed()
    const theirs = aToken('shprt')
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(() => put({ ...row, refreshToken: theirs, predecessor: row.refreshToken })),
    )

    const token = await tokens.acquire(shop, { code: shopify.issueCode(shop) })

    expect(await record()).toMatchObject({ accessToken: token.value, alternates: [theirs], predecessor: null })
    expect(eventsOf('rotation.merged')).toHaveLength(1)
  })

  it('loses to the removal of the app after it', async () => {
    const { clock, put, record, shopify, store, tokens } = await managedApp()
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(() => put(aRecord.removed({ removedAt: clock.now() + HOUR_MS }))),
    )

    await expect(tokens.acquire(shop, { code: shopify.issueCode(shop) })).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      reason: 'removed',
    })
    expect(await record()).toMatchObject({ kind: 'removed' })
  })

  it('brings a pair that is renewed once more when its lifetime cannot be believed', async () => {
    const { record, shopify, tokens } = await managedApp()
    shopify.faults.next(shop, { kind: 'missing', field: 'expires_in' })

    const token = await tokens.acquire(shop, { code: shopify.issueCode(shop) })

    expect(grantsOf({ shopify })).toEqual(['code', 'refresh'])
    expect(await record()).toMatchObject({ accessToken: token.value, coolDown: null })
  })

  it('may bring a token without an end, which is stored and reported', async () => {
    const { eventsOf, record, shopify, tokens } = await managedApp()
    shopify.faults.next(shop, { kind: 'not-expiring' })

    const token = await tokens.acquire(shop, { code: shopify.issueCode(shop) })

    expect(await record()).toMatchObject({ kind: 'non-expiring', accessToken: token.value })
    expect(eventsOf('token.notExpiring')).toEqual([expect.objectContaining({ grant: 'code' })])
  })

  it('brings nothing to an app that requires expiring tokens when it brings one without an end', async () => {
    const app = await managedApp({ requireExpiring: true })
    const { record, shopify, tokens } = app
    const code = shopify.issueCode(shop)
    shopify.faults.next(shop, { kind: 'not-expiring' })

    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({ code: 'ERR_TOKEN_RESPONSE_INVALID' })
    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject(USED)
    expect(await record()).toMatchObject({ kind: 'empty', attempts: [] })
    expect(codeCalls(app)).toBe(1)
  })
})

describe('a code that was sent', () => {
  it.each([
    ['in this process', (app: ManagedApp) => app.tokens],
    ['in another process', (app: ManagedApp) => app.anotherProcess()],
  ])('is not sent again %s', async (_title, manager) => {
    const app = await managedApp()
    const { eventsOf, record, shopify, tokens } = app
    const code = shopify.issueCode(shop)
    const { value } = await tokens.acquire(shop, { code })

    await expect(manager(app).acquire(shop, { code })).rejects.toMatchObject(USED)

    expect(codeCalls(app)).toBe(1)
    expect(await record()).toMatchObject({ accessToken: value, attempts: [] })
    expect(eventsOf('callback.refused')).toEqual([expect.objectContaining({ flaw: 'code' })])
  })

  it('is sent by one of many who have it at the same time', async () => {
    const app = await managedApp()
    const { anotherProcess, shopify, tokens } = app
    const code = shopify.issueCode(shop)
    const other = anotherProcess()

    const outcomes = await Promise.allSettled(
      Array.from({ length: 10 }, (_, n) => (n % 2 === 0 ? tokens : other).acquire(shop, { code })),
    )

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(USED)
    expect(codeCalls(app)).toBe(1)
  })

  it.each([
    ['never answered', { kind: 'hang', when: 'after' }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['cut off', { kind: 'reset', when: 'after' }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['cut off before Shopify saw it', { kind: 'reset', when: 'before' }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['answered by a 520', { kind: 'error-520', when: 'after' }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['answered by a page', { kind: 'html', when: 'after', status: 502 }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['answered by half of the tokens', { kind: 'truncated' }, 'ERR_TOKEN_RESPONSE_INVALID'],
    ['answered without tokens', { kind: 'missing', field: 'access_token' }, 'ERR_TOKEN_RESPONSE_INVALID'],
  ] as const)('and %s is in doubt, and never sent again', async (_title, answer, expected) => {
    const app = await managedApp({ timeoutsStrike: true })
    const { anotherProcess, clock, eventsOf, record, seed, shopify, tokens } = app
    await seed()
    const code = shopify.issueCode(shop)
    shopify.faults.next(shop, answer, { grant: 'code' })

    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({ code: expected })

    const attempt = { grant: 'code', credential: fingerprint(code) }
    expect(await record()).toMatchObject({ kind: 'expiring', mark: null, attempts: [attempt] })
    expect(eventsOf('token.acquired')).toEqual([])
    await clock.advance(60_000)
    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject(USED)
    await expect(anotherProcess().acquire(shop, { code })).rejects.toMatchObject(USED)
    expect(codeCalls(app)).toBe(1)

    await tokens.force(shop).catch(() => undefined)
    expect(eventsOf('grant.inDoubt')).toEqual([expect.objectContaining({ grant: 'code' })])
  })

  it('and turned away with 429 leaves no doubt, and is never sent again', async () => {
    const app = await managedApp()
    const { record, shopify, tokens } = app
    const code = shopify.issueCode(shop)
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 1 })

    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({
      code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
      status: 429,
    })

    expect(await record()).toMatchObject({ kind: 'empty', attempts: [] })
    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject(USED)
    expect(codeCalls(app)).toBe(1)
  })

  it('by a process that died before the answer is not sent by the next one', async () => {
    const app = await managedApp()
    const { anotherProcess, record, shopify, tokens } = app
    const code = shopify.issueCode(shop)
    const hold = shopify.hold('token', { grant: 'code' })
    const dying = anotherProcess().acquire(shop, { code })
    await hold.arrived()

    const { attempts } = (await record())!
    await app.put({
      ...aRecord.empty(),
      attempts: attempts.map((attempt) => ({ ...attempt, at: attempt.at - 60_000 })),
    })
    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject(USED)
    expect(codeCalls(app)).toBe(1)
    hold.release()
    await dying
  })

  it.each(['code-used', 'invalid-grant'] as const)(
    'and that Shopify does not take is over, and nothing else is (%s)',
    async (kind) => {
      const { eventsOf, record, seed, shopify, tokens } = await managedApp()
      const before = await seed()
      shopify.faults.next(shop, { kind })

      await expect(tokens.acquire(shop, { code: shopify.issueCode(shop) })).rejects.toMatchObject({
        ...USED,
        requestId: expect.any(String) as string,
      })

      expect(await record()).toMatchObject({ accessToken: before.accessToken, mark: null, attempts: [] })
      expect(eventsOf('callback.refused')).toEqual([expect.objectContaining({ flaw: 'code' })])
      expect((await tokens.token(shop)).value).toBe(before.accessToken)
    },
  )

  it('to a shop that has not installed the app sends its merchant there', async () => {
    const { record, shopify, tokens } = await managedApp()
    shopify.faults.next(shop, { kind: 'app-not-installed' })

    await expect(tokens.acquire(shop, { code: shopify.issueCode(shop) })).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      reason: 'app-not-installed',
    })
    expect(await record()).toMatchObject({ kind: 'empty', attempts: [] })
  })
})

describe('a code that could not be sent', () => {
  it('because the row could not be written is free for the next try', async () => {
    const app = await managedApp()
    const { shopify, store, tokens } = app
    const code = shopify.issueCode(shop)
    store.next('put', fault.failBefore())

    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(codeCalls(app)).toBe(0)

    await tokens.acquire(shop, { code })
    expect(codeCalls(app)).toBe(1)
  })

  it('because somebody holds the lock for too long is free for the next try', async () => {
    const lock = new MemoryLock()
    const app = await managedApp({ lock })
    const { clock, shopify, tokens } = app
    const code = shopify.issueCode(shop)
    const held = await lock.tryAcquire(`${CLIENT_ID}:${shop}`, HOUR_MS)
    if (isHeld(held)) throw new Error('The lock is free.')

    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT' })
    await clock.advance(60_000)
    expect(codeCalls(app)).toBe(0)
    await held.release()
    await tokens.acquire(shop, { code })
    expect(codeCalls(app)).toBe(1)
  })

  it('because the manager closes is not sent', async () => {
    const app = await managedApp()
    const { shopify, tokens } = app
    await tokens.close()

    await expect(tokens.acquire(shop, { code: shopify.issueCode(shop) })).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(codeCalls(app)).toBe(0)
  })

  it('because its caller had gone before is not sent', async () => {
    const app = await managedApp()
    const { shopify, tokens } = app
    const reason = new Error('gone')

    await expect(
      tokens.acquire(shop, { code: shopify.issueCode(shop), signal: AbortSignal.abort(reason) }),
    ).rejects.toBe(reason)
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(codeCalls(app)).toBe(0)
  })

  it.each(['begin', 'finish'] as const)(
    'because nobody can say whether it had been (%s fails) is not sent, and leaves no attempt',
    async (verb) => {
      const app = await managedApp()
      const { anotherProcess, clock, record, shopify, store } = app
      const log = new MemoryDeliveryLog({ clock })
      let isAway = true
      const away = (): Promise<never> => Promise.reject(new StoreUnavailableError('away'))
      const deliveries: DeliveryLog = {
        begin: (delivery, leaseMs) => (isAway && verb === 'begin' ? away() : log.begin(delivery, leaseMs)),
        finish: (delivery) => (isAway && verb === 'finish' ? away() : log.finish(delivery)),
        release: (delivery, claim) => log.release(delivery, claim),
      }
      const tokens = anotherProcess({ store: storeWith(store, deliveries) })
      const code = shopify.issueCode(shop)

      await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
      expect((await record())?.attempts ?? []).toEqual([])
      expect(codeCalls(app)).toBe(0)

      isAway = false
      await tokens.acquire(shop, { code })
      expect(codeCalls(app)).toBe(1)
    },
  )

  it('stays taken when it cannot be given back: its caller hears what went wrong first', async () => {
    const app = await managedApp()
    const { anotherProcess, clock, shopify, store } = app
    const log = new MemoryDeliveryLog({ clock })
    const deliveries: DeliveryLog = {
      begin: (delivery, leaseMs) => log.begin(delivery, leaseMs),
      finish: (delivery) => log.finish(delivery),
      release: () => Promise.reject(new StoreUnavailableError('away')),
    }
    const tokens = anotherProcess({ store: storeWith(store, deliveries) })
    const code = shopify.issueCode(shop)
    store.next('put', fault.failBefore(new StoreUnreadableError('first')))

    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE' })
    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject(USED)
    expect(codeCalls(app)).toBe(0)
  })
})

describe('the log of what was sent', () => {
  it('is asked once and told once, however often the attempt has to be made anew', async () => {
    const app = await managedApp({ storeTimeoutMs: 12_000 })
    const { anotherProcess, clock, shopify, store } = app
    const log = new MemoryDeliveryLog({ clock })
    const calls: string[] = []
    const deliveries: DeliveryLog = {
      begin: (delivery, leaseMs) => {
        calls.push(`begin for ${String(leaseMs / HOUR_MS)} hours`)
        return log.begin(delivery, leaseMs)
      },
      finish: (delivery) => {
        calls.push('finish')
        return log.finish(delivery)
      },
      release: (delivery, claim) => {
        calls.push('release')
        return log.release(delivery, claim)
      },
    }
    store.next('put', fault.delay(11_000))

    await anotherProcess({ store: storeWith(store, deliveries) }).acquire(shop, { code: shopify.issueCode(shop) })

    // A process that dies in between holds it for longer than a code lives.
    expect(calls).toEqual(['begin for 24 hours', 'finish'])
    expect(store.count('put')).toBe(4)
    expect(codeCalls(app)).toBe(1)
  })
})

describe('a store that remembers no deliveries', () => {
  it('has its codes sent once by each process at most', async () => {
    const app = await managedApp()
    const { anotherProcess, shopify, store } = app
    const tokens = anotherProcess({ store: storeWith(store, undefined) })
    const code = shopify.issueCode(shop)

    await tokens.acquire(shop, { code })
    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject(USED)
    expect(codeCalls(app)).toBe(1)
  })
})

describe('the options of acquire', () => {
  it.each([
    ['none', undefined],
    ['nothing', {}],
    ['null', null],
    ['both', { code: 'a', idToken: 'b' }],
    ['a list', { code: ['a'] }],
    ['an object', { idToken: { a: 1 } }],
    ['an unknown one', { code: 'a', shop: 'b' }],
  ])('are exactly one text: %s', async (_title, options) => {
    const { store, tokens } = await managedApp()

    await expect(tokens.acquire(shop, options as AcquireOptions)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    })
    expect(store.count()).toBe(0)
  })

  it.each([
    ['empty', ''],
    ['too long', 'a'.repeat(1_025)],
    ['two lines', 'a\nb'],
    ['control characters', 'a\u0000'],
    ['letters from elsewhere', 'ä'],
  ])('hold no code that can be none: %s', async (_title, code) => {
    const { store, tokens } = await managedApp()

    await expect(tokens.acquire(shop, { code })).rejects.toMatchObject({
      code: 'ERR_INVALID_CALLBACK',
      flaw: 'malformed',
    })
    expect(store.count()).toBe(0)
  })
})
