import { type ExpiringRecord, fingerprint, type TokenManager } from '@shopify-tokens/core'
import { anAttempt, aRecord, fault } from '@shopify-tokens/testing'
import { type AnnouncingStore, announcing } from './announcing-store.js'
import { CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

interface App extends ManagedApp {
  readonly news: AnnouncingStore
}

async function appWithNews(close?: () => Promise<void>): Promise<App> {
  const app = await managedApp()
  const news = announcing(app.store, close)
  return { ...app, news, tokens: app.anotherProcess({ store: news.store }) }
}

/** The pair that another process has brought in the meantime. */
function theirs(app: ManagedApp): ExpiringRecord {
  return aRecord.expiring({ obtainedAt: app.clock.now(), secretId: fingerprint(CLIENT_SECRET) })
}

/** A process that hears, before the answer of its `nth` read, that another one has put `record` meanwhile. */
function writtenDuringRead(
  app: App,
  nth: number,
  record: ExpiringRecord,
  then: () => void = () => undefined,
): TokenManager {
  const { get } = app.news.store
  let reads = 0
  return app.anotherProcess({
    store: {
      ...app.news.store,
      get: async (key) => {
        const snapshot = await get(key)
        if (++reads === nth) {
          await app.put(record)
          app.news.announce(shop)
          then()
        }
        return snapshot
      },
    },
  })
}

describe('a run that waits for another process', () => {
  /** An expired token that another process has just begun to renew. */
  async function beingRenewed(app: ManagedApp): Promise<ExpiringRecord> {
    return app.seed({ ageMs: 2 * HOUR_MS, attempts: [anAttempt({ at: app.clock.now() })] })
  }

  it('is woken by news of the new pair, without any time passing', async () => {
    const app = await appWithNews()
    await beingRenewed(app)
    const renewed = theirs(app)
    const began = app.clock.monotonic()

    const standingStill = app.clock.watch(async () => {
      const call = app.tokens.token(shop)
      await app.clock.settle()
      await app.put(renewed)
      app.news.announce(shop)
      return call
    })

    expect((await standingStill()).value).toBe(renewed.accessToken)
    expect(app.clock.monotonic()).toBe(began)
    expect(app.store.count('get')).toBe(1)
  })

  it('loses no news that come between reading the row and waiting', async () => {
    const app = await appWithNews()
    await beingRenewed(app)
    const renewed = theirs(app)
    const began = app.clock.monotonic()
    const { get } = app.news.store
    let reads = 0
    const late = app.anotherProcess({
      store: {
        ...app.news.store,
        get: async (key) => {
          const snapshot = await get(key)
          // The first read is of the cache's; the second is the run's.
          if (++reads === 2) {
            await app.put(renewed)
            app.news.announce(shop)
          }
          return snapshot
        },
      },
    })

    const standingStill = app.clock.watch(() => late.token(shop))
    expect((await standingStill()).value).toBe(renewed.accessToken)
    expect(app.clock.monotonic()).toBe(began)
  })

  it('looks at the row itself once a second while news are expected, and often when they are not', async () => {
    const looks = async (isLive: boolean): Promise<number> => {
      const app = await appWithNews()
      await beingRenewed(app)
      app.news.isLive = isLive
      await app.tokens.token(shop)
      return app.store.count('get')
    }

    expect(await looks(true)).toBeLessThan(25)
    expect(await looks(false)).toBeGreaterThan(100)
  })

  it('finds the new pair in the end although its news were lost', async () => {
    const app = await appWithNews()
    await beingRenewed(app)
    const renewed = theirs(app)
    const call = app.tokens.token(shop)
    await app.put(renewed)

    expect((await call).value).toBe(renewed.accessToken)
    expect(app.tokenCalls()).toBe(0)
  })

  it('is not kept awake by news that came while it found a refresh token dead', async () => {
    const app = await appWithNews()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.faults.next(shop, { kind: 'terminal' })
    const hold = app.shopify.hold('token')
    const call = app.tokens.token(shop)
    await hold.arrived()
    const row = (await app.record()) as ExpiringRecord
    await app.put({ ...row, attempts: [...row.attempts, anAttempt({ at: app.clock.now() })] })
    app.news.announce(shop)
    hold.release()

    await expect(call).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(app.store.count('get')).toBeLessThan(60)
  })

  it('ends at once when the manager closes', async () => {
    const app = await appWithNews()
    await beingRenewed(app)
    const began = app.clock.monotonic()

    const standingStill = app.clock.watch(async () => {
      const call = expect(app.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
      await app.clock.settle()
      await Promise.all([call, app.tokens.close()])
    })
    await standingStill()

    expect(app.clock.monotonic()).toBe(began)
  })

  it('is not woken by news of other shops or other apps', async () => {
    const app = await appWithNews()
    await beingRenewed(app)
    const standingStill = app.clock.watch(async () => {
      const call = app.tokens.token(shop)
      await app.clock.settle()
      const before = app.store.count('get')
      app.news.announce(shop, 'another-app')
      app.news.announce(theOther)
      await app.clock.settle()
      return { call, looks: app.store.count('get') - before }
    })

    const { call, looks } = await standingStill()
    expect(looks).toBe(0)
    await call
  })
})

const theOther = 'other.myshopify.com' as typeof shop

describe('a cached token whose row another process has written', () => {
  it('is served once more and read again behind the request', async () => {
    const app = await appWithNews()
    const first = await app.seed()
    await app.tokens.token(shop)
    const second = theirs(app)
    await app.put(second)
    app.news.announce(shop)

    expect((await app.tokens.token(shop)).value).toBe(first.accessToken)
    await app.clock.settle()
    expect((await app.tokens.token(shop)).value).toBe(second.accessToken)
    expect(app.store.count('get')).toBe(1)
  })

  it('is read before it is served when it never expires: a migration has ended it', async () => {
    const app = await appWithNews()
    await app.put(aRecord.nonExpiring({ secretId: fingerprint(CLIENT_SECRET) }))
    await app.tokens.token(shop)
    const migrated = theirs(app)
    await app.put(migrated)
    app.news.announce(shop)

    expect((await app.tokens.token(shop)).value).toBe(migrated.accessToken)
  })

  it('is not read for news alone', async () => {
    const app = await appWithNews()
    await app.seed()
    await app.tokens.token(shop)
    app.store.resetCounts()

    for (let n = 0; n < 100; n++) app.news.announce(shop)
    app.news.announce(theOther)
    await app.clock.settle()

    expect(app.store.count()).toBe(0)
  })

  it('is read once for a hundred announcements', async () => {
    const app = await appWithNews()
    await app.seed()
    await app.tokens.token(shop)
    app.store.resetCounts()
    for (let n = 0; n < 100; n++) app.news.announce(shop)

    for (let n = 0; n < 10; n++) {
      await app.tokens.token(shop)
      await app.clock.settle()
    }
    expect(app.store.count()).toBe(1)
  })

  it('is read once more when it was written while it was being read', async () => {
    const app = await appWithNews()
    await app.seed()
    const renewed = theirs(app)
    // The second read goes on behind the second request.
    const tokens = writtenDuringRead(app, 2, renewed)
    await tokens.token(shop)
    app.news.announce(shop)
    await tokens.token(shop)
    await app.clock.settle()

    expect((await tokens.token(shop)).value).toBe(renewed.accessToken)
    expect(app.store.count('get')).toBe(1)
  })

  it('is served on when it cannot be read again', async () => {
    const app = await appWithNews()
    const { accessToken } = await app.seed()
    await app.tokens.token(shop)
    app.store.always('get', fault.failBefore())
    app.news.announce(shop)

    for (let n = 0; n < 10; n++) {
      expect((await app.tokens.token(shop)).value).toBe(accessToken)
      await app.clock.settle()
    }
  })

  it('is forgotten when the app was removed', async () => {
    const app = await appWithNews()
    await app.seed()
    await app.tokens.token(shop)
    await app.put(aRecord.removed())
    app.news.announce(shop)

    await app.tokens.token(shop)
    await app.clock.settle()
    await expect(app.tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })
})

describe('a row that was written while it was being read', () => {
  it('is served as it was read, when it cannot be read once more', async () => {
    const app = await appWithNews()
    const { accessToken } = await app.seed()
    const tokens = writtenDuringRead(app, 1, theirs(app), () => {
      app.store.always('get', fault.failBefore())
    })

    expect((await tokens.token(shop)).value).toBe(accessToken)
  })
})

describe('watching the store', () => {
  it.each([
    ['token', (tokens: TokenManager) => tokens.token(shop)],
    ['force', (tokens: TokenManager) => tokens.force(shop)],
  ])('begins with the first %s, once, and not when the manager is made', async (_title, call) => {
    const app = await appWithNews()
    await app.seed()
    expect(app.news.opened).toBe(0)

    await call(app.tokens)
    await call(app.tokens)
    await app.tokens.token(shop, { rejected: 'shpat_of_yesterday' })

    expect(app.news.opened).toBe(1)
  })

  it('ends when the manager closes, and does not begin again', async () => {
    const app = await appWithNews()
    await app.seed()
    await app.tokens.token(shop)

    await app.tokens.close()
    await app.tokens.token(shop, { rejected: 'shpat_of_yesterday' })

    expect(app.news).toMatchObject({ opened: 1, closed: 1 })
  })

  it('was never begun by a manager that closes before its first token', async () => {
    const app = await appWithNews()
    await app.tokens.close()
    await app.tokens.token(shop).catch(() => undefined)

    expect(app.news).toMatchObject({ opened: 0, closed: 0 })
  })

  it.each([
    ['hangs', () => new Promise<never>(() => undefined)],
    ['fails', () => Promise.reject(new Error('ECONNRESET'))],
  ])('does not keep the manager from closing when its end %s', async (_title, close) => {
    const app = await appWithNews(close)
    await app.seed()
    await app.tokens.token(shop)

    await app.tokens.close()
    expect(app.news.closed).toBe(1)
  })

  it('is done without when the store’s watch throws, and the operator is told once', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const app = await appWithNews()
    const { accessToken } = await app.seed({ ageMs: HOUR_MS - 60_000 })
    const watch = jest.fn(() => {
      throw new RangeError('no connection string')
    })
    const tokens = app.anotherProcess({ store: { ...app.news.store, watch } })

    expect((await tokens.token(shop)).value).toBe(accessToken)
    expect((await tokens.force(shop)).value).not.toBe(accessToken)
    await tokens.close()

    expect(watch).toHaveBeenCalledTimes(1)
    expect(warn.mock.calls).toEqual([[expect.stringContaining('RangeError'), 'ShopifyTokensWarning']])
  })
})
