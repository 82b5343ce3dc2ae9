import { type ExpiringRecord, fingerprint } from '@shopify-tokens/core'
import { aCoolDown, anAttempt, aRecord, fault } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

/** Fails at once, and leaves the shop alone for its ordinary cool-down. */
const OUTAGE = { kind: 'status', status: 404 } as const
/** Longer than any cool-down of these tests. */
const PAUSE_MS = 4_000_000

/** An app whose shop's token ended `expiredForMs` ago and whose renewals fail. */
async function failingFor(expiredForMs: number, given: Partial<ExpiringRecord> = {}): Promise<ManagedApp> {
  const app = await managedApp()
  await app.seed({ ageMs: HOUR_MS + expiredForMs, ...given })
  app.shopify.faults.next(shop, OUTAGE, { times: Infinity })
  return app
}

describe('a shop whose renewals fail', () => {
  it('is not stuck before an hour without a working token has passed', async () => {
    const { eventsOf, record, tokens } = await failingFor(HOUR_MS - 1_000)

    await expect(tokens.token(shop)).rejects.toThrow()

    expect(eventsOf('renewal.stuck')).toEqual([])
    expect((await record())?.coolDown).toMatchObject({ stuck: false })
  })

  it('is stuck from then on, and this is told once, by one process', async () => {
    const { anotherProcess, clock, eventsOf, record, tokens } = await failingFor(HOUR_MS)
    const processes = [tokens, anotherProcess(), anotherProcess()]

    for (let n = 0; n < 6; n++) {
      await expect(processes[n % 3]?.token(shop)).rejects.toThrow()
      await clock.advance(PAUSE_MS)
    }

    expect(eventsOf('renewal.failed')).toHaveLength(6)
    expect(eventsOf('renewal.stuck')).toEqual([
      expect.objectContaining({ shop, code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' }),
    ])
    expect(eventsOf('renewal.stuck')[0]?.expiredForMs).toBeGreaterThanOrEqual(HOUR_MS)
    expect((await record())?.coolDown).toMatchObject({ stuck: true, failures: 6 })
  })

  it('is called stuck after as long as the settings say', async () => {
    const app = await managedApp({ escalateAfterMs: 600_000 })
    await app.seed({ ageMs: HOUR_MS + 600_000 })
    app.shopify.faults.next(shop, OUTAGE)

    await expect(app.tokens.token(shop)).rejects.toThrow()
    expect(app.eventsOf('renewal.stuck')).toHaveLength(1)
  })

  it('is told by nobody whose write was lost, and by the next one instead', async () => {
    const { clock, eventsOf, store, tokens } = await failingFor(HOUR_MS)
    store.next('put', fault.pass(), fault.failBefore())

    await expect(tokens.token(shop)).rejects.toThrow()
    expect(eventsOf('renewal.stuck')).toEqual([])

    await clock.advance(PAUSE_MS)
    await expect(tokens.token(shop)).rejects.toThrow()
    expect(eventsOf('renewal.stuck')).toHaveLength(1)
  })

  it('is not told again by a process that another one overtook in telling', async () => {
    const { eventsOf, put, record, store, tokens } = await failingFor(HOUR_MS)
    store.next(
      'put',
      fault.pass(),
      fault.meanwhile(async () => {
        const row = (await record()) as ExpiringRecord
        await put({ ...row, coolDown: aCoolDown({ until: 0, stuck: true }) })
      }),
    )

    await expect(tokens.token(shop)).rejects.toThrow()

    expect(eventsOf('renewal.stuck')).toEqual([])
    expect((await record())?.coolDown).toMatchObject({ stuck: true })
  })

  it('is never stuck while it has a token that works', async () => {
    const app = await managedApp()
    await app.seed({ ageMs: HOUR_MS - 120_000 })
    app.shopify.faults.next(shop, OUTAGE, { times: Infinity })

    await expect(app.tokens.force(shop)).rejects.toThrow()
    expect(app.eventsOf('renewal.failed')).toHaveLength(1)
    expect(app.eventsOf('renewal.stuck')).toEqual([])
  })

  it('is not called stuck when it needs its merchant: that has been told', async () => {
    const mark = { reason: 'refresh-token-rejected', at: 0, triedAt: 0, notifiedAt: null } as const
    const { eventsOf, tokens } = await failingFor(72 * HOUR_MS, { mark })

    await expect(tokens.token(shop)).rejects.toThrow()

    expect(eventsOf('renewal.failed')).toHaveLength(1)
    expect(eventsOf('renewal.stuck')).toEqual([])
  })

  it('is not stuck when it never had a token', async () => {
    const app = await managedApp()
    app.shopify.installShop(shop)
    app.shopify.faults.next(shop, OUTAGE)

    await expect(app.tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })).rejects.toThrow()
    expect(app.eventsOf('renewal.stuck')).toEqual([])
  })
})

describe('a stuck shop', () => {
  const stuck = { coolDown: aCoolDown({ until: 0, failures: 9, stuck: true }) }

  it('has recovered with the next pair, whichever process brings it', async () => {
    const { anotherProcess, clock, eventsOf, record, shopify, tokens } = await failingFor(HOUR_MS)
    await expect(tokens.token(shop)).rejects.toThrow()
    shopify.faults.clear()
    await clock.advance(PAUSE_MS)

    await anotherProcess().token(shop)
    await tokens.force(shop)

    expect(eventsOf('renewal.recovered')).toHaveLength(1)
    expect(eventsOf('renewal.recovered')[0]?.expiredForMs).toBeGreaterThanOrEqual(HOUR_MS + PAUSE_MS)
    expect((await record())?.coolDown).toBeNull()
  })

  it('has recovered when its merchant comes back', async () => {
    const { eventsOf, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 3 * HOUR_MS, ...stuck })

    await tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })
    expect(eventsOf('renewal.recovered')).toHaveLength(1)
  })

  it('that turns out to need its merchant still recovers when he comes', async () => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 3 * HOUR_MS, ...stuck })
    shopify.faults.next(shop, { kind: 'terminal' })
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(eventsOf('renewal.recovered')).toEqual([])

    await tokens.token(shop, { idToken: shopify.sessionToken(shop) })

    expect(eventsOf('reauthorization.cleared')).toHaveLength(1)
    expect(eventsOf('renewal.recovered')).toHaveLength(1)
    expect((await record())?.coolDown).toBeNull()
  })

  it('leaves nothing of that behind: when new tokens are refused, the pause is not a stuck one', async () => {
    const { eventsOf, record, seed, tokens } = await managedApp()
    const row = await seed({ ageMs: 3 * HOUR_MS, ...stuck })
    const second = await tokens.token(shop, { rejected: row.accessToken })
    const third = await tokens.token(shop, { rejected: second.value })
    await tokens.token(shop, { rejected: third.value })

    expect(eventsOf('renewal.recovered')).toHaveLength(1)
    expect((await record())?.coolDown).toMatchObject({ scope: 'rejected', stuck: false })
  })

  it('is told of by no renewal of a shop that was merely cooling down', async () => {
    const { eventsOf, seed, tokens } = await managedApp()
    await seed({ ageMs: 3 * HOUR_MS, coolDown: aCoolDown({ until: 0 }) })

    await tokens.token(shop)
    expect(eventsOf('renewal.recovered')).toEqual([])
  })
})

describe('the cool-down of a run that was overtaken', () => {
  it.each([
    ['a tombstone', aRecord.removed()],
    ['another pair', aRecord.expiring({ secretId: fingerprint(CLIENT_SECRET) })],
  ])('is not left on %s', async (_title, theirs) => {
    const app = await failingFor(0)
    app.store.next(
      'put',
      fault.pass(),
      fault.meanwhile(() => app.put(theirs)),
    )

    await app.tokens.token(shop).catch(() => undefined)
    expect(await app.record()).toMatchObject({ kind: theirs.kind, coolDown: null })
  })

  it('is not left on the pair that another process acquired while this one failed to', async () => {
    const app = await managedApp()
    app.shopify.installShop(shop)
    app.shopify.faults.next(shop, OUTAGE)
    const theirs = aRecord.expiring({ obtainedAt: app.clock.now(), secretId: fingerprint(CLIENT_SECRET) })
    const attempts = [anAttempt({ at: 0 })]
    app.store.next(
      'put',
      fault.pass(),
      fault.meanwhile(() => app.put({ ...theirs, attempts })),
    )

    const token = await app.tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })
    expect(token.value).toBe(theirs.accessToken)
    expect(await app.record()).toMatchObject({ coolDown: null, attempts })
  })
})
