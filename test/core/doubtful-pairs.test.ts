import { type ExpiringRecord, fingerprint, MemoryLock } from '@shopify-tokens/core'
import { anAttempt, aRecord, fault } from '@shopify-tokens/testing'
import { CLIENT_ID, CLIENT_SECRET, closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'

afterEach(closeAll)

describe('a pair whose lifetime cannot be believed', () => {
  it.each([
    ['missing', { kind: 'missing', field: 'expires_in' }],
    ['garbage', { kind: 'field', field: 'expires_in', value: 'soon' }],
    ['zero', { kind: 'field', field: 'expires_in', value: 0 }],
    ['negative', { kind: 'field', field: 'expires_in', value: -5 }],
  ] as const)('is stored and renewed once more at once: %s', async (_title, answer) => {
    const { eventsOf, record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, answer)

    const token = await tokens.token(shop)

    expect(shopify.counters(shop).tokenCalls).toBe(2)
    expect(eventsOf('token.rotated').map(({ trigger }) => trigger)).toEqual(['expired', 'confirm'])
    expect(await record()).toMatchObject({ accessToken: token.value, coolDown: null, attempts: [] })
    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
  })

  it.each([
    ['a numeric string', '3600'],
    ['a float', 3599.5],
  ])('is believed when it is readable after all: %s', async (_title, value) => {
    const { clock, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'field', field: 'expires_in', value })

    const token = await tokens.token(shop)
    expect(shopify.counters(shop).tokenCalls).toBe(1)
    expect(token.expiresAt - clock.now()).toBeGreaterThan(HOUR_MS - 5_000)
  })

  it('is served, and left alone for a while, when the second one is no better', async () => {
    const { record, seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'missing', field: 'expires_in' }, { times: 2 })

    const token = await tokens.token(shop)
    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(await record()).toMatchObject({ coolDown: { failures: 1 }, accessToken: token.value })
    expect((await tokens.token(shop)).value).toBe(token.value)
    expect(shopify.counters(shop).tokenCalls).toBe(2)
  })

  it('is served when renewing it once more fails', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'missing', field: 'expires_in' })
    shopify.faults.next(shop, { kind: 'invalid-client' })

    const token = await tokens.token(shop)
    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
  })

  it('is served when the manager closes before it can be renewed once more', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'missing', field: 'expires_in' })
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()

    const closing = tokens.close()
    hold.release()
    expect(shopify.accessTokenState(shop, (await call).value)).toBe('live')
    await closing
  })

  it('may be the replay of what an earlier run never got: renewed once more', async () => {
    const { clock, eventsOf, put, seed, tokens } = await managedApp({ shopifyOptions: { replay: 'same-verbatim' } })
    const row = await seed({ ageMs: 2 * HOUR_MS })
    const lost = anAttempt({ at: clock.now() - 20_000, credential: fingerprint(row.refreshToken) })
    await put({ ...row, attempts: [lost] })

    await tokens.token(shop)

    expect(eventsOf('grant.inDoubt')).toEqual([
      expect.objectContaining({ grant: 'refresh', ageMs: expect.any(Number) as number }),
    ])
    expect(eventsOf('token.rotated').map(({ trigger }) => trigger)).toEqual(['expired', 'confirm'])
  })

  it('may be retired by the late request of an earlier run before it is confirmed: its predecessor brings the next', async () => {
    const { clock, eventsOf, put, record, seed, shopify, store, tokens } = await managedApp({
      shopifyOptions: { replay: 'new-pair' },
    })
    const row = await seed({ ageMs: 2 * HOUR_MS })
    const lost = anAttempt({ at: clock.now() - 20_000, credential: fingerprint(row.refreshToken) })
    await put({ ...row, attempts: [lost] })
    const lateRequest = (): Promise<unknown> =>
      shopify.fetch(`https://${shop}/admin/oauth/access_token`, {
        method: 'POST',
        headers: { accept: 'application/json' },
        body: new URLSearchParams({
          ...{ client_id: CLIENT_ID, client_secret: CLIENT_SECRET },
          ...{ grant_type: 'refresh_token', refresh_token: row.refreshToken },
        }),
      })
    store.next('put', fault.pass(), fault.pass(), fault.meanwhile(lateRequest))

    const token = await tokens.token(shop)

    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
    expect(await record()).toMatchObject({ mark: null })
    expect(eventsOf('reauthorization.required')).toEqual([])
  })
})

describe('a run that conflicts with another', () => {
  it('keeps the refresh tokens of both, and both processes go on', async () => {
    const { anotherProcess, eventsOf, put, record, seed, shopify, tokens } = await managedApp()
    const row = await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token')
    const call = tokens.token(shop)
    await hold.arrived()
    const theirs = aRecord.expiring({ secretId: fingerprint(CLIENT_SECRET), predecessor: row.refreshToken })
    await put(theirs)
    hold.release()
    await call

    const merged = (await record()) as ExpiringRecord
    expect(merged.refreshToken).toBe(theirs.refreshToken)
    expect(merged.alternates).toHaveLength(1)
    expect(merged.predecessor).toBe(row.refreshToken)
    expect(eventsOf('rotation.merged')).toEqual([expect.objectContaining({ candidates: 3 })])

    const token = await anotherProcess().force(shop)
    expect(shopify.accessTokenState(shop, token.value)).toBe('live')
  })

  it('begins again at the row when its attempt loses', async () => {
    const { clock, put, seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const theirs = aRecord.expiring({ obtainedAt: clock.now(), secretId: fingerprint(CLIENT_SECRET) })
    store.next(
      'put',
      fault.meanwhile(() => put(theirs)),
    )

    expect((await tokens.token(shop)).value).toBe(theirs.accessToken)
    expect(tokenCalls()).toBe(0)
  })

  it('gives up after a lease and two seconds when the store only ever shows an older row', async () => {
    const { clock, seed, store, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    await seed({ ageMs: 2 * HOUR_MS })
    store.always('get', fault.stale())
    const began = clock.monotonic()

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT' })
    await tokens.close()

    expect(clock.monotonic() - began).toBeLessThan(20_000)
    expect(store.count('put')).toBeLessThan(400)
    expect(tokenCalls()).toBe(0)
  })

  it('overtakes an attempt that has grown older than a lease', async () => {
    const { clock, eventsOf, record, seed, tokenCalls, tokens } = await managedApp()
    const stale = anAttempt({ at: clock.now() })
    await seed({ ageMs: 2 * HOUR_MS, attempts: [stale] })
    const began = clock.monotonic()

    await tokens.token(shop)

    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(15_000)
    expect(tokenCalls()).toBe(1)
    expect(eventsOf('grant.inDoubt')).toHaveLength(1)
    expect((await record())?.attempts).toEqual([stale])
  })

  it('takes attempts out of the row once no request of theirs can arrive any more', async () => {
    const { clock, record, seed, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS, attempts: [anAttempt({ at: clock.now() - 76_000 })] })

    await tokens.token(shop)
    expect((await record())?.attempts).toEqual([])
  })

  it('gives up after a lease and two seconds when attempt follows attempt', async () => {
    const { record, seed, store, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const read = store.get.bind(store)
    store.get = async (key) => {
      const snapshot = await read(key)
      const row = snapshot.record as ExpiringRecord
      return { ...snapshot, record: { ...row, attempts: [anAttempt({ at: snapshot.now })] } }
    }

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_LEASE_TIMEOUT', retryable: true })
    expect(await record()).toMatchObject({ mark: null })
  })
})

describe('the lock in front of the store', () => {
  it('is held by the run and given back', async () => {
    const { clock, ...app } = await managedApp()
    const lock = new MemoryLock({ clock })
    await app.seed({ ageMs: 2 * HOUR_MS })
    const hold = app.shopify.hold('token')
    const call = app.anotherProcess({ lock }).token(shop)
    await hold.arrived()
    expect(await lock.tryAcquire(`${CLIENT_ID}:${shop}`, 1_000)).toHaveProperty('heldForMs')
    hold.release()
    await call

    expect(await lock.tryAcquire(`${CLIENT_ID}:${shop}`, 1_000)).toHaveProperty('release')
  })

  it('spares the store the attempt of the process that waits', async () => {
    const { clock, ...app } = await managedApp()
    const lock = new MemoryLock({ clock })
    await app.seed({ ageMs: 2 * HOUR_MS })
    const lease = await lock.tryAcquire(`${CLIENT_ID}:${shop}`, 3_000)
    const call = app.anotherProcess({ lock }).token(shop)
    await clock.untilAsleep()
    expect(app.store.count('put')).toBe(0)

    if ('release' in lease) await lease.release()
    await call
    expect(app.store.count('put')).toBe(2)
  })

  it('is done without when it cannot be reached', async () => {
    const away = { tryAcquire: () => Promise.reject(new Error('ECONNREFUSED')) }
    const { eventsOf, seed, shopify, tokens } = await managedApp({ lock: away })
    await seed({ ageMs: 2 * HOUR_MS })

    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
    expect(eventsOf('lock.unavailable')).toHaveLength(1)
  })

  it('is given back at once when it is granted too late', async () => {
    const granted: (() => void)[] = []
    let released = 0
    const release = (): Promise<void> => {
      released++
      return Promise.resolve()
    }
    const slow = {
      tryAcquire: () =>
        new Promise<{ remainingMs(): Promise<number>; release(): Promise<void> }>((resolve) => {
          granted.push(() => {
            resolve({ remainingMs: () => Promise.resolve(1), release })
          })
        }),
    }
    const { clock, eventsOf, seed, shopify, tokens } = await managedApp({ lock: slow })
    await seed({ ageMs: 2 * HOUR_MS })

    expect(shopify.accessTokenState(shop, (await tokens.token(shop)).value)).toBe('live')
    for (const grant of granted) grant()
    await clock.settle()

    expect(released).toBe(1)
    expect(eventsOf('lock.unavailable')).toHaveLength(1)
  })

  it('is left to age when it cannot be given back', async () => {
    const stuck = {
      tryAcquire: () =>
        Promise.resolve({
          remainingMs: () => Promise.resolve(0),
          release: () => Promise.reject(new Error('ECONNRESET')),
        }),
    }
    const { eventsOf, seed, tokens } = await managedApp({ lock: stuck })
    await seed({ ageMs: 2 * HOUR_MS })

    await tokens.token(shop)
    await tokens.close()
    expect(eventsOf('lock.unavailable')).toHaveLength(1)
  })
})

describe('clocks that differ', () => {
  it.each([10, -10])('a machine %d minutes off still counts from Shopify’s clock', async (minutes) => {
    const offsetMs = minutes * 60_000
    const { clock, eventsOf, record, seed, shopify, tokens } = await managedApp()
    shopify.configure({ dateOffsetMs: -offsetMs })
    await seed({ ageMs: 2 * HOUR_MS })

    await tokens.token(shop)

    const { obtainedAt } = (await record()) as ExpiringRecord
    expect(Math.abs(obtainedAt - (clock.now() - offsetMs))).toBeLessThan(5_000)
    expect(eventsOf('clock.skewed')).toHaveLength(1)
  })

  it('are not corrected without a Date header', async () => {
    const { clock, record, seed, shopify, tokens } = await managedApp()
    shopify.configure({ sendDate: false })
    await seed({ ageMs: 2 * HOUR_MS })

    await tokens.token(shop)
    const { obtainedAt, confirmedAt } = (await record()) as ExpiringRecord
    expect(Math.abs(obtainedAt - clock.now())).toBeLessThan(5_000)
    expect(confirmedAt).toBeNull()
  })
})

describe('a row minted with a client secret that this process does not know', () => {
  it('is served while its token lives, and renewed by nobody here', async () => {
    const behind: Promise<void>[] = []
    const { eventsOf, seed, tokenCalls, tokens } = await managedApp({ background: (work) => behind.push(work) })
    const { accessToken } = await seed({ ageMs: HOUR_MS - 60_000, secretId: 'of-a-newer-secret' })

    expect((await tokens.token(shop)).value).toBe(accessToken)
    await Promise.all(behind)
    expect(tokenCalls()).toBe(0)
    expect(eventsOf('secret.outdated')).toHaveLength(1)
  })

  it('is told of once an hour, not by every request', async () => {
    const behind: Promise<void>[] = []
    const { clock, eventsOf, seed, tokens } = await managedApp({ background: (work) => behind.push(work) })
    await seed({ ageMs: HOUR_MS - 60_000, secretId: 'of-a-newer-secret' })

    for (let n = 0; n < 10; n++) {
      await tokens.token(shop)
      await Promise.all(behind)
      await clock.advance(3_000)
    }
    for (let n = 0; n < 10; n++) await expect(tokens.force(shop)).rejects.toThrow()
    expect(eventsOf('secret.outdated')).toHaveLength(1)

    await clock.advance(HOUR_MS)
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_SECRET_OUTDATED' })
    expect(eventsOf('secret.outdated')).toHaveLength(2)
  })

  it('is an operator’s error once its token has ended', async () => {
    const { eventsOf, record, seed, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS, secretId: 'of-a-newer-secret' })

    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_SECRET_OUTDATED', retryable: false })
    expect(tokenCalls()).toBe(0)
    expect(await record()).toMatchObject({ mark: null, coolDown: null })
    expect(eventsOf('secret.outdated')).toHaveLength(1)
  })

  it('is renewed by a process that knows both secrets, and pinned to the new one', async () => {
    const { anotherProcess, record, seed, shopify } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.addClientSecret('new-secret')

    await anotherProcess({ clientSecret: 'new-secret', previousClientSecret: CLIENT_SECRET }).token(shop)
    expect(await record()).toMatchObject({ secretId: fingerprint('new-secret') })
  })
})
