import { type Clock, MemoryTokenStore } from '@shopify-tokens/core'
import { aCoolDown, type FakeClock, FaultyStore } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'
import { aReader, deedsOf, NOTHING_DONE, type Reader } from './reader.js'

afterEach(closeAll)

const MINUTE_MS = 60_000

/** The same clock on a machine that is `skewMs` ahead. */
function ahead(clock: FakeClock, skewMs: number): Clock {
  return {
    now: () => clock.now() + skewMs,
    monotonic: () => clock.monotonic(),
    sleep: (...rest) => clock.sleep(...rest),
  }
}

/** A reader on a machine that is `skewMs` ahead, over a store whose machine is right. */
async function skewedReader(skewMs: number): Promise<ManagedApp & { readonly reader: Reader }> {
  const app = await managedApp()
  return { ...app, reader: aReader(app, { clock: ahead(app.clock, skewMs) }) }
}

/** What an app does that talks to the Admin API with a client of its own: the reader hears no `Date`. */
async function statusWith(app: ManagedApp, token: string): Promise<number> {
  const answer = await app.clock.watch(app.shopify.fetch.bind(app.shopify))(
    `https://${shop}/admin/api/2026-10/shop.json`,
    {
      headers: { 'x-shopify-access-token': token },
    },
  )
  return answer.status
}

describe('a reader whose clock is ahead', () => {
  it('serves a token that is over by its own clock alone, and asks for nothing', async () => {
    const { reader, seed, shopify } = await skewedReader(50 * MINUTE_MS)
    const { accessToken } = await seed({ ageMs: 20 * MINUTE_MS })

    for (let n = 0; n < 3; n++) expect((await reader.tokens.token(shop)).value).toBe(accessToken)

    expect(shopify.accessTokenState(shop, accessToken)).toBe('live')
    expect(reader.store.count('ask')).toBe(0)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('asks for it when the store says that it is due', async () => {
    const { reader, seed } = await skewedReader(50 * MINUTE_MS)
    const { accessToken } = await seed({ ageMs: 57 * MINUTE_MS })

    for (let n = 0; n < 3; n++) expect((await reader.tokens.token(shop)).value).toBe(accessToken)

    expect(reader.store.count('ask')).toBe(1)
  })
})

describe('a reader on one machine with the store, both hours ahead', () => {
  it('takes the word of a renewer that looks and finds the token alive', async () => {
    const skewMs = 2 * HOUR_MS
    const app = await managedApp({ rowsIn: (clock) => new MemoryTokenStore({ clock: ahead(clock, skewMs) }) })
    const reader = aReader(app, { clock: ahead(app.clock, skewMs) })
    const { accessToken } = await app.seed({ ageMs: 10 * MINUTE_MS })
    app.tokens.startKeepAlive()

    expect((await reader.tokens.token(shop)).value).toBe(accessToken)
    expect(reader.store.count('ask')).toBe(1)
    expect(app.tokenCalls()).toBe(0)

    await app.clock.sleep(HOUR_MS)
    const renewed = await reader.tokens.token(shop)
    expect(app.shopify.accessTokenState(shop, renewed.value)).toBe('live')
    expect(app.tokenCalls()).toBe(1)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
    await app.tokens.close()
  })
})

describe('a reader with other durations than the renewer', () => {
  it('takes its word that a token has life enough, though it would have renewed sooner itself', async () => {
    const app = await managedApp()
    const reader = aReader(app, { refreshAheadMs: 15 * MINUTE_MS, minRemainingMs: 10 * MINUTE_MS })
    const { accessToken } = await app.seed({ ageMs: 54 * MINUTE_MS })
    app.tokens.startKeepAlive()

    expect((await reader.tokens.token(shop)).value).toBe(accessToken)

    expect(app.tokenCalls()).toBe(0)
    expect(reader.store.count('ask')).toBe(1)
    await app.tokens.close()
  })
})

describe('a reader whose clock is behind', () => {
  it('believes the store once Shopify has refused the token: it asks and waits', async () => {
    const app = await skewedReader(-50 * MINUTE_MS)
    const { accessToken } = await app.seed({ ageMs: 65 * MINUTE_MS })
    app.tokens.startKeepAlive({ askedEveryMs: 500 })
    const { value: served } = await app.reader.tokens.token(shop)
    expect(served).toBe(accessToken)
    expect(await statusWith(app, served)).toBe(401)

    const { value } = await app.reader.tokens.token(shop, { rejected: served })

    expect(await statusWith(app, value)).toBe(200)
    expect(app.reader.store.count('ask')).toBe(1)
    expect(deedsOf(app.reader)).toEqual(NOTHING_DONE)
  })

  it('leaves a shop no longer alone than the store says', async () => {
    const app = await skewedReader(-50 * MINUTE_MS)
    const until = app.clock.now() - MINUTE_MS
    const { accessToken } = await app.seed({ ageMs: 65 * MINUTE_MS, coolDown: aCoolDown({ until }) })
    app.tokens.startKeepAlive({ askedEveryMs: 500 })

    const { value } = await app.reader.tokens.token(shop, { rejected: accessToken })

    expect(await statusWith(app, value)).toBe(200)
  })
})

describe('a reader that Shopify has told the time', () => {
  it('does not believe a renewer whose clock is behind that a token lives which is over', async () => {
    const app = await managedApp()
    const reader = aReader(app)
    await app.seed({ ageMs: 30 * MINUTE_MS })
    for (let n = 0; n < 2; n++) await reader.tokens.forShop(shop).fetch('/admin/api/2026-10/shop.json')
    const renewer = app.anotherProcess({ clock: ahead(app.clock, -2 * HOUR_MS) })
    renewer.startKeepAlive()
    await app.clock.sleep(HOUR_MS)

    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_RENEWAL_ELSEWHERE' })

    expect(reader.store.count('ask')).toBeGreaterThan(1)
    await renewer.close()
  })

  it('does not believe a store whose clock is behind', async () => {
    const app = await managedApp()
    const slow = new FaultyStore(app.store, { clock: app.clock })
    slow.get = async (key) => {
      const snapshot = await app.store.get(key)
      return { ...snapshot, now: snapshot.now - 2 * HOUR_MS }
    }
    const reader = aReader(app, { store: slow })
    await app.seed({ ageMs: 20 * MINUTE_MS })
    expect((await reader.tokens.forShop(shop).fetch('/admin/api/2026-10/shop.json')).status).toBe(200)

    await app.clock.advance(HOUR_MS)

    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_RENEWAL_ELSEWHERE' })
    expect(reader.store.count('ask')).toBe(1)
  })
})
