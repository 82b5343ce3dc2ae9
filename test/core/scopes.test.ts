import {
  createShopClient,
  fingerprint,
  InvalidOptionError,
  isScope,
  missingScopes,
  parseScopes,
  RequestAccess,
  type TokenOptions,
} from '@shopify-tokens/core'
import { aMark, aRecord, fault } from '@shopify-tokens/testing'
import { areSameScopes } from '../../packages/core/src/scopes.js'
import { CLIENT_SECRET, closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const MINUTE_MS = 60_000
const missing = (...scopes: string[]) => ({ code: 'ERR_SCOPE_MISSING', retryable: false, shop, missing: scopes })

describe('the name of a scope', () => {
  it.each(['read_products', 'write_all_orders', 'unauthenticated_read_checkouts', 'customer_read_orders', 'a1'])(
    'is %s',
    (name) => {
      expect(isScope(name)).toBe(true)
    },
  )

  it.each([
    ['nothing', ''],
    ['capitals', 'READ_PRODUCTS'],
    ['spaces', 'read products'],
    ['a comma', 'read_products,write_products'],
    ['a line break', 'read_products\n'],
    ['what ends a query', 'read_products&state=1'],
    ['a digit in front', '1read'],
    ['more than a hundred letters', 'a'.repeat(101)],
    ['a list', ['read_products']],
    ['undefined', undefined],
  ])('is not %s', (_title, value) => {
    expect(isScope(value)).toBe(false)
  })
})

describe('a list of scopes', () => {
  it('has each once, without spaces', () => {
    expect(parseScopes([' read_products', 'write_orders ', 'read_products'])).toEqual(['read_products', 'write_orders'])
    expect(parseScopes([])).toEqual([])
  })

  it.each([
    ['text', 'read_products'],
    ['null', null],
    ['an object', { scopes: ['read_products'] }],
    ['a list with a number', ['read_products', 1]],
    ['a list with what is no scope', ['secret value!']],
    ['a list with a hole', [undefined]],
  ])('is not %s', (_title, scopes) => {
    expect(() => parseScopes(scopes)).toThrow(InvalidOptionError)
    expect(() => parseScopes(scopes)).not.toThrow('secret value!')
  })
})

describe('scopes that are granted', () => {
  it.each<[granted: readonly string[], required: readonly string[], lacking: readonly string[]]>([
    [['read_products'], ['read_products'], []],
    [['write_products'], ['read_products', 'write_products'], []],
    [['read_products'], ['write_products'], ['write_products']],
    [['unauthenticated_write_checkouts'], ['unauthenticated_read_checkouts'], []],
    [['unauthenticated_write_checkouts'], ['read_checkouts', 'write_checkouts'], ['read_checkouts', 'write_checkouts']],
    [['write_checkouts'], ['unauthenticated_read_checkouts'], ['unauthenticated_read_checkouts']],
    [['customer_write_orders'], ['customer_read_orders'], ['customer_read_orders']],
    [['write_read_receipts'], ['read_read_receipts'], []],
    [['write_products'], [], []],
    [[], ['read_products', 'read_orders'], ['read_products', 'read_orders']],
  ])('%j leave of %j: %j', (granted, required, lacking) => {
    expect(missingScopes(granted, required)).toEqual(lacking)
  })

  it.each<[one: readonly string[], other: readonly string[], same: boolean]>([
    [['read_products', 'write_orders'], ['write_orders', 'read_products'], true],
    [['write_products'], ['read_products', 'write_products'], true],
    [['write_products'], ['read_products'], false],
    [[], ['read_products'], false],
  ])('%j and %j are the same: %p', (one, other, same) => {
    expect(areSameScopes(one, other)).toBe(same)
    expect(areSameScopes(other, one)).toBe(same)
  })
})

describe('a token that carries the scopes', () => {
  it('is served from the cache without I/O', async () => {
    const { seed, store, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed({ scopes: ['write_products'] })
    await tokens.token(shop)
    store.resetCounts()

    const token = await tokens.token(shop, { scopes: ['read_products', 'write_products'] })

    expect(token.value).toBe(accessToken)
    expect(store.count()).toBe(0)
    expect(tokenCalls()).toBe(0)
  })

  it('is served inside its renewal window, and renewed behind', async () => {
    const { seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed({ ageMs: HOUR_MS - 2 * MINUTE_MS })
    const hold = shopify.hold('token')

    expect((await tokens.token(shop, { scopes: ['read_products'] })).value).toBe(accessToken)

    await hold.arrived()
    hold.release()
    await tokens.close()
  })

  it.each([['write_products', 'no scope'], 'write_products', [1], null])(
    'is not asked for by what is no list of scopes: %p',
    async (scopes) => {
      const { seed, store, tokens } = await managedApp()
      await seed()
      await expect(tokens.token(shop, { scopes } as unknown as TokenOptions)).rejects.toMatchObject({
        code: 'ERR_INVALID_OPTION',
      })
      expect(store.count()).toBe(0)
    },
  )
})

describe('scopes that the cached token lacks', () => {
  it('are found in the row: another process had them granted', async () => {
    const { anotherProcess, seed, shopify, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    await tokens.token(shop)
    const code = shopify.issueCode(shop, { scopes: ['read_products', 'write_orders'] })
    const { value } = await anotherProcess().acquire(shop, { code })

    const token = await tokens.token(shop, { scopes: ['write_orders'] })

    expect(token.value).toBe(value)
    expect((await tokens.token(shop)).value).toBe(value)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('are not looked for in a reading that began before they were granted', async () => {
    const { put, seed, store, tokens } = await managedApp({ revalidateMs: 0 })
    const row = await seed({ scopes: ['read_products'] })
    await tokens.token(shop)
    store.next('get', fault.hangAfter())
    await tokens.token(shop)
    await put({ ...row, accessToken: 'shpat_grown', scopes: ['write_orders'] })

    const call = tokens.token(shop, { scopes: ['write_orders'] })
    store.heal()

    expect((await call).value).toBe('shpat_grown')
  })

  it('are found in the row without waiting for its renewal, though a merchant is there', async () => {
    const { clock, put, seed, shopify, tokens } = await managedApp()
    const row = await seed({ scopes: ['read_products'] })
    await tokens.token(shop)
    await put({ ...row, accessToken: 'shpat_grown', scopes: ['write_orders'], renewAt: clock.now() })
    const hold = shopify.hold('token')

    const token = await tokens.token(shop, { scopes: ['write_orders'], idToken: shopify.sessionToken(shop) })

    expect(token.value).toBe('shpat_grown')
    hold.release()
    await tokens.close()
  })

  it('are missing when the row lacks them too, and the token is served to callers without wishes', async () => {
    const { eventsOf, seed, store, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed({ scopes: ['read_products'] })
    await tokens.token(shop)
    store.resetCounts()

    await expect(
      tokens.token(shop, { scopes: ['write_products', 'read_products', 'read_orders'] }),
    ).rejects.toMatchObject(missing('write_products', 'read_orders'))

    expect(store.count('get')).toBe(1)
    expect((await tokens.token(shop)).value).toBe(accessToken)
    expect(tokenCalls()).toBe(0)
    expect(eventsOf('renewal.failed')).toEqual([])
  })

  it('are not said to be missing while the row cannot be read', async () => {
    const { seed, store, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    await tokens.token(shop)
    store.always('get', fault.failBefore())

    await expect(tokens.token(shop, { scopes: ['write_products'] })).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
    })
  })

  it('are no reason to serve a shop that was removed meanwhile', async () => {
    const { clock, put, seed, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    await tokens.token(shop)
    await put(aRecord.removed({ removedAt: clock.now() }))

    await expect(tokens.token(shop, { scopes: ['write_products'] })).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      reason: 'removed',
    })
  })

  it('end a wait that the caller gives up', async () => {
    const { seed, store, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    await tokens.token(shop)
    const leaving = new AbortController()
    store.next('get', fault.hangBefore())
    const call = tokens.token(shop, { scopes: ['write_products'], signal: leaving.signal })
    leaving.abort(new Error('gone'))

    await expect(call).rejects.toThrow('gone')
    store.heal()
  })
})

describe('a merchant who has granted more', () => {
  it('has the token replaced in the same request', async () => {
    const { eventsOf, record, seed, shopify, tokenCalls, tokens } = await managedApp()
    const before = await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_products'] })

    const token = await tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })

    expect(token.scopes).toEqual(['write_products'])
    expect(token.value).not.toBe(before.accessToken)
    expect(await record()).toMatchObject({ accessToken: token.value, predecessor: null, scopes: ['write_products'] })
    expect((await tokens.token(shop)).value).toBe(token.value)
    expect(tokenCalls()).toBe(1)
    expect(eventsOf('token.acquired')).toEqual([expect.objectContaining({ grant: 'id-token' })])
    expect(eventsOf('scopes.changed')).toEqual([
      expect.objectContaining({ shop, previous: ['read_products'], current: ['write_products'] }),
    ])
  })

  it('has it replaced though it is due for renewal anyway', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ scopes: ['read_products'], ageMs: HOUR_MS - 2 * MINUTE_MS })
    shopify.installShop(shop, { scopes: ['write_products'] })
    const hold = shopify.hold('token', { grant: 'refresh' })

    const call = tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })
    await hold.arrived()
    hold.release()

    expect((await call).scopes).toEqual(['write_products'])
  })

  it('has a non-expiring token replaced too', async () => {
    const { put, shopify, tokens } = await managedApp()
    await put(aRecord.nonExpiring({ scopes: ['read_products'], secretId: fingerprint(CLIENT_SECRET) }))
    shopify.installShop(shop, { scopes: ['write_products'] })

    const token = await tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })
    expect(token.scopes).toEqual(['write_products'])
    expect(token.expiresAt).toBeLessThan(Infinity)
  })

  it('has no static token replaced: its scopes were chosen when it was made', async () => {
    const { put, shopify, tokenCalls, tokens } = await managedApp()
    await put(aRecord.static({ scopes: ['read_products'] }))

    await expect(
      tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) }),
    ).rejects.toMatchObject(missing('write_products'))
    expect(tokenCalls()).toBe(0)
  })

  it('is not needed where the app asks with its own credentials: the next token may have the scopes', async () => {
    const { shopify, tokens } = await managedApp({ grant: 'client-credentials' })
    shopify.installShop(shop, { scopes: ['read_products'] })
    await tokens.token(shop)
    const idToken = shopify.sessionToken(shop)

    await expect(tokens.token(shop, { scopes: ['write_products'], idToken })).rejects.toMatchObject(
      missing('write_products'),
    )
    const { 'client-credentials': requested, 'id-token': exchanged } = shopify.counters(shop).tokenCallsByGrant
    expect([requested.granted, exchanged.granted]).toEqual([2, 0])
  })

  it('has it replaced though another process wrote to the row first', async () => {
    const { put, seed, shopify, store, tokenCalls, tokens } = await managedApp()
    const row = await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_products'] })
    store.next(
      'put',
      fault.meanwhile(() => put({ ...row, coolDown: null })),
    )

    const token = await tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })
    expect(token.scopes).toEqual(['write_products'])
    expect(tokenCalls()).toBe(1)
  })

  it('revives a marked shop, whose token would have lacked them', async () => {
    const { clock, record, seed, shopify, tokens } = await managedApp()
    await seed({ scopes: ['read_products'], mark: aMark({ at: clock.now(), triedAt: clock.now() }) })
    shopify.installShop(shop, { scopes: ['write_products'] })

    const token = await tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })
    expect(token.scopes).toEqual(['write_products'])
    expect(await record()).toMatchObject({ mark: null })
  })

  it('is asked for a new session token when this one has less than ten seconds left; that is not held against it', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_products'] })
    const old = shopify.sessionToken(shop)
    await clock.advance(51_000)

    await expect(tokens.token(shop, { scopes: ['write_products'], idToken: old })).rejects.toMatchObject({
      code: 'ERR_INVALID_SESSION_TOKEN',
    })
    expect(tokenCalls()).toBe(0)
    const token = await tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })
    expect(token.scopes).toEqual(['write_products'])
  })
})

describe('a merchant who has not granted more', () => {
  it('has the token replaced once a minute at most, and served to callers without wishes', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['read_products'] })
    const ask = () => tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })

    for (let n = 0; n < 5; n++) await expect(ask()).rejects.toMatchObject(missing('write_products'))
    expect(tokenCalls()).toBe(1)
    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')

    await clock.advance(MINUTE_MS)
    await expect(ask()).rejects.toMatchObject(missing('write_products'))
    expect(tokenCalls()).toBe(2)
  })

  it('has a token that has ended meanwhile refreshed all the same', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['read_products'] })
    const ask = () => tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })
    await expect(ask()).rejects.toMatchObject(missing('write_products'))
    await seed({ scopes: ['read_products'], ageMs: 2 * HOUR_MS })

    await expect(ask()).rejects.toMatchObject(missing('write_products'))

    const { tokenCallsByGrant } = shopify.counters(shop)
    expect(tokenCallsByGrant['id-token']).toMatchObject({ granted: 1 })
    expect(tokenCallsByGrant.refresh).toMatchObject({ granted: 1 })
    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
  })

  it('is not asked again by a hundred requests at the same time', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['read_products'] })
    const idToken = shopify.sessionToken(shop)

    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, () => tokens.token(shop, { scopes: ['write_products'], idToken })),
    )

    for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: missing('write_products') })
    expect(tokenCalls()).toBe(1)
  })

  it('keeps the old token when Shopify cannot be reached, and is left alone until the cool-down is over', async () => {
    const { clock, record, seed, shopify, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed({ scopes: ['read_products'] })
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 600 })
    const ask = () => tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })

    await expect(ask()).rejects.toMatchObject(missing('write_products'))
    await clock.advance(2 * MINUTE_MS)
    await expect(ask()).rejects.toMatchObject(missing('write_products'))

    expect(tokenCalls()).toBe(1)
    expect(await record()).toMatchObject({ accessToken, coolDown: { scope: 'all' } })
    expect((await tokens.token(shop)).value).toBe(accessToken)
  })
})

describe('requests that miss scopes at the same time', () => {
  it('share one acquisition', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_products', 'write_orders'] })
    const idToken = shopify.sessionToken(shop)

    const got = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        tokens.token(shop, { scopes: [n % 2 === 0 ? 'write_products' : 'read_orders'], idToken }),
      ),
    )

    expect(new Set(got.map(({ value }) => value)).size).toBe(1)
    expect(tokenCalls()).toBe(1)
  })

  it('in two processes make one: the second finds the scopes in the row', async () => {
    const { anotherProcess, clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_products'] })
    const idToken = shopify.sessionToken(shop)
    const hold = shopify.hold('token', { grant: 'id-token' })

    const first = tokens.token(shop, { scopes: ['write_products'], idToken })
    await hold.arrived()
    const second = anotherProcess().token(shop, { scopes: ['write_products'], idToken })
    await clock.advance(1_000)
    hold.release()

    expect((await second).value).toBe((await first).value)
    expect(tokenCalls()).toBe(1)
  })

  it('go on after the run that somebody else had begun', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_products'] })
    shopify.faults.next(shop, { kind: 'missing', field: 'scope' }, { grant: 'refresh' })
    const hold = shopify.hold('token', { grant: 'refresh' })
    const forced = tokens.force(shop)
    await hold.arrived()
    const call = tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) })
    hold.release()

    expect((await forced).scopes).toEqual(['read_products'])
    expect((await call).scopes).toEqual(['write_products'])
  })

  it('leave the others their token when their session token turns out to be bad', async () => {
    const { seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed({ scopes: ['read_products'] })
    shopify.faults.next(shop, { kind: 'invalid-subject-token' })

    await expect(
      tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) }),
    ).rejects.toMatchObject({ code: 'ERR_INVALID_SESSION_TOKEN' })
    expect((await tokens.token(shop)).value).toBe(accessToken)
  })
})

describe('a pair that the store has not taken yet', () => {
  it('says what is granted: no older row does', async () => {
    const { clock, seed, shopify, store, tokens } = await managedApp()
    await seed({ scopes: ['read_products'], ageMs: 2 * HOUR_MS })
    store.next('put', fault.pass())
    store.always('put', fault.failBefore())
    const { value } = await tokens.token(shop)
    store.resetCounts()

    await expect(
      tokens.token(shop, { scopes: ['write_products'], idToken: shopify.sessionToken(shop) }),
    ).rejects.toMatchObject(missing('write_products'))
    expect((await tokens.token(shop)).value).toBe(value)
    store.heal()
    await clock.advance(MINUTE_MS)
    await tokens.close()
  })
})

describe('the scopes of a grant', () => {
  it.each([
    ['a refresh', (app: Awaited<ReturnType<typeof managedApp>>) => app.tokens.force(shop)],
    [
      'a session token',
      (app: Awaited<ReturnType<typeof managedApp>>) =>
        app.tokens.acquire(shop, { idToken: app.shopify.sessionToken(shop) }),
    ],
    [
      'a code',
      (app: Awaited<ReturnType<typeof managedApp>>) =>
        app.tokens.acquire(shop, { code: app.shopify.issueCode(shop, { scopes: ['write_orders'] }) }),
    ],
  ])('are stored, and a change is told once: %s', async (_title, grant) => {
    const app = await managedApp()
    const { eventsOf, record, seed, shopify } = app
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_orders'] })

    await grant(app)
    await grant(app)

    expect(await record()).toMatchObject({ scopes: ['write_orders'] })
    expect(eventsOf('scopes.changed')).toEqual([
      expect.objectContaining({ shop, previous: ['read_products'], current: ['write_orders'] }),
    ])
  })

  it('stay what they were when the answer names none', async () => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    await seed({ scopes: ['read_products', 'write_orders'] })
    shopify.faults.next(shop, { kind: 'missing', field: 'scope' })

    await tokens.acquire(shop, { code: shopify.issueCode(shop) })

    expect(await record()).toMatchObject({ scopes: ['read_products', 'write_orders'] })
    expect(eventsOf('scopes.changed')).toEqual([])
  })

  it.each([
    ['a first installation', null],
    ['a reinstallation', aRecord.removed({ removedAt: 0 })],
  ])('are no change at %s', async (_title, row) => {
    const { eventsOf, put, shopify, tokens } = await managedApp()
    if (row !== null) await put(row)

    await tokens.acquire(shop, { code: shopify.issueCode(shop, { scopes: ['write_orders'] }) })
    expect(eventsOf('scopes.changed')).toEqual([])
  })
})

describe('requireScopes', () => {
  it('of a client brings the token that carries them, with the session token of its merchant', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    shopify.installShop(shop, { scopes: ['write_products'] })
    const { requireScopes } = tokens.forShop(shop, { idToken: shopify.sessionToken(shop) })

    expect((await requireScopes('write_products', 'read_products')).scopes).toEqual(['write_products'])
    await expect(tokens.forShop(shop).requireScopes('write_orders')).rejects.toMatchObject(missing('write_orders'))
  })

  it('of a request is that of its client', async () => {
    const { seed, tokens } = await managedApp()
    const { accessToken } = await seed({ scopes: ['write_products'] })
    const access = new RequestAccess(tokens.forShop(shop), null, null)

    expect((await access.requireScopes('read_products')).value).toBe(accessToken)
    await expect(access.requireScopes('read_orders')).rejects.toMatchObject(missing('read_orders'))
  })

  it('judges the token of a source that does not know scopes', async () => {
    const { seed, tokens } = await managedApp()
    await seed({ scopes: ['read_products'] })
    const source = { token: () => tokens.token(shop) }
    const client = createShopClient(source, shop, { fetch, apiVersion: null })

    expect((await client.requireScopes('read_products')).scopes).toEqual(['read_products'])
    await expect(client.requireScopes('write_products')).rejects.toMatchObject(missing('write_products'))
  })

  it('takes nothing that is no scope', async () => {
    const { store, tokens } = await managedApp()

    await expect(tokens.forShop(shop).requireScopes('write_products&x=1')).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    })
    expect(store.count()).toBe(0)
  })
})
