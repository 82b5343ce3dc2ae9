import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Shop, TokenManager } from '@shopify-tokens/core'
import { FakeClock, fault } from '@shopify-tokens/testing'
import { EventBus } from '../../packages/core/src/events.js'
import { KeepAlive } from '../../packages/core/src/keep-alive/keep-alive.js'
import { calls, DAY_MS, idle } from './idle-shops.js'
import { CLIENT_ID, closeAll, HOUR_MS, type ManagedApp, managedApp, shop, someShops } from './managed-app.js'

const started: TokenManager[] = []
afterEach(async () => {
  await Promise.all(started.splice(0).map((tokens) => tokens.close()))
  await closeAll()
})

const MINUTE_MS = 60_000

function keepAlive(
  { tokens }: Pick<ManagedApp, 'tokens'>,
  options?: Parameters<TokenManager['startKeepAlive']>[0],
): void {
  started.push(tokens)
  tokens.startKeepAlive(options)
}

/** The timer alone moves no automatic clock: somebody has to be waiting. */
async function pass({ clock }: ManagedApp, ms: number): Promise<void> {
  await clock.sleep(ms)
  await clock.settle()
}

/** When the timer has looked: for shops that are due, or for those that were asked for. */
function looksOf(app: ManagedApp): { readonly due: number[]; readonly asked: number[] } {
  const looks = { due: [] as number[], asked: [] as number[] }
  const scan = app.store.scan.bind(app.store)
  app.store.scan = (query) => {
    looks[query.sweepBefore === 0 ? 'asked' : 'due'].push(app.clock.monotonic())
    return scan(query)
  }
  return looks
}

function gaps(at: readonly number[]): readonly number[] {
  return at.slice(1).map((each, n) => each - (at[n] ?? 0))
}

describe('the timer', () => {
  it('renews an idle shop within a minute, and again every twenty days', async () => {
    const app = await managedApp({ random: () => 0.999 })
    await idle(app, [shop])
    keepAlive(app, { askedEveryMs: 600_000 })

    await pass(app, MINUTE_MS)
    expect(app.tokenCalls()).toBe(1)

    await pass(app, 20 * DAY_MS + HOUR_MS)
    expect(app.tokenCalls()).toBe(2)
    expect(new Set(app.eventsOf('token.rotated').map(({ trigger }) => trigger))).toEqual(new Set(['keep-alive']))
  }, 30_000)

  it('sweeps every ten minutes, and looks every two seconds for shops that were asked for', async () => {
    const app = await managedApp()
    const looks = looksOf(app)
    keepAlive(app)

    await pass(app, HOUR_MS + MINUTE_MS)

    expect(new Set(gaps(looks.due))).toEqual(new Set([600_000]))
    expect(new Set(gaps(looks.asked))).toEqual(new Set([2_000]))
  })

  it.each([
    [0, 0, 540_000, 1_800],
    [0.999_999, 60_000, 660_000, 2_200],
  ])('spreads processes that were started together (chance %d)', async (chance, first, sweepEvery, askedEvery) => {
    const app = await managedApp({ random: () => chance })
    const looks = looksOf(app)
    keepAlive(app)

    await pass(app, HOUR_MS)

    expect(looks.due[0]).toBeCloseTo(first, -1)
    expect(gaps(looks.due)[0]).toBeCloseTo(sweepEvery, -2)
    expect(gaps(looks.asked)[0]).toBeCloseTo(askedEvery, -1)
  })

  it('is started once, however often it is asked to', async () => {
    const app = await managedApp()
    keepAlive(app)
    app.tokens.startKeepAlive({ sweepEveryMs: 1_000 })
    app.tokens.startKeepAlive()

    expect(app.clock.sleepers).toBe(2)
  })

  it('stops at close(), which waits for the renewals under way', async () => {
    const app = await managedApp()
    await idle(app, [shop])
    const hold = app.shopify.hold('token')
    app.tokens.startKeepAlive({ sweepEveryMs: 1_000 })
    await app.clock.advance(2_000)
    await hold.arrived()

    const closed = app.tokens.close()
    hold.release()
    await closed

    expect(app.eventsOf('token.rotated')).toHaveLength(1)
    expect(app.clock.sleepers).toBe(0)
    expect(app.eventsOf('sweep.failed')).toEqual([])
    app.store.resetCounts()
    await pass(app, HOUR_MS)
    expect(app.store.count()).toBe(0)
  })

  it('does not begin once the manager is closed', async () => {
    const app = await managedApp()
    await app.tokens.close()

    app.tokens.startKeepAlive()
    await pass(app, HOUR_MS)

    expect(app.store.count()).toBe(0)
  })

  it('tells once of a store that fails, goes on, and tells again when it has failed anew', async () => {
    const app = await managedApp()
    await idle(app, [shop])
    keepAlive(app, { sweepEveryMs: MINUTE_MS })
    app.store.always('scan', fault.failBefore())
    await pass(app, HOUR_MS)
    const failed = { type: 'sweep.failed', code: 'ERR_STORE_UNAVAILABLE' }
    expect(app.eventsOf('sweep.failed')).toEqual([expect.objectContaining(failed)])

    app.store.heal()
    await pass(app, 3 * MINUTE_MS)
    expect(app.tokenCalls()).toBe(1)

    app.store.always('scan', fault.failBefore())
    await pass(app, HOUR_MS)
    expect(app.eventsOf('sweep.failed')).toHaveLength(2)
  })

  it('tells once that the database is another deployment’s', async () => {
    const app = await managedApp({ deploymentId: 'production' })
    await idle(app, [shop])
    await app.tokens.adoptDeployment()
    keepAlive({ tokens: app.anotherProcess({ deploymentId: 'a-copy' }) }, { sweepEveryMs: MINUTE_MS })

    await pass(app, HOUR_MS)

    expect(app.eventsOf('sweep.failed')).toEqual([expect.objectContaining({ code: 'ERR_FOREIGN_DEPLOYMENT' })])
    expect(app.tokenCalls()).toBe(0)
  })

  it('outlives a failure that nobody has thought of, and warns of it once', async () => {
    const clock = new FakeClock()
    const events = new EventBus(() => clock.now())
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const closing = new AbortController()
    let rounds = 0
    const work = (): Promise<void> => Promise.reject(++rounds < 5 ? new SyntaxError('shpat_secret') : 'nothing')

    const ended = new KeepAlive({
      clock,
      events,
      closing: closing.signal,
      random: () => 0.5,
      holdsProcess: false,
    }).repeat({
      ...{ firstWithinMs: 1_000, everyMs: 1_000, work },
    })
    await clock.advance(10_000)
    closing.abort()
    await ended

    expect(rounds).toBe(10)
    expect(warn.mock.calls.map(([text]) => text)).toEqual([
      'A sweep failed (SyntaxError); the next one begins anew.',
      'A sweep failed (string); the next one begins anew.',
    ])
  })

  it('keeps no process alive', () => {
    const script = `
      const { createTokenManager, MemoryTokenStore } = require('@shopify-tokens/core')
      const tokens = createTokenManager({
        clientId: 'app', clientSecret: 'secret', store: new MemoryTokenStore(),
        sealing: 'unsealed-tokens-readable-in-store',
      })
      tokens.startKeepAlive({ sweepEveryMs: 86400000, askedEveryMs: 600000 })
      process.on('exit', () => console.log('ended by itself'))
    `
    const cwd = join(__dirname, '..')
    const { status, stdout } = spawnSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8', timeout: 60_000 })

    expect([status, stdout]).toEqual([0, 'ended by itself\n'])
  })

  it('keeps the process alive that has nothing else to do, if it is told to, until the manager closes', () => {
    const script = `
      const { createTokenManager, MemoryTokenStore } = require('@shopify-tokens/core')
      const store = new MemoryTokenStore()
      const scan = store.scan.bind(store)
      let looks = 0
      store.scan = (query) => (++looks === 3 && void tokens.close(), scan(query))
      const tokens = createTokenManager({
        clientId: 'app', clientSecret: 'secret', store, sealing: 'unsealed-tokens-readable-in-store',
      })
      tokens.startKeepAlive({ sweepEveryMs: 86400000, askedEveryMs: 50, holdsProcess: true })
      process.on('exit', () => console.log('ended after look ' + looks))
    `
    const cwd = join(__dirname, '..')
    const { status, stdout } = spawnSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8', timeout: 60_000 })

    expect([status, stdout]).toEqual([0, 'ended after look 3\n'])
  })

  it('keeps no process alive between two shops of a sweep', () => {
    const script = `
      const { createTokenManager, MemoryTokenStore } = require('@shopify-tokens/core')
      const { aRecord } = require('@shopify-tokens/testing')
      const store = new MemoryTokenStore()
      const tokens = createTokenManager({
        clientId: 'app', clientSecret: 'secret', store, sealing: 'unsealed-tokens-readable-in-store',
        fetch: () => Promise.reject(new TypeError('fetch failed')), random: () => 0,
      })
      process.on('exit', () => console.log('ended by itself'))
      const record = aRecord.static({ sweepAt: 1, attempts: [] })
      Promise.all(Array.from({ length: 2000 }, (_, n) =>
        store.put({ clientId: 'app', shop: 'shop-' + n + '.myshopify.com' }, record, 'absent'),
      )).then(() => tokens.startKeepAlive({ perSecond: 1 }))
    `
    const cwd = join(__dirname, '..')
    const { status, stdout } = spawnSync(process.execPath, ['-e', script], { cwd, encoding: 'utf8', timeout: 60_000 })

    expect([status, stdout]).toEqual([0, 'ended by itself\n'])
  })
})

describe('shops that were asked for', () => {
  async function asked(app: ManagedApp, shops: readonly Shop[]): Promise<void> {
    for (const each of shops) {
      await app.seed({ shop: each, ageMs: 2 * HOUR_MS })
      await app.store.ask({ clientId: CLIENT_ID, shop: each })
    }
  }

  it('are renewed by the next look', async () => {
    const app = await managedApp()
    keepAlive(app, { sweepEveryMs: 86_400_000 })
    await asked(app, [shop])

    await pass(app, 5_000)

    expect(app.tokenCalls()).toBe(1)
  })

  it('do not wait for each other: one that Shopify is slow to answer for holds up no other', async () => {
    const app = await managedApp({ timeoutsStrike: true })
    const [slow, ...others] = someShops(6) as [Shop, ...Shop[]]
    const hold = app.shopify.hold('token', { shop: slow })
    await asked(app, [slow])
    keepAlive(app, { concurrency: 2, sweepEveryMs: 86_400_000 })
    await app.clock.advance(2_000)
    await hold.arrived()

    await asked(app, others)
    for (let n = 0; n < 60 && calls(app, others).includes(0); n++) await app.clock.advance(50)

    expect(calls(app, others)).toEqual([1, 1, 1, 1, 1])
    hold.release()
  })

  it('are looked after at so many at one time as it was told, and every one of them', async () => {
    const app = await managedApp()
    const shops = someShops(9)
    await asked(app, shops)
    const hold = app.shopify.hold('token')
    keepAlive(app, { concurrency: 3, sweepEveryMs: 86_400_000 })
    await app.clock.advance(2_000)
    await hold.arrived(3)
    await app.clock.advance(1_000)
    expect(hold.count).toBe(3)
    hold.release()

    await pass(app, 20_000)
    expect(calls(app, shops)).toEqual(shops.map(() => 1))
  })

  it('fail without an unhandled rejection, and are tried again when their cool-down is over', async () => {
    const app = await managedApp()
    await asked(app, [shop])
    app.shopify.faults.next(shop, { kind: 'status', status: 402 })
    keepAlive(app, { sweepEveryMs: 86_400_000 })

    await pass(app, 4_000)
    await app.store.ask({ clientId: CLIENT_ID, shop })
    await pass(app, MINUTE_MS)

    expect(app.eventsOf('token.rotated')).toHaveLength(1)
    expect(app.tokenCalls()).toBe(2)
  })
})
