import type { AccessToken, AnyShopifyTokenError, RecordKey, Snapshot } from '@shopify-tokens/core'
import { aCoolDown, aMark, anAttempt, aRecord, aToken, fault } from '@shopify-tokens/testing'
import { announcing } from './announcing-store.js'
import { CLIENT_ID, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'
import { aReader, deedsOf, NOTHING_DONE, type Reader } from './reader.js'

jest.setTimeout(30_000)
afterEach(closeAll)

const MINUTE_MS = 60_000
/** No multiple of the pauses between two looks. */
const WAIT_MS = 9_950
const KEY: RecordKey = { clientId: CLIENT_ID, shop }
const DUE = { ageMs: 57 * MINUTE_MS }
const OVER = { ageMs: 2 * HOUR_MS }

interface ReadApp extends ManagedApp {
  readonly reader: Reader
  row(): Promise<Snapshot>
  /** Makes `app.tokens` look for shops that were asked for, and for nothing else while the test runs. */
  startRenewer(): void
}

async function readApp(): Promise<ReadApp> {
  const app = await managedApp()
  return {
    ...app,
    reader: aReader(app),
    row: () => app.store.get(KEY),
    startRenewer: () => {
      app.tokens.startKeepAlive({ askedEveryMs: 500, sweepEveryMs: 24 * HOUR_MS })
    },
  }
}

const values = (tokens: readonly AccessToken[]): string[] => [...new Set(tokens.map(({ value }) => value))]

function asManyTokens(times: number, { tokens }: Reader): Promise<AccessToken[]> {
  return Promise.all(Array.from({ length: times }, () => tokens.token(shop)))
}

describe('a fresh token', () => {
  it('is read once and served, and nobody is asked', async () => {
    const { reader, seed } = await readApp()
    const { accessToken } = await seed()

    expect(values(await asManyTokens(100, reader))).toEqual([accessToken])
    expect(reader.store.count()).toBe(1)
  })

  it('comes back though it was refused: why that was, nobody can find out here', async () => {
    const { clock, reader, seed } = await readApp()
    const { accessToken } = await seed()
    const began = clock.monotonic()

    expect((await reader.tokens.token(shop, { rejected: accessToken })).value).toBe(accessToken)
    expect(clock.monotonic()).toBe(began)
    expect(reader.store.count('ask')).toBe(0)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('takes the place of one that was refused', async () => {
    const { reader, seed } = await readApp()
    await seed()
    const [old] = await asManyTokens(1, reader)
    const { accessToken } = await seed()

    expect((await reader.tokens.token(shop, { rejected: old?.value })).value).toBe(accessToken)
  })
})

describe('a token inside its renewal window', () => {
  it('is served at once and asked for, once however many requests come', async () => {
    const { clock, reader, row, seed } = await readApp()
    const { accessToken } = await seed(DUE)
    const before = await row()

    for (let second = 0; second < 60; second++) {
      expect(values(await asManyTokens(50, reader))).toEqual([accessToken])
      await clock.advance(1_000)
    }

    expect(reader.store.count('ask')).toBe(1)
    expect(reader.store.count('get')).toBeLessThanOrEqual(2 + 60 / 2)
    expect(await row()).toEqual({ ...before, askedAt: expect.any(Number) as number, now: clock.now() })
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('hands the question to the background hook, which may freeze everything else', async () => {
    const app = await readApp()
    const works: Promise<void>[] = []
    const reader = aReader(app, { background: (work) => works.push(work) })
    await app.seed(DUE)
    reader.store.next('ask', fault.delay(1_000))
    await reader.tokens.token(shop)

    expect(works).toHaveLength(1)
    await works[0]
    expect(await app.row()).toMatchObject({ askedAt: app.clock.now() })
  })

  it('is renewed by whoever looks for shops that were asked for, and then served here', async () => {
    const { clock, reader, row, seed, startRenewer, tokenCalls } = await readApp()
    const { accessToken } = await seed(DUE)
    startRenewer()
    await reader.tokens.token(shop)
    await clock.sleep(5_000)
    await reader.tokens.token(shop)
    await clock.settle()

    const { value } = await reader.tokens.token(shop)
    expect(value).not.toBe(accessToken)
    expect(await row()).toMatchObject({ record: { accessToken: value }, askedAt: null })
    expect(tokenCalls()).toBe(1)
    expect(reader.store.count('ask')).toBe(1)
  })

  it('is renewed by a process that was started after it was asked for, and whoever asked is gone', async () => {
    const { clock, reader, seed, startRenewer, tokenCalls } = await readApp()
    await seed(DUE)
    await reader.tokens.token(shop)
    await clock.settle()
    expect(reader.store.count('ask')).toBe(1)
    await reader.tokens.close()

    startRenewer()
    await clock.sleep(2_000)

    expect(tokenCalls()).toBe(1)
  })

  it.each([
    ['is marked', { mark: aMark() }],
    ['cools down', { coolDown: aCoolDown({ failures: 5 }) }],
    ['is being renewed', { attempts: [anAttempt()] }],
  ])('is not asked for while its shop %s: that would be in vain', async (_which, given) => {
    const { clock, reader, seed } = await readApp()
    const { accessToken } = await seed({ ...DUE, ...given })

    expect((await reader.tokens.token(shop)).value).toBe(accessToken)
    await clock.settle()
    expect(reader.store.count('ask')).toBe(0)
  })

  it.each(['failBefore', 'hangBefore'] as const)('is served whatever becomes of the question: %s', async (kind) => {
    const { clock, reader, seed } = await readApp()
    const { accessToken } = await seed(DUE)
    reader.store.always('ask', fault[kind]())
    const began = clock.monotonic()

    expect((await reader.tokens.token(shop)).value).toBe(accessToken)
    expect((await reader.tokens.token(shop, { rejected: aToken() })).value).toBe(accessToken)
    expect(clock.monotonic()).toBe(began)
    reader.store.heal()
  })
})

describe('a token that is over', () => {
  it('is asked for once and awaited in one place, for a hundred callers', async () => {
    const { reader, seed, shopify, startRenewer, tokenCalls } = await readApp()
    await seed(OVER)
    startRenewer()

    const [value, ...others] = values(await asManyTokens(100, reader))

    expect(others).toEqual([])
    expect(shopify.accessTokenState(shop, String(value))).toBe('live')
    expect(tokenCalls()).toBe(1)
    expect(reader.store.count('ask')).toBe(1)
    // One look every 100 ms, and the renewer came within 500 ms.
    expect(reader.store.count('get')).toBeLessThanOrEqual(2 + 8)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('is had as soon as the store tells that it was renewed', async () => {
    const app = await readApp()
    const news = announcing(app.store)
    const reader = aReader(app, { store: news.store })
    await app.seed(OVER)
    const began = app.clock.monotonic()

    const standingStill = app.clock.watch(async () => {
      const call = reader.tokens.token(shop)
      await app.clock.settle()
      const { accessToken } = await app.seed()
      news.announce(shop)
      expect((await call).value).toBe(accessToken)
    })

    await standingStill()
    expect(app.clock.monotonic()).toBe(began)
    expect(reader.store.count('ask')).toBe(1)
  })

  it.each(['silent', 'announcing'])('ends after waitMs with the documented code (%s store)', async (kind) => {
    const app = await readApp()
    const store = kind === 'silent' ? app.store : announcing(app.store).store
    const reader = aReader(app, { store, waitMs: WAIT_MS })
    await app.seed(OVER)
    const began = app.clock.monotonic()

    await expect(reader.tokens.token(shop)).rejects.toMatchObject({
      ...{ code: 'ERR_RENEWAL_ELSEWHERE', retryable: true, retryAfterMs: 2_000, shop },
    })

    expect(app.clock.monotonic() - began).toBe(WAIT_MS)
    expect(reader.store.count('ask')).toBe(1)
    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_RENEWAL_ELSEWHERE' })
    expect(reader.store.count('ask')).toBe(1)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('is the fault of the store when the question cannot be put', async () => {
    const { reader, seed } = await readApp()
    await seed(OVER)
    reader.store.always('ask', fault.failBefore())

    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it('ends at once where the shop cools down for longer than anybody waits', async () => {
    const { clock, reader, seed } = await readApp()
    await seed({ ...OVER, coolDown: aCoolDown({ failures: 5 }) })
    const began = clock.monotonic()

    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN', retryAfterMs: 60_000 })
    expect(clock.monotonic()).toBe(began)
    expect(reader.store.count('ask')).toBe(0)
  })

  it('ends with the code of the crowd that was refused with it', async () => {
    const { reader, seed } = await readApp()
    await seed({ ...OVER, coolDown: aCoolDown({ scope: 'suspect' }) })

    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_FLEET_SUSPECT', retryAfterMs: 60_000 })
  })

  it('is asked for when a short cool-down is over, and had in the same request', async () => {
    const { clock, reader, seed, shopify, startRenewer, tokenCalls } = await readApp()
    await seed({ ...OVER, coolDown: aCoolDown({ until: clock.now() + 4_000 }) })
    startRenewer()
    const began = clock.monotonic()

    const { value } = await reader.tokens.token(shop)

    expect(shopify.accessTokenState(shop, value)).toBe('live')
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(4_000)
    expect([reader.store.count('ask'), tokenCalls()]).toEqual([1, 1])
  })

  it('is asked for again where the renewer has died over it', async () => {
    const { clock, reader, seed, shopify, startRenewer } = await readApp()
    await seed({ ...OVER, attempts: [anAttempt({ at: clock.now() - 10_000 })] })
    startRenewer()

    const { value } = await reader.tokens.token(shop)

    expect(shopify.accessTokenState(shop, value)).toBe('live')
    expect(reader.store.count('ask')).toBe(1)
  })

  it('makes nobody wait whose process is closed, and those who wait go', async () => {
    const { clock, reader, seed } = await readApp()
    await seed(OVER)
    const standingStill = clock.watch(async () => {
      const waiting = reader.tokens.token(shop)
      waiting.catch(() => undefined)
      await clock.settle()
      await reader.tokens.close()
      return waiting
    })

    await expect(standingStill()).rejects.toMatchObject({ code: 'ERR_CLOSED', shop })
    expect(clock.monotonic()).toBe(0)
    expect(reader.store.count('ask')).toBe(1)

    await seed(OVER)
    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_CLOSED', shop })
    expect(reader.store.count('ask')).toBe(1)
  })

  it.each([
    ['is marked', (app) => app.seed({ ...OVER, mark: aMark() }), 'refresh-token-rejected'],
    ['has removed the app', (app) => app.put(aRecord.removed()), 'removed'],
    ['was never there', () => Promise.resolve(), 'not-installed'],
  ] satisfies [string, (app: ManagedApp) => Promise<unknown>, string][])(
    'of a shop that %s needs its merchant, as elsewhere, and is left to another process then',
    async (_which, prepare, reason) => {
      const app = await readApp()
      const { clock, reader, shopify } = app
      await prepare(app)
      shopify.installShop(shop)
      const began = clock.monotonic()

      for (const idToken of [undefined, shopify.sessionToken(shop)]) {
        await expect(reader.tokens.token(shop, { idToken })).rejects.toMatchObject({
          ...{ code: 'ERR_REAUTHORIZATION_REQUIRED', reason, shop },
        })
      }
      expect(clock.monotonic()).toBe(began)
      expect(reader.store.count('ask')).toBe(0)
      expect(deedsOf(reader)).toEqual(NOTHING_DONE)
    },
  )
})

describe('a store that is away', () => {
  it('leaves the token at hand to the reader, to its end', async () => {
    const { clock, reader, seed } = await readApp()
    const { accessToken } = await seed({ ageMs: 54 * MINUTE_MS })
    await reader.tokens.token(shop)
    reader.store.always('get', fault.failBefore()).always('ask', fault.failBefore())

    for (let minute = 0; minute < 5; minute++) {
      await clock.advance(MINUTE_MS)
      expect((await reader.tokens.token(shop)).value).toBe(accessToken)
      await clock.settle()
    }
    await clock.advance(2 * MINUTE_MS)
    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })
})

describe('a shop whose renewals keep failing', () => {
  it('is asked for once per cool-down, and costs Shopify no more calls than without a reader', async () => {
    const { clock, eventsOf, reader, seed, shopify, startRenewer, tokenCalls } = await readApp()
    await seed(OVER)
    shopify.faults.next(shop, { kind: 'status', status: 503 }, { times: Infinity })
    startRenewer()
    const codes = new Set<string>()

    for (let second = 0; second < 600; second++) {
      await reader.tokens.token(shop).catch((error: unknown) => codes.add((error as AnyShopifyTokenError).code))
      await clock.sleep(1_000)
    }

    const failures = eventsOf('renewal.failed').length
    expect([...codes].sort()).toEqual(['ERR_COOLING_DOWN', 'ERR_RENEWAL_ELSEWHERE'])
    // Cool-downs of up to a minute in ten minutes, after a few that were shorter.
    expect(failures).toBeGreaterThanOrEqual(8)
    expect(failures).toBeLessThanOrEqual(20)
    expect(tokenCalls()).toBeLessThanOrEqual(failures * 6)
    expect(reader.store.count('ask')).toBeLessThanOrEqual(failures + 1)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })
})
