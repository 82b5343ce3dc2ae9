import { type ExpiringRecord, parseShop } from '@shopify-tokens/core'
import { aCoolDown, aMark } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

const other = parseShop('other.myshopify.com')

/** The next answers carry the `Date` of `at`. */
function answerAsOf({ clock, shopify }: ManagedApp, at: number): void {
  shopify.configure({ dateOffsetMs: Math.round(at - clock.now()) })
}

describe('one answer with an absurd Date', () => {
  it.each([
    ['1970', 1_000_000_000],
    ['2099', Date.UTC(2099, 0, 1)],
  ])('does not date a pair to %s', async (_year, at) => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    answerAsOf(app, at)

    await app.tokens.token(shop)

    const { confirmedAt, expiresAt } = (await app.record()) as ExpiringRecord
    expect(Math.abs(expiresAt - (app.clock.now() + HOUR_MS))).toBeLessThan(5_000)
    expect(confirmedAt).toBeNull()
    expect(app.eventsOf('clock.skewed')).toEqual([])
  })

  it('does not make other shops look expired, nor a cool-down last for years', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    await app.seed({ shop: other })
    answerAsOf(app, Date.UTC(2099, 0, 1))
    app.shopify.faults.next(shop, { kind: 'status', status: 404 })

    await expect(app.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })

    await app.tokens.token(other)
    expect(app.shopify.counters(other).tokenCalls).toBe(0)
    expect((await app.record())?.coolDown?.until).toBeLessThan(app.clock.now() + HOUR_MS)
  })

  it('is forgotten as soon as another answer disagrees with it', async () => {
    const app = await managedApp()
    for (const at of [Date.UTC(2099, 0, 1), app.clock.now(), Date.UTC(2099, 0, 1)]) {
      await app.seed({ ageMs: 2 * HOUR_MS })
      answerAsOf(app, at)
      await app.tokens.force(shop)
    }

    const { obtainedAt } = (await app.record()) as ExpiringRecord
    expect(Math.abs(obtainedAt - app.clock.now())).toBeLessThan(5_000)
  })
})

describe('a machine that is hours off', () => {
  it.each([10, -10])('(%d) is corrected by the second answer', async (hours) => {
    const app = await managedApp()
    app.shopify.configure({ dateOffsetMs: hours * HOUR_MS })
    await app.seed({ ageMs: 2 * HOUR_MS })

    await app.tokens.force(shop)
    await app.tokens.force(shop)

    const { obtainedAt } = (await app.record()) as ExpiringRecord
    expect(Math.abs(obtainedAt - (app.clock.now() + hours * HOUR_MS))).toBeLessThan(5_000)
    expect(app.eventsOf('clock.skewed')).toHaveLength(1)
  })

  it('learns nothing from an error page, which something in front of Shopify may have made', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    answerAsOf(app, Date.UTC(2099, 0, 1))
    const outage = app.shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })
    await expect(app.tokens.token(shop)).rejects.toThrow()
    expect((await app.record())?.coolDown?.until).toBeLessThan(app.clock.now() + HOUR_MS)
    outage.cancel()
  })
})

describe('a row written under a clock that was ahead', () => {
  it('is served and renewed behind: its end is not known', async () => {
    const behind: Promise<void>[] = []
    const { clock, record, seed, tokenCalls, tokens } = await managedApp({ background: (work) => behind.push(work) })
    const obtainedAt = clock.now() + 5 * HOUR_MS
    const row = await seed({ obtainedAt, expiresAt: obtainedAt + HOUR_MS, renewAt: obtainedAt + HOUR_MS / 2 })

    expect((await tokens.token(shop)).value).toBe(row.accessToken)
    await Promise.all(behind)

    expect(tokenCalls()).toBe(1)
    expect(((await record()) as ExpiringRecord).expiresAt).toBeLessThanOrEqual(clock.now() + HOUR_MS)
  })

  it.each(['all', 'rejected'] as const)('does not cool down for longer than any cool-down may (%s)', async (scope) => {
    const { clock, seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed({
      ageMs: 2 * HOUR_MS,
      coolDown: aCoolDown({ until: clock.now() + 5 * HOUR_MS, scope }),
    })

    const token = await tokens.token(shop, { rejected: accessToken })
    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
  })

  it('has its mark tried again', async () => {
    const { clock, seed, shopify, tokens } = await managedApp()
    const at = clock.now() + 48 * HOUR_MS
    await seed({ ageMs: 2 * HOUR_MS, mark: aMark({ at, triedAt: at }) })

    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
  })
})
