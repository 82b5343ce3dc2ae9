import { fingerprint } from '@shopify-tokens/core'
import { aCoolDown, aMark, aRecord } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'
import { begunMigration, unmigratedApp } from './unmigrated-app.js'

afterEach(closeAll)

const ours = { secretId: fingerprint(CLIENT_SECRET) }

describe('migrate()', () => {
  it('exchanges a token that works, and answers with the pair’s', async () => {
    const { clock, eventsOf, original, shopify, tokens } = await unmigratedApp({
      shopifyOptions: { refuseNonExpiring: false },
    })
    expect((await tokens.token(shop)).value).toBe(original)

    const token = await tokens.migrate(shop)

    expect(token.expiresAt).toBeGreaterThan(clock.now())
    expect(token.expiresAt).toBeLessThan(Infinity)
    expect((await tokens.token(shop)).value).toBe(token.value)
    expect(shopify.accessTokenState(shop, original)).toBe('revoked')
    expect(eventsOf('shop.migrated')).toHaveLength(1)
  })

  it('called twenty times in two processes exchanges it once', async () => {
    const { anotherProcess, shopify, tokens } = await unmigratedApp()
    const other = anotherProcess()

    const values = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => (await (n % 2 === 0 ? tokens : other).migrate(shop)).value),
    )

    expect(new Set(values).size).toBe(1)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('waits for the other process that is at it, although the token would serve', async () => {
    const { anotherProcess, shopify, tokens } = await unmigratedApp()
    const answers = shopify.hold('token', { at: 'answer' })
    const theirs = anotherProcess().migrate(shop)
    await answers.arrived()
    const ourOwn = tokens.migrate(shop)
    answers.release()

    expect((await ourOwn).value).toBe((await theirs).value)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('changes nothing for a shop on an expiring pair', async () => {
    const { seed, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed()

    expect((await tokens.migrate(shop)).value).toBe(accessToken)
    expect(tokenCalls()).toBe(0)
  })

  it('renews an expiring pair that has run out, as whoever asks for a token', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })

    const { value } = await tokens.migrate(shop)
    expect(shopify.accessTokenState(shop, value)).toBe('live')
    expect(shopify.counters(shop).tokenCallsByGrant.refresh.granted).toBe(1)
  })

  it('changes nothing for a static token', async () => {
    const { put, record, tokenCalls, tokens } = await managedApp()
    const row = aRecord.static()
    await put(row)

    expect((await tokens.migrate(shop)).value).toBe(row.accessToken)
    expect(tokenCalls()).toBe(0)
    expect(await record()).toEqual(row)
  })

  it('changes nothing for a client-credentials token', async () => {
    const { clock, put, tokenCalls, tokens } = await managedApp({ grant: 'client-credentials' })
    const row = aRecord.clientCredentials({ ...ours, obtainedAt: clock.now() })
    await put(row)

    expect((await tokens.migrate(shop)).value).toBe(row.accessToken)
    expect(tokenCalls()).toBe(0)
  })

  it('is not for a manager that asks with the app’s own credentials: the non-expiring token is another grant’s', async () => {
    const { anotherProcess, original, record, shopify } = await unmigratedApp()

    await expect(anotherProcess({ grant: 'client-credentials' }).migrate(shop)).rejects.toMatchObject({
      code: 'ERR_APP_MISCONFIGURED',
    })
    expect(shopify.counters(shop).tokenCalls).toBe(0)
    expect(await record()).toMatchObject({ accessToken: original })
  })

  it.each([
    ['removed', aRecord.removed()],
    ['not-installed', aRecord.empty()],
  ] as const)('rejects for a shop without tokens: %s', async (reason, row) => {
    const { put, record, tokenCalls, tokens } = await managedApp()
    await put(row)

    await expect(tokens.migrate(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason })
    expect(tokenCalls()).toBe(0)
    expect(await record()).toEqual(row)
  })

  it('respects a cool-down', async () => {
    const { clock, put, record, shopify, tokens } = await unmigratedApp()
    await put({ ...(await record())!, coolDown: aCoolDown({ until: clock.now() + 60_000 }) })

    await expect(tokens.migrate(shop)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN', retryAfterMs: 60_000 })
    expect(shopify.counters(shop).tokenCalls).toBe(0)
  })

  it('is refused by a process that does not know the row’s client secret, which serves the token on', async () => {
    const { eventsOf, original, shopify, tokens } = await unmigratedApp({ row: { secretId: 'newer' } })

    await expect(tokens.migrate(shop)).rejects.toMatchObject({ code: 'ERR_SECRET_OUTDATED', retryable: false })
    expect((await tokens.token(shop)).value).toBe(original)
    expect(shopify.counters(shop).tokenCalls).toBe(0)
    expect(eventsOf('secret.outdated')).toHaveLength(1)
  })

  it('pins the pair to the current client secret', async () => {
    const { anotherProcess, record, shopify } = await unmigratedApp()
    shopify.addClientSecret('new-secret')

    await anotherProcess({ clientSecret: 'new-secret', previousClientSecret: CLIENT_SECRET }).migrate(shop)
    expect(await record()).toMatchObject({ kind: 'expiring', secretId: fingerprint('new-secret') })
  })

  it.each([
    ['an outage', { kind: 'html', when: 'before' }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['a throttle', { kind: 'throttled', retryAfter: 60 }, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['a wrong client secret', { kind: 'invalid-client' }, 'ERR_APP_MISCONFIGURED'],
    ['an answer without tokens', { kind: 'missing', field: 'access_token' }, 'ERR_TOKEN_RESPONSE_INVALID'],
    ['a pair without a refresh token', { kind: 'missing', field: 'refresh_token' }, 'ERR_TOKEN_RESPONSE_INVALID'],
  ] as const)('is not answered with the old token when it failed: %s', async (_title, answer, code) => {
    const { original, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, answer, { times: Infinity })

    await expect(tokens.migrate(shop)).rejects.toMatchObject({ code, shop })

    expect(await record()).toMatchObject({ kind: 'non-expiring', accessToken: original, mark: null })
    expect((await tokens.token(shop)).value).toBe(original)
  })

  it.each([
    ['access-token-rejected', { kind: 'invalid-subject-token' }],
    ['app-not-installed', { kind: 'app-not-installed' }],
  ] as const)('marks nobody whose token is exchanged for nothing: it may work on (%s)', async (reason, answer) => {
    const { eventsOf, original, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, answer)

    await expect(tokens.migrate(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason })

    expect(await record()).toMatchObject({ accessToken: original, mark: null, attempts: [] })
    expect(eventsOf('reauthorization.required')).toEqual([])
    expect((await tokens.token(shop)).value).toBe(original)
  })

  it('is tried for a marked shop at once, and ends the mark', async () => {
    const { clock, eventsOf, put, record, tokens } = await unmigratedApp()
    const mark = aMark({ reason: 'access-token-rejected', at: clock.now() })
    await put({ ...(await record()), mark } as never)

    await tokens.migrate(shop)

    expect(await record()).toMatchObject({ kind: 'expiring', mark: null })
    expect(eventsOf('reauthorization.cleared')).toHaveLength(1)
  })

  it('tells what it repeats when an earlier one was not heard of', async () => {
    const { clock, eventsOf, original, put, record, tokens } = await unmigratedApp()
    await put({ ...(await record())!, attempts: [begunMigration(original, clock.now() - 60_000)] })

    await tokens.migrate(shop)

    expect(eventsOf('grant.inDoubt')).toEqual([expect.objectContaining({ shop, grant: 'migration', ageMs: 60_000 })])
    expect(eventsOf('token.rotated').map(({ trigger }) => trigger)).toEqual(['confirm'])
  })

  it('keeps the scopes when Shopify names none', async () => {
    const { record, shopify, tokens } = await unmigratedApp({ row: { scopes: ['write_orders'] } })
    shopify.faults.next(shop, { kind: 'missing', field: 'scope' })

    await tokens.migrate(shop)
    expect(await record()).toMatchObject({ kind: 'expiring', scopes: ['write_orders'] })
  })

  it('ends for a caller who aborts, and goes on', async () => {
    const { record, shopify, tokens } = await unmigratedApp()
    const answers = shopify.hold('token', { at: 'answer' })
    const caller = new AbortController()
    const waiting = tokens.migrate(shop, { signal: caller.signal })
    await answers.arrived()
    caller.abort('gone')
    await expect(waiting).rejects.toBe('gone')
    answers.release()
    await tokens.close()

    expect(await record()).toMatchObject({ kind: 'expiring', attempts: [] })
  })

  it('is refused by a process that only reads', async () => {
    const { anotherProcess } = await unmigratedApp()

    await expect(anotherProcess({ renewal: 'never' }).migrate(shop)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    })
  })

  it('is refused once the manager has closed', async () => {
    const { shopify, tokens } = await unmigratedApp()
    await tokens.close()

    await expect(tokens.migrate(shop)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
    expect(shopify.counters(shop).tokenCalls).toBe(0)
  })
})
