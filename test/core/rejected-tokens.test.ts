import type { ExpiringRecord, Shop } from '@shopify-tokens/core'
import { type AdminAnswer, aRecord, fault } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

describe('a token that looks valid and is refused with 401', () => {
  it('is renewed once for all who report it', async () => {
    const { eventsOf, seed, shopify, tokenCalls, tokens } = await managedApp()
    const { accessToken: rejected } = await seed()

    const renewed = await Promise.all(Array.from({ length: 10 }, () => tokens.token(shop, { rejected })))

    expect(new Set(renewed.map(({ value }) => value)).size).toBe(1)
    expect(shopify.accessTokenState(shop, renewed[0]?.value ?? '')).toBe('live')
    expect(tokenCalls()).toBe(1)
    expect(eventsOf('token.rotated')).toEqual([expect.objectContaining({ trigger: 'rejected' })])
  })

  it('is answered with the current token when it is not the current one any more', async () => {
    const { seed, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed()

    expect((await tokens.token(shop, { rejected: 'shpat_of_yesterday' })).value).toBe(accessToken)
    expect(tokenCalls()).toBe(0)
  })

  it('comes back unchanged when the token minted for it is refused too', async () => {
    const { eventsOf, record, seed, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed()
    const second = await tokens.token(shop, { rejected: accessToken })

    const third = await tokens.token(shop, { rejected: second.value })

    expect(third.value).toBe(second.value)
    expect(tokenCalls()).toBe(1)
    expect(eventsOf('token.rejectedFresh')).toHaveLength(1)
    expect(await record()).toMatchObject({ coolDown: { scope: 'rejected', failures: 1 } })
  })

  it.each([
    ['an hour', HOUR_MS],
    ['a day', 24 * HOUR_MS],
  ])(
    'costs at most two renewals an hour when no new token cures it, in three processes and while tokens live %s',
    async (_lifetime, accessTokenLifetimeMs) => {
      const admin = (): AdminAnswer => ({ status: 401, body: { errors: '[API] Invalid API key or access token' } })
      const { anotherProcess, clock, eventsOf, seed, tokenCalls, tokens } = await managedApp({
        shopifyOptions: { accessTokenLifetimeMs, admin },
      })
      await seed()
      const clients = [tokens, anotherProcess(), anotherProcess()].map((process) => process.forShop(shop))
      const refused = { code: 'ERR_ADMIN_RESPONSE', status: 401 }

      for (let minute = 0; minute < 6 * 60; minute++) {
        const answers = clients.map((client) => client.graphql('{ shop { name } }'))
        await Promise.all(answers.map((answer) => expect(answer).rejects.toMatchObject(refused)))
        await clock.advance(60_000)
      }

      // Those that were due anyway are not what the refusals cost.
      const forRefusals = eventsOf('token.rotated').filter(({ trigger }) => trigger === 'rejected')
      const inTheHourFrom = (from: number): number =>
        forRefusals.filter(({ at }) => at >= from && at < from + HOUR_MS).length
      expect(Math.max(...forRefusals.map(({ at }) => inTheHourFrom(at)))).toBe(2)
      expect(forRefusals.length).toBeGreaterThan(5)
      expect(eventsOf('token.rotated')).toHaveLength(tokenCalls())
    },
    30_000,
  )

  it('does not keep an expired token from being renewed while its refusals are paused', async () => {
    const { clock, seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed()
    const second = await tokens.token(shop, { rejected: accessToken })
    await tokens.token(shop, { rejected: second.value })
    await clock.advance(2 * HOUR_MS)

    const token = await tokens.token(shop)
    expect(token.value).not.toBe(second.value)
    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
  })

  it('is renewed for its refusal when it has ended meanwhile, though new tokens had been refused', async () => {
    const { clock, eventsOf, seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed({ ageMs: 2 * HOUR_MS, mintedForRejected: true })

    const second = await tokens.token(shop, { rejected: accessToken })
    expect(shopify.accessTokenState(shop, second.value)).toBe('live')
    await tokens.token(shop, { rejected: second.value })
    expect(eventsOf('token.rejectedFresh')).toHaveLength(1)

    await clock.advance(2 * HOUR_MS)
    const third = await tokens.token(shop, { rejected: second.value })
    expect(shopify.accessTokenState(shop, third.value)).toBe('live')
  })

  it('is not to blame when a renewal was due anyway: its own refusal is the first', async () => {
    const { record, seed, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const renewed = await tokens.token(shop, { rejected: 'shpat_of_yesterday' })
    expect(await record()).toMatchObject({ mintedForRejected: false })

    expect((await tokens.token(shop, { rejected: renewed.value })).value).not.toBe(renewed.value)
    expect(tokenCalls()).toBe(2)
  })

  it('is looked at twice, not by each of the many who report it at once', async () => {
    const { seed, store, tokens } = await managedApp()
    const { accessToken: rejected } = await seed({ mintedForRejected: true })

    const answers = await Promise.all(Array.from({ length: 100 }, () => tokens.token(shop, { rejected })))

    expect(new Set(answers.map(({ value }) => value))).toEqual(new Set([rejected]))
    expect(store.count('get')).toBeLessThanOrEqual(2)
  })

  it('is paused by a write that another process overtook, on the row as it then is', async () => {
    const { record, seed, store, tokens } = await managedApp()
    const { accessToken } = await seed()
    const second = await tokens.token(shop, { rejected: accessToken })
    store.next(
      'put',
      fault.meanwhile(async () => {
        const { record: row, version } = await store.get({ clientId: 'test-client-id', shop })
        await store.put({ clientId: 'test-client-id', shop }, row ?? aRecord.empty(), version)
      }),
    )

    expect((await tokens.token(shop, { rejected: second.value })).value).toBe(second.value)
    expect(await record()).toMatchObject({ coolDown: { scope: 'rejected' } })
  })
})

describe('a forced renewal', () => {
  it('renews a fresh token', async () => {
    const { eventsOf, seed, tokens } = await managedApp()
    const { accessToken } = await seed()

    expect((await tokens.force(shop)).value).not.toBe(accessToken)
    expect(eventsOf('token.rotated')).toEqual([expect.objectContaining({ trigger: 'forced' })])
  })

  it('ignores a cool-down', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 600 })
    await expect(tokens.token(shop)).rejects.toThrow()
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_COOLING_DOWN' })

    await tokens.force(shop)
    expect(((await record()) as ExpiringRecord).coolDown).toBeNull()
  })

  it.each([
    ['an outage', { kind: 'throttled', retryAfter: 600 }, {}, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE'],
    ['a dead refresh token', { kind: 'terminal' }, {}, 'ERR_REAUTHORIZATION_REQUIRED'],
    ['a row of a newer client secret', { kind: 'slow', ms: 0 }, { secretId: 'newer' }, 'ERR_SECRET_OUTDATED'],
  ] as const)('is not answered with the old token when it failed: %s', async (_title, answer, given, code) => {
    const { seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed(given)
    await tokens.token(shop)
    shopify.faults.next(shop, answer, { times: Infinity })

    await expect(tokens.force(shop)).rejects.toMatchObject({ code })
    expect((await tokens.token(shop)).value).toBe(accessToken)
  })

  it('to acquire is not answered with the old token when it failed', async () => {
    const { seed, shopify, tokens } = await managedApp()
    const { accessToken } = await seed()
    shopify.faults.next(shop, { kind: 'throttled', retryAfter: 600 })

    await expect(tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({
      code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
    })
    expect((await tokens.token(shop)).value).toBe(accessToken)
  })

  it('to acquire is refused by a process that does not know the row’s client secret', async () => {
    const { record, seed, shopify, tokenCalls, tokens } = await managedApp()
    const row = await seed({ secretId: 'newer' })

    await expect(tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })).rejects.toMatchObject({
      code: 'ERR_SECRET_OUTDATED',
    })
    expect(tokenCalls()).toBe(0)
    expect(await record()).toEqual(row)
  })
})

describe('a removal', () => {
  it('leaves a tombstone without tokens, once', async () => {
    const { clock, eventsOf, record, seed, tokens } = await managedApp()
    await seed()
    await tokens.token(shop)

    expect(await tokens.remove(shop)).toBe(true)
    expect(await tokens.remove(shop)).toBe(false)

    expect(await record()).toEqual(aRecord.removed({ removedAt: clock.now() }))
    expect(eventsOf('shop.removed')).toHaveLength(1)
    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })

  it('ends the token at hand however the shop is spelt', async () => {
    const { eventsOf, seed, tokens } = await managedApp()
    await seed()
    await tokens.token(shop)

    expect(await tokens.remove(shop.toUpperCase() as Shop)).toBe(true)

    expect(eventsOf('shop.removed')).toMatchObject([{ shop }])
    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })

  it('while the row is being read again ends the token that was read', async () => {
    const { anotherProcess, clock, seed, store } = await managedApp()
    await seed()
    let isReadBehind = false
    const tokens = anotherProcess({
      store: {
        get: async (key) => {
          const snapshot = await store.get(key)
          if (isReadBehind) {
            isReadBehind = false
            await tokens.remove(shop)
          }
          return snapshot
        },
        put: (key, record, expected) => store.put(key, record, expected),
        scan: (query) => store.scan(query),
        ask: (key) => store.ask(key),
      },
    })
    await tokens.token(shop)
    await clock.advance(30_000)

    isReadBehind = true
    await tokens.token(shop)
    await clock.settle()

    await expect(tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })

  it('of a shop without a row does nothing', async () => {
    const { store, tokens } = await managedApp()

    expect(await tokens.remove(shop)).toBe(false)
    expect(store.count('put')).toBe(0)
  })

  it('during a refresh wins over the pair that the refresh brings', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()
    await tokens.remove(shop)
    hold.release()

    await expect(call).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', reason: 'removed' })
    expect(await record()).toMatchObject({ kind: 'removed' })
  })

  it('tries again on the row as it is when somebody else wrote meanwhile', async () => {
    const { put, record, seed, store, tokens } = await managedApp()
    const row = await seed()
    store.next(
      'put',
      fault.meanwhile(() => put({ ...row, coolDown: null })),
    )

    expect(await tokens.remove(shop)).toBe(true)
    expect(await record()).toMatchObject({ kind: 'removed' })
  })
})
