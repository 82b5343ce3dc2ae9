import {
  type ClientCredentialsRecord,
  parseSealingKeys,
  staticKeyRing,
  type TokenEventType,
  type TokenRecord,
} from '@shopify-tokens/core'
import { anAttempt, aRecord, FAKE_EPOCH, fault } from '@shopify-tokens/testing'
import { until } from '../until.js'
import { CLIENT_ID, closeAll, HOUR_MS, managedApp, type ManagedApp, shop } from './managed-app.js'

const DAY_MS = 24 * HOUR_MS
const MINUTE_MS = 60_000
const QUERY = '{ shop { name } }'

afterEach(closeAll)

type AppOptions = NonNullable<Parameters<typeof managedApp>[0]>

/** An app of the organization that owns the shop, installed there. */
async function ownApp(options: AppOptions = {}): Promise<ManagedApp> {
  const app = await managedApp({ grant: 'client-credentials', ...options })
  app.shopify.installShop(shop, { scopes: ['read_products', 'write_orders'] })
  return app
}

async function storedToken({ record }: ManagedApp): Promise<ClientCredentialsRecord> {
  const stored = await record()
  if (stored?.kind === 'client-credentials') return stored
  throw new Error(`The row holds ${String(stored?.kind)}`)
}

/** What the fake has been asked for, by grant, and what it has answered. */
function granted({ shopify }: ManagedApp): { readonly requested: number; readonly others: number } {
  const { tokenCalls, tokenCallsByGrant } = shopify.counters(shop)
  const requested = tokenCallsByGrant['client-credentials'].granted
  return { requested, others: tokenCalls - requested }
}

/** Waits behind the requests until an event has been raised so often. */
async function raised({ eventsOf }: ManagedApp, type: TokenEventType, times = 1): Promise<void> {
  await until(() => eventsOf(type).length >= times, `${String(times)} ${type}`)
}

function endingIn({ clock }: ManagedApp, ms: number): Partial<ClientCredentialsRecord> {
  return {
    accessToken: 'shpat_theirs',
    obtainedAt: clock.now(),
    expiresAt: clock.now() + ms,
    renewAt: clock.now() + ms,
  }
}

describe('a shop without a token', () => {
  it('gets one by the credentials of the app alone, which goes into the row', async () => {
    const app = await ownApp()

    const token = await app.tokens.token(shop)

    expect(token).toMatchObject({ shop, scopes: ['read_products', 'write_orders'] })
    expect(app.shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(token.expiresAt - app.clock.now()).toBe(86_399_000)
    expect(await storedToken(app)).toMatchObject({ accessToken: token.value, expiresAt: token.expiresAt, attempts: [] })
    expect(granted(app)).toEqual({ requested: 1, others: 0 })
    expect(app.eventsOf('token.acquired')).toEqual([expect.objectContaining({ shop, grant: 'client-credentials' })])
    expect(app.shopify.log(shop).map(({ unexpectedParameters }) => unexpectedParameters)).toEqual([undefined])
  })

  it('gets one for a hundred callers', async () => {
    const app = await ownApp()
    const hold = app.shopify.hold('token')

    const calls = Array.from({ length: 100 }, () => app.tokens.token(shop))
    await hold.arrived()
    await app.clock.settle()
    hold.release()

    expect(new Set((await Promise.all(calls)).map(({ value }) => value)).size).toBe(1)
    expect(granted(app)).toEqual({ requested: 1, others: 0 })
  })

  it('takes the token that another process has stored, and leaves one that it is asking for to it', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)
    expect((await app.anotherProcess().token(shop)).value).toBe(value)

    await app.clock.advance(2 * DAY_MS)
    const hold = app.shopify.hold('token')
    const first = app.tokens.token(shop)
    await hold.arrived()
    const second = app.anotherProcess().token(shop)
    await app.clock.settle()
    hold.release()

    expect((await first).value).toBe((await second).value)
    expect(granted(app)).toEqual({ requested: 2, others: 0 })
  })

  it('is sealed like any other', async () => {
    const sealing = staticKeyRing(parseSealingKeys(`k1:${Buffer.alloc(32, 7).toString('base64')}`))
    const app = await ownApp({ sealing })

    const { value } = await app.tokens.token(shop)

    expect(JSON.stringify(await app.record())).not.toContain(value)
    expect((await app.anotherProcess().token(shop)).value).toBe(value)
  })
})

describe('a process that died while it asked', () => {
  it('is waited for as long as a lease may last, and then another asks', async () => {
    const app = await ownApp()
    const attempt = anAttempt({ grant: 'client-credentials', at: app.clock.now() })
    await app.put(aRecord.empty({ attempts: [attempt] }))

    const { value } = await app.tokens.token(shop)

    expect(app.clock.now() - attempt.at).toBeGreaterThanOrEqual(15_000)
    expect(granted(app)).toEqual({ requested: 1, others: 0 })
    expect(await storedToken(app)).toMatchObject({ accessToken: value })
    expect(app.eventsOf('grant.inDoubt')).toEqual([expect.objectContaining({ grant: 'client-credentials' })])
  })
})

describe('a token of a day', () => {
  it('is served without I/O while it is fresh', async () => {
    const { clock, shopify, store, tokens } = await ownApp()
    const { value } = await tokens.token(shop)
    store.resetCounts()
    await clock.advance(10_000)

    expect((await tokens.token(shop)).value).toBe(value)
    expect(store.count()).toBe(0)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('is followed by another before it ends, behind the request that gets it', async () => {
    const app = await ownApp()
    const { expiresAt, value } = await app.tokens.token(shop)
    await app.clock.advance(expiresAt - app.clock.now() - 2 * MINUTE_MS)
    const hold = app.shopify.hold('token')

    expect((await app.tokens.token(shop)).value).toBe(value)
    await hold.arrived()
    hold.release()
    await raised(app, 'token.acquired', 2)

    expect((await app.tokens.token(shop)).value).not.toBe(value)
    expect(granted(app)).toEqual({ requested: 2, others: 0 })
  })

  it('is requested once a day, and no call meets one that has ended', async () => {
    const app = await ownApp()
    const client = app.tokens.forShop(shop)

    for (let hour = 0; hour < 3 * 24; hour += 1) {
      await client.graphql(QUERY)
      await app.clock.advance(HOUR_MS)
    }

    expect(app.shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 72 })
    expect(granted(app)).toEqual({ requested: 3, others: 0 })
  })

  it('lasts 24 hours when the answer does not say how long', async () => {
    const app = await ownApp()
    app.shopify.faults.next(shop, { kind: 'missing', field: 'expires_in' })

    const { expiresAt } = await app.tokens.token(shop)

    expect(expiresAt - app.clock.now()).toBe(86_399_000)
  })

  it('that is over when it comes is not requested again at once, by whomever', async () => {
    const app = await ownApp()
    app.shopify.faults.next(shop, { kind: 'field', field: 'expires_in', value: 0 }, { times: Infinity })

    await app.tokens.token(shop)
    for (let n = 0; n < 20; n += 1) {
      await expect(app.anotherProcess().token(shop)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN' })
    }

    expect(app.tokenCalls()).toBe(1)
  })

  it('keeps the scopes on record when the answer names none', async () => {
    const app = await ownApp()
    await app.tokens.token(shop)
    await app.clock.advance(2 * DAY_MS)
    app.shopify.faults.next(shop, { kind: 'missing', field: 'scope' })

    expect((await app.tokens.token(shop)).scopes).toEqual(['read_products', 'write_orders'])
  })
})

describe('a token that the Admin API refuses', () => {
  it('is replaced once, and the call repeated', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)
    app.shopify.revokeToken(shop, value)

    await app.tokens.forShop(shop).graphql(QUERY)

    expect(app.shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1, 401: 1 })
    expect(granted(app)).toEqual({ requested: 2, others: 0 })
    expect(await storedToken(app)).toMatchObject({ mintedForRejected: true })
  })

  it('is not replaced for ever when the next one is refused too: the refusal goes to the caller', async () => {
    const app = await ownApp()
    app.shopify.faults.next(shop, { kind: 'status', status: 401 }, { endpoint: 'admin', times: Infinity })
    const client = app.tokens.forShop(shop)

    for (let n = 0; n < 20; n += 1) {
      await expect(client.graphql(QUERY)).rejects.toMatchObject({ code: 'ERR_ADMIN_RESPONSE', status: 401 })
    }

    expect(app.eventsOf('token.rejectedFresh')).toHaveLength(1)
    expect(granted(app)).toEqual({ requested: 2, others: 0 })
  })
})

describe('a shop for which Shopify gives the app no token', () => {
  const refusals = [
    {
      what: 'the app is not installed there',
      refuse: ({ shopify }: ManagedApp): void => {
        shopify.uninstall(shop)
      },
      allow: ({ shopify }: ManagedApp): void => {
        shopify.reinstall(shop)
      },
      error: { code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'app-not-installed' },
    },
    {
      what: 'the shop is not of the organization that owns the app',
      refuse: ({ shopify }: ManagedApp): void => {
        const error = { kind: 'oauth-error', status: 400, error: 'shop_not_permitted' } as const
        shopify.faults.next(shop, error, { times: Infinity })
      },
      allow: ({ shopify }: ManagedApp): void => {
        shopify.faults.clear(shop)
      },
      error: { code: 'ERR_APP_MISCONFIGURED', retryable: false, status: 400 },
    },
  ]

  it.each(refusals)('is told why ($what), and left alone until a cool-down in the row is over', async (refusal) => {
    const app = await ownApp()
    refusal.refuse(app)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ shop, ...refusal.error })
    for (const tokens of [app.tokens, app.anotherProcess()]) {
      await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN', retryAfterMs: 2_000 })
    }

    expect(app.tokenCalls()).toBe(1)
    expect(await app.record()).toMatchObject({ kind: 'empty', attempts: [], mark: null, coolDown: { failures: 1 } })
    expect(app.eventsOf('renewal.failed')).toEqual([expect.objectContaining({ code: refusal.error.code })])
  })

  it.each(refusals)('is asked for at growing distances, in the end once an hour ($what)', async ({ refuse }) => {
    const app = await ownApp()
    refuse(app)

    for (let minute = 0; minute < 6 * 60; minute += 1) {
      await expect(app.tokens.token(shop)).rejects.toThrow()
      await app.clock.advance(MINUTE_MS)
    }

    const minutes = app.shopify.log(shop).map(({ at }) => (at - FAKE_EPOCH) / MINUTE_MS)
    expect(minutes).toEqual([0, 1, 2, 3, 4, 5, 7, 10, 15, 24, 42, 77, 137, 197, 257, 317])
  })

  it.each(refusals)('works again without a restart once that is mended, for operators at once ($what)', async (one) => {
    const app = await ownApp()
    one.refuse(app)
    await expect(app.tokens.token(shop)).rejects.toThrow()
    one.allow(app)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN' })
    const forced = await app.tokens.force(shop)

    expect(app.shopify.accessTokenState(shop, forced.value)).toBe('live')
    expect((await app.anotherProcess().token(shop)).value).toBe(forced.value)
  })

  it.each(refusals)('is served its token while that lives ($what)', async ({ error, refuse }) => {
    const app = await ownApp()
    const { expiresAt, value } = await app.tokens.token(shop)
    refuse(app)
    await app.clock.advance(expiresAt - app.clock.now() - 2 * MINUTE_MS)

    expect((await app.tokens.token(shop)).value).toBe(value)
    await raised(app, 'renewal.failed')
    expect((await app.anotherProcess().token(shop)).value).toBe(value)
    expect(app.tokenCalls()).toBe(2)

    await app.clock.advance(10 * MINUTE_MS)
    await expect(app.tokens.token(shop)).rejects.toMatchObject(error)
  })

  it('is not left alone when another process has got a token meanwhile', async () => {
    const app = await ownApp()
    await app.tokens.token(shop)
    await app.clock.advance(2 * DAY_MS)
    app.shopify.faults.next(shop, { kind: 'app-not-installed' })
    const hold = app.shopify.hold('token')
    const call = app.tokens.token(shop)
    await hold.arrived()
    const theirs = aRecord.clientCredentials({ ...(await storedToken(app)), ...endingIn(app, DAY_MS), attempts: [] })
    await app.put(theirs)
    hold.release()

    expect((await call).value).toBe(theirs.accessToken)
    expect(await storedToken(app)).toMatchObject({ accessToken: theirs.accessToken, coolDown: null })
  })

  it('raises an event when that lasts', async () => {
    const app = await ownApp()
    await app.tokens.token(shop)
    app.shopify.uninstall(shop)
    await app.clock.advance(DAY_MS + HOUR_MS)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ reason: 'app-not-installed' })

    expect(app.eventsOf('renewal.stuck')).toHaveLength(1)
    expect(app.eventsOf('reauthorization.required')).toEqual([])
  })

  it.each([
    ['a wrong client secret', { kind: 'invalid-client' }, 'ERR_APP_MISCONFIGURED'],
    ['an outage', { kind: 'status', status: 503 }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['a refusal that nobody knows', { kind: 'invalid-grant' }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['an answer without a token', { kind: 'missing', field: 'access_token' }, 'ERR_TOKEN_RESPONSE_INVALID'],
  ] as const)('is told from %s', async (_what, answer, code) => {
    const app = await ownApp()
    app.shopify.faults.next(shop, answer, { times: Infinity })

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ code })
    expect(await app.record()).toMatchObject({ kind: 'empty', coolDown: { failures: 1 } })
  })
})

describe('a removal', () => {
  it('leaves a tombstone over which the next token is written', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)

    expect(await app.tokens.remove(shop)).toBe(true)
    expect(await app.record()).toMatchObject({ kind: 'removed' })

    expect((await app.tokens.token(shop)).value).not.toBe(value)
    expect(await app.record()).toMatchObject({ kind: 'client-credentials' })
  })

  it('of an app that was uninstalled leaves a tombstone that stays', async () => {
    const app = await ownApp()
    await app.tokens.token(shop)
    app.shopify.uninstall(shop)
    await app.tokens.remove(shop)

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ reason: 'app-not-installed' })

    expect(await app.record()).toMatchObject({ kind: 'removed', coolDown: { failures: 1 } })
  })

  it('while a token is on its way drops that token, and the row decides anew', async () => {
    const app = await ownApp()
    const hold = app.shopify.hold('token')
    const call = app.tokens.token(shop)
    await hold.arrived()
    await app.anotherProcess().remove(shop)
    hold.release()

    const { value } = await call

    expect(granted(app)).toEqual({ requested: 2, others: 0 })
    expect(await storedToken(app)).toMatchObject({ accessToken: value, attempts: [] })
  })
})

describe('scopes that a token lacks', () => {
  it('come with the next one, which is requested at once', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)
    app.shopify.installShop(shop, { scopes: ['write_products'] })

    const token = await app.tokens.token(shop, { scopes: ['write_products'] })

    expect(token.value).not.toBe(value)
    expect(token.scopes).toEqual(['write_products'])
    expect(granted(app)).toEqual({ requested: 2, others: 0 })
    expect(app.eventsOf('scopes.changed')).toHaveLength(1)
  })

  it('that nobody has granted are looked for once a minute, and the token goes on', async () => {
    const app = await ownApp()
    await app.tokens.token(shop)

    for (let n = 0; n < 20; n += 1) {
      await expect(app.tokens.token(shop, { scopes: ['write_products'] })).rejects.toMatchObject({
        code: 'ERR_SCOPE_MISSING',
        missing: ['write_products'],
      })
    }
    expect(granted(app)).toEqual({ requested: 2, others: 0 })
    await app.clock.advance(MINUTE_MS)
    await expect(app.tokens.token(shop, { scopes: ['write_products'] })).rejects.toThrow()

    expect(granted(app)).toEqual({ requested: 3, others: 0 })
    expect((await app.tokens.token(shop)).scopes).toEqual(['read_products', 'write_orders'])
  })
})

describe('two processes that asked at once, because a lease had ended', () => {
  it.each([
    ['ends later than ours', 1, 'theirs'],
    ['ends sooner than ours', -1, 'ours'],
  ])('keep the one token that lasts: the one on record %s', async (_title, later, kept) => {
    const app = await ownApp()
    const hold = app.shopify.hold('token')
    const call = app.tokens.token(shop)
    await hold.arrived()
    const obtainedAt = app.clock.now()
    const theirs = aRecord.clientCredentials({
      ...{ obtainedAt, expiresAt: obtainedAt + 86_399_000 + later * MINUTE_MS, accessToken: 'shpat_theirs' },
      secretId: 'of another secret',
    })
    await app.put(theirs)
    hold.release()

    const { value } = await call

    expect(value === 'shpat_theirs' ? 'theirs' : 'ours').toBe(kept)
    expect((await storedToken(app)).accessToken).toBe(value)
    expect(app.tokenCalls()).toBe(1)
    expect(app.eventsOf('rotation.merged')).toEqual([])
  })
})

describe('a store that takes no token', () => {
  it('leaves it to be had from memory: nobody requests another', async () => {
    const app = await ownApp()
    app.store.next('put', fault.pass(), fault.failBefore(), fault.failBefore(), fault.failBefore())

    const { value } = await app.tokens.token(shop)
    expect((await app.tokens.token(shop)).value).toBe(value)
    await raised(app, 'token.acquired')

    expect(await storedToken(app)).toMatchObject({ accessToken: value })
    expect(app.tokenCalls()).toBe(1)
  })

  it('keeps nobody from closing: the next process requests one', async () => {
    const app = await ownApp()
    app.store.next('put', fault.pass(), ...Array.from({ length: 1_000 }, () => fault.failBefore()))
    await app.tokens.token(shop)

    await expect(app.tokens.close()).resolves.toBeUndefined()
  })
})

describe('what a manager of another grant has stored', () => {
  it('is served by a manager of pairs while it lives, and never renewed there', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)
    const pairs = app.anotherProcess({ grant: undefined })
    const idToken = app.shopify.sessionToken(shop)
    const row = await app.record()

    expect((await pairs.token(shop, { idToken })).value).toBe(value)
    await expect(pairs.token(shop, { rejected: value })).rejects.toMatchObject({ code: 'ERR_APP_MISCONFIGURED' })
    await expect(pairs.force(shop)).rejects.toMatchObject({ code: 'ERR_APP_MISCONFIGURED' })
    await app.clock.advance(2 * DAY_MS)
    for (let n = 0; n < 10; n += 1) {
      await expect(pairs.token(shop, { idToken: app.shopify.sessionToken(shop) })).rejects.toMatchObject({
        code: 'ERR_APP_MISCONFIGURED',
      })
    }

    expect(app.tokenCalls()).toBe(1)
    expect(await app.record()).toEqual(row)
  })

  it.each<[string, (app: ManagedApp) => Promise<TokenRecord>]>([
    ['a pair', (app) => app.seed()],
    [
      'a token without an end',
      async (app) => {
        const record = aRecord.nonExpiring({
          ...{ accessToken: app.shopify.mintNonExpiring(shop), secretId: (await app.seed()).secretId },
        })
        await app.put(record)
        return record
      },
    ],
  ])(
    'is served by a manager of client credentials while it lives, and never replaced there: %s',
    async (_what, seed) => {
      const app = await ownApp()
      const row = await seed(app)
      const { value } = await app.tokens.token(shop)

      expect(row).toMatchObject({ accessToken: value })
      for (let n = 0; n < 10; n += 1) {
        await expect(app.tokens.token(shop, { rejected: value })).rejects.toMatchObject({
          code: 'ERR_APP_MISCONFIGURED',
        })
      }
      await expect(app.tokens.force(shop)).rejects.toMatchObject({ code: 'ERR_APP_MISCONFIGURED' })

      expect(app.tokenCalls()).toBe(0)
      expect(await app.record()).toEqual(row)
    },
  )

  it('is taken over after a removal, which says that it is meant', async () => {
    const app = await ownApp()
    await app.seed()
    await app.tokens.remove(shop)

    await app.tokens.token(shop)

    expect(await app.record()).toMatchObject({ kind: 'client-credentials' })
  })

  it('is taken over by an acquisition, which the manager of client credentials then leaves alone', async () => {
    const app = await ownApp()
    await app.tokens.token(shop)
    const pairs = app.anotherProcess({ grant: undefined })

    const { value } = await pairs.acquire(shop, { idToken: app.shopify.sessionToken(shop) })

    expect(await app.record()).toMatchObject({ kind: 'expiring', accessToken: value })
    expect((await app.anotherProcess().token(shop)).value).toBe(value)
  })

  it('stays when it came while a token was on its way', async () => {
    const app = await ownApp()
    const hold = app.shopify.hold('token')
    const call = app.tokens.token(shop)
    await hold.arrived()
    const attempts = (await app.record())?.attempts ?? []
    const pair = await app.seed({ attempts })
    hold.release()

    expect((await call).value).toBe(pair.accessToken)
    expect(attempts).toHaveLength(1)
    expect(await app.record()).toEqual({ ...pair, attempts: [], sweepAt: expect.any(Number) as number })
  })

  it('is served whoever made it, if it is a static token', async () => {
    const app = await ownApp()
    await app.put(aRecord.static({ accessToken: 'shpat_static' }))

    expect((await app.tokens.token(shop)).value).toBe('shpat_static')
    expect(app.tokenCalls()).toBe(0)
  })
})

describe('a merchant who is there', () => {
  it('is known by the session token, which changes nothing about the token', async () => {
    const app = await ownApp()
    const idToken = app.shopify.sessionToken(shop)

    expect(await app.tokens.verifySessionToken(idToken)).toMatchObject({ shop })
    await app.tokens.forShop(shop, { idToken }).graphql(QUERY)
    expect(granted(app)).toEqual({ requested: 1, others: 0 })
  })

  it('does not shorten a cool-down', async () => {
    const app = await ownApp()
    app.shopify.uninstall(shop)
    const idToken = app.shopify.sessionToken(shop)

    const calls = Array.from({ length: 20 }, () => app.tokens.token(shop, { idToken }))

    for (const call of calls) await expect(call).rejects.toMatchObject({ reason: 'app-not-installed' })
    expect(app.tokenCalls()).toBe(1)
  })

  it('brings nothing to acquire', async () => {
    const app = await ownApp()
    const idToken = app.shopify.sessionToken(shop)

    await expect(app.tokens.acquire(shop, { idToken })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      options: ['grant'],
    })
    expect(app.tokenCalls()).toBe(0)
  })
})

describe('a change of the client secret', () => {
  it('leaves the token to those who know the secret that it came by', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)
    const old = app.anotherProcess({ clientSecret: 'another secret' })

    expect((await old.token(shop)).value).toBe(value)
    await app.clock.advance(2 * DAY_MS)
    await expect(old.token(shop)).rejects.toMatchObject({ code: 'ERR_SECRET_OUTDATED' })
    expect(app.tokenCalls()).toBe(1)
  })

  it('is survived: the next token comes by the new secret', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)
    app.shopify.addClientSecret('new secret')
    const rotated = app.anotherProcess({ clientSecret: 'new secret', previousClientSecret: 'test-client-secret' })
    await rotated.force(shop)
    app.shopify.revokeClientSecret('test-client-secret')

    const token = await rotated.token(shop)

    expect(token.value).not.toBe(value)
    expect(app.shopify.accessTokenState(shop, token.value)).toBe('live')
  })
})

describe('two apps on one store', () => {
  it('keep their tokens apart, one with pairs and one with client credentials', async () => {
    const app = await ownApp()
    const { value } = await app.tokens.token(shop)
    const other = app.anotherProcess({ clientId: 'another-app', grant: undefined })

    await expect(other.token(shop)).rejects.toMatchObject({ reason: 'not-installed' })
    expect(await app.store.get({ clientId: CLIENT_ID, shop })).toMatchObject({ record: { accessToken: value } })
  })
})
