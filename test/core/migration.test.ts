import { type ExpiringRecord, parseShop, ReauthorizationRequiredError } from '@shopify-tokens/core'
import { aCoolDown, anAttempt, aRecord, fault } from '@shopify-tokens/testing'
import { closeAll, managedApp, shop } from './managed-app.js'
import { begunMigration, call, migrateUnheard, PATH, unmigratedApp } from './unmigrated-app.js'

afterEach(closeAll)

const DAY_MS = 86_400_000

describe('the 403 with which Shopify refuses non-expiring tokens', () => {
  it('has the token exchanged for a pair, and the request is answered', async () => {
    const { eventsOf, original, record, shopify, tokens } = await unmigratedApp()

    expect(await call(tokens)).toBe(200)

    const { tokenCallsByGrant, adminCalls } = shopify.counters(shop)
    expect(tokenCallsByGrant.migration).toMatchObject({ granted: 1, refused: 0 })
    expect(adminCalls).toBe(2)
    const row = (await record()) as ExpiringRecord
    expect(row).toMatchObject({ kind: 'expiring', attempts: [], alternates: [], predecessor: null, mark: null })
    expect(shopify.accessTokenState(shop, row.accessToken)).toBe('live')
    expect(shopify.accessTokenState(shop, original)).toBe('revoked')
    expect(eventsOf('shop.migrated')).toEqual([
      expect.objectContaining({ shop, requests: 1, expiresAt: row.expiresAt }),
    ])
    expect(eventsOf('token.acquired')).toEqual([])
  })

  it('has it exchanged for graphql too', async () => {
    const { shopify, tokens } = await unmigratedApp()

    expect(await tokens.forShop(shop).graphql('{ shop { name } }')).toHaveProperty('data.shop.name')
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('to a hundred requests at once has it exchanged once', async () => {
    const { shopify, store, tokens } = await unmigratedApp()

    const statuses = await Promise.all(Array.from({ length: 100 }, () => call(tokens)))

    expect(statuses).toEqual(Array(100).fill(200))
    expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, adminCalls: 200 })
    expect(store.count('put')).toBe(2)
  })

  it('comes first when the merchant is there: nothing is acquired', async () => {
    const { shopify, tokens } = await unmigratedApp()
    const client = tokens.forShop(shop, { idToken: shopify.sessionToken(shop) })

    expect((await client.fetch(PATH)).status).toBe(200)

    const { tokenCallsByGrant } = shopify.counters(shop)
    expect(tokenCallsByGrant.migration.granted).toBe(1)
    expect(tokenCallsByGrant['id-token'].granted).toBe(0)
  })

  it('to a request with a stream has it exchanged too, and is the answer', async () => {
    const { record, tokens } = await unmigratedApp()
    const body = new Blob(['{"a":1}']).stream()

    const response = await tokens.forShop(shop).fetch(PATH, { method: 'POST', body, duplex: 'half' })

    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ errors: expect.stringContaining('Non-expiring') as string })
    expect(await record()).toMatchObject({ kind: 'expiring' })
    expect(await call(tokens)).toBe(200)
  })

  it('that comes once the shop has been migrated finds the new token', async () => {
    const { original, shopify, tokens } = await unmigratedApp()
    const { value } = await tokens.migrate(shop)

    expect((await tokens.token(shop, { rejected: original, rejectedAs: 'non-expiring' })).value).toBe(value)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('is passed on by a process that only reads, which leaves the row alone', async () => {
    const { anotherProcess, record, shopify } = await unmigratedApp()
    const before = await record()

    expect(await call(anotherProcess({ renewal: 'never' }))).toBe(403)
    expect(shopify.counters(shop).tokenCalls).toBe(0)
    expect(await record()).toEqual(before)
  })

  it('finds the new token in a process that only reads, once another has migrated the shop', async () => {
    const { anotherProcess, tokens } = await unmigratedApp()
    const reader = anotherProcess({ renewal: 'never' })
    expect(await call(reader)).toBe(403)
    await tokens.migrate(shop)

    expect(await call(reader)).toBe(200)
  })

  it('leaves an attempt of somebody else’s to end first', async () => {
    const app = await unmigratedApp()
    const { clock, original, record, shopify, tokens } = app
    await app.put({ ...(await record())!, attempts: [begunMigration(original, clock.now())] })
    const began = clock.monotonic()

    expect(await call(tokens)).toBe(200)

    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(15_000)
    expect(shopify.counters(shop).tokenCallsByGrant.migration.granted).toBe(1)
  })

  it('says nothing in another’s cool-down: what stands against it is told', async () => {
    const { clock, put, record, shopify, tokens } = await unmigratedApp()
    await put({ ...(await record())!, coolDown: aCoolDown({ until: clock.now() + 60_000 }) })

    await expect(call(tokens)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN', retryAfterMs: 60_000 })
    expect(shopify.counters(shop).tokenCalls).toBe(0)
  })
})

describe('any other refusal', () => {
  const SENTENCE = '[API] Non-expiring access tokens are no longer accepted for the Admin API.'

  it('for a missing scope is the answer, and migrates nobody', async () => {
    const { original, record, shopify, tokens } = await unmigratedApp({ shopifyOptions: { refuseNonExpiring: false } })
    shopify.requireScope(shop, 'write_products')

    const response = await tokens.forShop(shop).fetch(PATH)

    expect(response.status).toBe(403)
    expect(await response.json()).toMatchObject({ errors: expect.stringContaining('write_products') as string })
    expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 0, adminCalls: 1 })
    expect(await record()).toMatchObject({ accessToken: original, attempts: [], mark: null })
  })

  it.each([
    ['a 403 that is a page', { kind: 'html', when: 'before', status: 403 }],
    ['a 403 with other words', { kind: 'status', status: 403, body: { errors: '[API] Access denied' } }],
    ['a 403 whose errors are no text', { kind: 'status', status: 403, body: { errors: [SENTENCE] } }],
    ['a 400 with the sentence', { kind: 'status', status: 400, body: { errors: SENTENCE } }],
    ['a 423 with the sentence', { kind: 'status', status: 423, body: { errors: SENTENCE } }],
    ['a 500 with the sentence', { kind: 'status', status: 500, body: { errors: SENTENCE } }],
  ] as const)('migrates nobody and reaches the caller: %s', async (_title, answer) => {
    const { original, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, answer, { endpoint: 'admin' })

    const response = await tokens.forShop(shop).fetch(PATH)

    expect(response.status).toBe(answer.status)
    expect(response.bodyUsed).toBe(false)
    const text = await response.text()
    if (answer.kind === 'status') expect(JSON.parse(text)).toEqual(answer.body)
    expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 0, adminCalls: 1 })
    expect(await record()).toMatchObject({ accessToken: original, attempts: [], mark: null })
  })

  it('with 401 marks the shop, whose token nothing renews', async () => {
    const { original, record, shopify, tokens } = await unmigratedApp()
    shopify.revokeToken(shop, original)

    await expect(call(tokens)).rejects.toThrow(ReauthorizationRequiredError)

    expect(shopify.counters(shop).tokenCalls).toBe(0)
    expect(await record()).toMatchObject({ kind: 'non-expiring', mark: { reason: 'access-token-rejected' } })
  })

  it('with 401 marks nobody while another run may bring a token', async () => {
    const { clock, original, put, record, shopify, tokens } = await unmigratedApp()
    await put({ ...(await record())!, attempts: [anAttempt({ grant: 'code', at: clock.now() })] })
    shopify.revokeToken(shop, original)
    const began = clock.monotonic()

    await expect(call(tokens)).rejects.toThrow(ReauthorizationRequiredError)
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(15_000)
  })

  it('with 401 marks the shop when the migration that was begun is another token’s', async () => {
    const { clock, original, put, record, shopify, tokens } = await unmigratedApp()
    await put({ ...(await record())!, attempts: [begunMigration('shpat_earlier', clock.now() - DAY_MS)] })
    shopify.revokeToken(shop, original)

    await expect(call(tokens)).rejects.toThrow(ReauthorizationRequiredError)
    expect(shopify.counters(shop).tokenCalls).toBe(0)
  })
})

describe('a token that Shopify exchanges for nothing', () => {
  it.each([
    ['is not exchangeable', { kind: 'invalid-subject-token' }, 'access-token-rejected'],
    ['is dead', { kind: 'invalid-grant' }, 'access-token-rejected'],
    ['has no app', { kind: 'app-not-installed' }, 'app-not-installed'],
  ] as const)('and refuses marks the shop: %s', async (_title, answer, reason) => {
    const { eventsOf, original, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, answer, { times: Infinity })

    await expect(call(tokens)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason })

    expect(shopify.counters(shop).tokenCalls).toBe(1)
    expect(await record()).toMatchObject({ accessToken: original, attempts: [], mark: { reason } })
    expect(eventsOf('reauthorization.required')).toEqual([expect.objectContaining({ shop, reason })])
  })

  it('is tried again once a day, however many requests Shopify refuses', async () => {
    const { clock, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, { kind: 'invalid-subject-token' }, { times: Infinity })
    for (let n = 0; n < 5; n++) await expect(call(tokens)).rejects.toThrow(ReauthorizationRequiredError)
    expect(shopify.counters(shop).tokenCalls).toBe(1)

    await clock.advance(DAY_MS)
    for (let n = 0; n < 5; n++) await expect(call(tokens)).rejects.toThrow(ReauthorizationRequiredError)
    expect(shopify.counters(shop).tokenCalls).toBe(2)

    shopify.faults.clear()
    await clock.advance(DAY_MS)
    expect(await call(tokens)).toBe(200)
    expect(await record()).toMatchObject({ kind: 'expiring', mark: null })
  })

  it('has the merchant who is there acquire a pair', async () => {
    const { record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, { kind: 'invalid-subject-token' }, { grant: 'migration' })
    const client = tokens.forShop(shop, { idToken: shopify.sessionToken(shop) })

    expect((await client.fetch(PATH)).status).toBe(200)

    const { tokenCallsByGrant } = shopify.counters(shop)
    expect(tokenCallsByGrant['id-token'].granted).toBe(1)
    expect(await record()).toMatchObject({ kind: 'expiring', mark: null, attempts: [] })
  })

  it('is no verdict on the token that a merchant has brought meanwhile', async () => {
    const { original, put, record, shopify, store, tokens } = await unmigratedApp()
    shopify.faults.next(shop, { kind: 'invalid-subject-token' })
    const brought = shopify.mintNonExpiring(shop)
    const bring = async (): Promise<void> => put({ ...(await record())!, accessToken: brought } as never)
    store.next('put', fault.pass(), fault.meanwhile(bring))

    const token = await tokens.token(shop, { rejected: original, rejectedAs: 'non-expiring' })
    expect(token.value).toBe(brought)
    expect(await record()).toMatchObject({ accessToken: brought, mark: null })
  })
})

describe('a migration whose answer is lost', () => {
  it.each([
    ['reset', { kind: 'reset', when: 'after' }],
    ['502', { kind: 'html', when: 'after' }],
    ['cut off', { kind: 'cut' }],
    ['520', { kind: 'error-520', when: 'after' }],
  ] as const)('is repeated with the same token, and brings the same pair: %s', async (_title, answer) => {
    const { eventsOf, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, answer)

    expect(await call(tokens)).toBe(200)

    expect(shopify.counters(shop).tokenCallsByGrant.migration).toMatchObject({ granted: 1, replayed: 1 })
    expect(eventsOf('shop.migrated')).toEqual([expect.objectContaining({ requests: 2 })])
    expect(await record()).toMatchObject({ kind: 'expiring', attempts: [] })
  })

  it('again and again leaves its attempt, and the token as it is', async () => {
    const { clock, eventsOf, original, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, { kind: 'reset', when: 'before' }, { times: Infinity })

    await expect(call(tokens)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })

    const row = await record()
    expect(row).toMatchObject({ accessToken: original, mark: null, coolDown: { failures: 1 } })
    expect(row?.attempts).toEqual([expect.objectContaining({ grant: 'migration' })])
    expect(row?.sweepAt).toBeGreaterThan(clock.now())
    expect(eventsOf('renewal.failed')).toHaveLength(1)
  })

  it('with 429 throughout leaves nothing in doubt', async () => {
    const { record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 60 })

    await expect(call(tokens)).rejects.toMatchObject({ code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE' })
    expect(await record()).toMatchObject({ attempts: [], mark: null, coolDown: { failures: 1 } })
  })
})

describe('a migration that brings a token without an end', () => {
  it('is whole: the token is stored, and left alone for a while', async () => {
    const { eventsOf, original, record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, { kind: 'not-expiring' }, { times: Infinity })

    const { value } = await tokens.migrate(shop)

    expect(value).not.toBe(original)
    expect(await record()).toMatchObject({ kind: 'non-expiring', accessToken: value, coolDown: { failures: 1 } })
    expect(eventsOf('token.notExpiring')).toEqual([expect.objectContaining({ shop, grant: 'migration' })])
    expect(eventsOf('shop.migrated')).toEqual([])
    for (let n = 0; n < 5; n++) await expect(call(tokens)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN' })
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('is refused with requireExpiring, and the row keeps its token', async () => {
    const { original, record, shopify, tokens } = await unmigratedApp({ requireExpiring: true })
    shopify.faults.next(shop, { kind: 'not-expiring' })

    await expect(call(tokens)).rejects.toMatchObject({ code: 'ERR_TOKEN_RESPONSE_INVALID' })
    expect(await record()).toMatchObject({ accessToken: original, attempts: [], mark: null })
  })
})

describe('a removal during a migration', () => {
  it('wins: the pair dies with it', async () => {
    const { record, shopify, tokens } = await unmigratedApp()
    const answers = shopify.hold('token', { at: 'answer' })
    const request = call(tokens)
    await answers.arrived()
    await tokens.remove(shop)
    answers.release()

    await expect(request).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'removed' })
    expect(await record()).toMatchObject({ kind: 'removed' })
  })

  it('that Shopify knows of already ends the migration, and marks the shop', async () => {
    const { record, shopify, tokens } = await unmigratedApp()
    shopify.faults.next(shop, { kind: 'app-not-installed' })

    await expect(call(tokens)).rejects.toMatchObject({ reason: 'app-not-installed' })
    expect(await record()).toMatchObject({ kind: 'non-expiring', mark: { reason: 'app-not-installed' } })
  })
})

describe('a request that is on its way with the old token', () => {
  it('while another process migrates the shop is answered all the same', async () => {
    const { anotherProcess, shopify, tokens } = await unmigratedApp({ shopifyOptions: { refuseNonExpiring: false } })
    const wire = shopify.hold('admin')
    const requests = Array.from({ length: 20 }, () => call(tokens))
    await wire.arrived(20)
    await anotherProcess().migrate(shop)
    wire.release()

    expect(await Promise.all(requests)).toEqual(Array(20).fill(200))
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('waits for the other process’s migration, and is answered', async () => {
    const { anotherProcess, eventsOf, shopify, tokens } = await unmigratedApp()
    const answers = shopify.hold('token', { at: 'answer' })
    const migrating = anotherProcess().migrate(shop)
    await answers.arrived()
    const requests = [call(tokens), tokens.forShop(shop).graphql('{ shop { name } }')]
    answers.release()

    expect((await Promise.all(requests))[0]).toBe(200)
    await migrating
    expect(shopify.counters(shop).tokenCalls).toBe(1)
    expect(eventsOf('reauthorization.required')).toEqual([])
  })

  it('by a process that has it at hand fails for nonExpiringCacheMs at most', async () => {
    const { anotherProcess, clock, original, shopify } = await unmigratedApp({
      shopifyOptions: { refuseNonExpiring: false },
      nonExpiringCacheMs: 2_000,
    })
    const [one, other] = [anotherProcess(), anotherProcess()]
    await one.token(shop)
    const { value } = await other.migrate(shop)
    expect((await one.token(shop)).value).toBe(original)

    await clock.advance(2_000)
    expect((await one.token(shop)).value).toBe(value)
    expect(shopify.accessTokenState(shop, value)).toBe('live')
  })
})

describe('a migration that nobody reported back from', () => {
  it('is made again when Shopify refuses the token with 401, and brings the same pair, which is confirmed', async () => {
    const app = await unmigratedApp()
    const { clock, eventsOf, original, put, record, shopify, tokens } = app
    const lost = await migrateUnheard(app)
    const attempts = [begunMigration(original, clock.now() - 60_000)]
    await put({ ...(await record())!, attempts })
    expect(shopify.accessTokenState(shop, original)).toBe('revoked')
    shopify.resetCounters()

    expect(await call(tokens)).toBe(200)

    const { tokenCallsByGrant } = shopify.counters(shop)
    expect(tokenCallsByGrant.migration).toMatchObject({ granted: 0, replayed: 1 })
    expect(tokenCallsByGrant.refresh.granted).toBe(1)
    expect(eventsOf('grant.inDoubt')).toEqual([expect.objectContaining({ grant: 'migration' })])
    expect(eventsOf('token.rotated').map(({ trigger }) => trigger)).toEqual(['confirm'])
    expect((await record()) as ExpiringRecord).not.toMatchObject({ accessToken: lost })
    expect(eventsOf('reauthorization.required')).toEqual([])
  })

  it('is made again by the sweep, within a day', async () => {
    const app = await unmigratedApp()
    const { clock, eventsOf, record, shopify, tokens } = app
    shopify.faults.next(shop, { kind: 'reset', when: 'after' }, { times: Infinity })
    await expect(tokens.migrate(shop)).rejects.toThrow()
    shopify.faults.clear()
    expect(await tokens.sweep()).toMatchObject({ visited: 0 })

    await clock.advance(DAY_MS)

    expect(await tokens.sweep()).toMatchObject({ visited: 1, renewed: 1, failed: 0 })
    expect(await record()).toMatchObject({ kind: 'expiring', attempts: [] })
    expect(eventsOf('shop.migrated')).toHaveLength(1)
  })

  it('is made again by a forced renewal, which leaves alone a token that nobody has begun to migrate', async () => {
    const app = await unmigratedApp()
    const { clock, original, put, record, shopify, tokens } = app
    expect((await tokens.force(shop)).value).toBe(original)
    await migrateUnheard(app)
    await put({ ...(await record())!, attempts: [begunMigration(original, clock.now() - 60_000)] })

    expect(shopify.accessTokenState(shop, (await tokens.force(shop)).value)).toBe('live')
    expect(await record()).toMatchObject({ kind: 'expiring' })
  })

  it('is over after seven days: the shop is marked when Shopify refuses its token too', async () => {
    const app = await unmigratedApp()
    const { clock, original, put, record, shopify, tokens } = app
    await migrateUnheard(app)
    await put({ ...(await record())!, attempts: [begunMigration(original, clock.now())], sweepAt: clock.now() })
    await clock.advance(8 * DAY_MS)
    shopify.resetCounters()

    expect(await tokens.sweep()).toMatchObject({
      renewed: 0,
      failures: [{ shop, code: 'ERR_REAUTHORIZATION_REQUIRED' }],
    })
    expect(await record()).toMatchObject({ kind: 'non-expiring', mark: null, attempts: [], sweepAt: null })
    expect(await tokens.sweep()).toMatchObject({ visited: 0 })

    await expect(call(tokens)).rejects.toThrow(ReauthorizationRequiredError)
    expect(await record()).toMatchObject({ mark: { reason: 'access-token-rejected' } })
    expect(shopify.counters(shop).tokenCalls).toBe(1)
  })

  it('is over when its pair has been renewed elsewhere: the merchant who is there acquires another', async () => {
    const app = await unmigratedApp()
    const { anotherProcess, clock, original, put, record, shopify, tokens } = app
    const before = await record()
    await anotherProcess().migrate(shop)
    await anotherProcess().force(shop)
    await put({ ...before!, attempts: [begunMigration(original, clock.now() - DAY_MS)] })
    const client = tokens.forShop(shop, { idToken: shopify.sessionToken(shop) })

    expect((await client.fetch(PATH)).status).toBe(200)
    expect(shopify.counters(shop).tokenCallsByGrant['id-token'].granted).toBe(1)
  })

  it('of another token leaves the token on record alone', async () => {
    const { clock, original, put, record, tokens } = await unmigratedApp()
    const attempts = [begunMigration('shpat_earlier', clock.now() - DAY_MS)]
    await put({ ...(await record())!, attempts, sweepAt: clock.now() })

    expect(await tokens.sweep()).toMatchObject({ visited: 1, renewed: 0, failed: 0 })
    expect(await record()).toMatchObject({ accessToken: original, attempts: [], sweepAt: null })
  })
})

describe('a pair that cannot be stored', () => {
  it('is served from memory, and stored when the store is back', async () => {
    const { eventsOf, record, shopify, store, tokens } = await unmigratedApp()
    store.next('put', fault.pass(), fault.failBefore(), fault.failBefore())

    expect(await call(tokens)).toBe(200)
    await tokens.close()

    expect(eventsOf('rotation.unstored').length).toBeGreaterThan(0)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
    expect(await record()).toMatchObject({ kind: 'expiring', attempts: [] })
  })

  it('and dies with its process is had again by the next one', async () => {
    const { anotherProcess, eventsOf, record, shopify, store, tokens } = await unmigratedApp()
    store.next('put', fault.pass(), ...Array.from({ length: 40 }, () => fault.failBefore()))
    await tokens.migrate(shop)
    await expect(tokens.close({ deadlineMs: 0 })).rejects.toMatchObject({ code: 'ERR_ROTATION_NOT_STORED' })
    store.heal()

    expect(await call(anotherProcess())).toBe(200)

    expect(shopify.counters(shop).tokenCallsByGrant.migration).toMatchObject({ granted: 1, replayed: 1 })
    expect(eventsOf('grant.inDoubt')).toHaveLength(1)
    expect(await record()).toMatchObject({ kind: 'expiring' })
  })
})

describe('a row that is not this app’s to migrate', () => {
  it('passes the 403 on when it holds a static token', async () => {
    const { put, record, shopify, tokens } = await managedApp({ shopifyOptions: { refuseNonExpiring: true } })
    const row = aRecord.static({ accessToken: shopify.mintNonExpiring(shop) })
    await put(row)

    expect(await call(tokens)).toBe(403)
    expect(shopify.counters(shop)).toMatchObject({ adminCalls: 1, tokenCalls: 0 })
    expect(await record()).toEqual(row)
  })

  it('is another shop’s: it is left alone', async () => {
    const { record, shopify, tokens } = await unmigratedApp()
    const other = parseShop('other.myshopify.com')

    await expect(tokens.migrate(other)).rejects.toMatchObject({ reason: 'not-installed' })
    expect(await record()).toMatchObject({ kind: 'non-expiring' })
    expect(shopify.counters().tokenCalls).toBe(0)
  })
})
