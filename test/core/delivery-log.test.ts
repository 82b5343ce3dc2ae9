import {
  createTokenManager,
  type DeliveryKey,
  type DeliveryLog,
  MemoryDeliveryLog,
  MemoryTokenStore,
  sealedStore,
  staticKeyRing,
  StoreUnavailableError,
  type TokenManager,
  type TokenStore,
} from '@shopify-tokens/core'
import { FakeClock } from '@shopify-tokens/testing'

const LEASE_MS = 60_000
const TIMEOUT_MS = 2_000
const REMEMBERED = 50_000
const delivery: DeliveryKey = { clientId: 'app', id: 'webhook:1' }
const keyRing = staticKeyRing([{ id: 'k1', bytes: new Uint8Array(32) }])

function managerOver(store: TokenStore, clock = new FakeClock()): TokenManager {
  return createTokenManager({ clientId: 'app', clientSecret: 'secret', store, sealing: keyRing, clock })
}

/** A store whose log is another one, or none. */
function storeWith(deliveries: Partial<DeliveryLog> | undefined): TokenStore {
  return Object.assign(new MemoryTokenStore(), { deliveries })
}

describe('the deliveries of a manager', () => {
  it("are its store's, so that every process knows of them, through the seal too", async () => {
    const store = new MemoryTokenStore({ clock: new FakeClock() })
    const [one, other] = [managerOver(store), managerOver(sealedStore(store, keyRing))]

    const state = await one.deliveries.begin(delivery, LEASE_MS)
    expect(state.outcome).toBe('run')
    expect(await other.deliveries.begin(delivery, LEASE_MS)).toEqual({ outcome: 'running' })
    await one.deliveries.release(delivery, state.outcome === 'run' ? state.claim : '')
    const next = await other.deliveries.begin(delivery, LEASE_MS)
    await other.deliveries.finish(delivery, next.outcome === 'run' ? next.claim : '')
    expect(await one.deliveries.begin(delivery, LEASE_MS)).toEqual({ outcome: 'done' })
  })

  it('are its own when the store remembers none', async () => {
    const store = storeWith(undefined)
    const clock = new FakeClock()
    const [one, other] = [managerOver(store, clock), managerOver(store, clock)]

    expect(await one.deliveries.begin(delivery, LEASE_MS)).toMatchObject({ outcome: 'run' })
    expect(await one.deliveries.begin(delivery, LEASE_MS)).toEqual({ outcome: 'running' })
    expect(await other.deliveries.begin(delivery, LEASE_MS)).toMatchObject({ outcome: 'run' })
    await clock.advance(LEASE_MS)
    expect(await one.deliveries.begin(delivery, LEASE_MS)).toMatchObject({ outcome: 'run' })
  })

  const calls: readonly (readonly [keyof DeliveryLog, (log: DeliveryLog) => Promise<unknown>])[] = [
    ['begin', (log) => log.begin(delivery, LEASE_MS)],
    ['finish', (log) => log.finish(delivery, 'claim')],
    ['release', (log) => log.release(delivery, 'claim')],
  ]

  it.each(calls)('%s waits no longer for the store than any other call', async (verb, call) => {
    const clock = new FakeClock()
    const asked = jest.fn(() => new Promise<never>(() => undefined))
    const tokens = managerOver(storeWith({ [verb]: asked }), clock)

    const answer = expect(call(tokens.deliveries)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await clock.advance(TIMEOUT_MS)
    await answer
    expect(asked).toHaveBeenCalledTimes(1)
  })

  it.each(calls)(
    '%s fails with an error of ours, and is not repeated: nobody knows whether it happened',
    async (verb, call) => {
      const asked = jest.fn(() => Promise.reject(new Error('ECONNRESET')))
      const tokens = managerOver(storeWith({ [verb]: asked }))

      await expect(call(tokens.deliveries)).rejects.toBeInstanceOf(StoreUnavailableError)
      expect(asked).toHaveBeenCalledTimes(1)
    },
  )
})

describe('the log in memory', () => {
  it('measures leases by its clock, whatever the wall says', async () => {
    const clock = new FakeClock()
    const log = new MemoryDeliveryLog({ clock })
    await log.begin(delivery, LEASE_MS)

    clock.jump(10 * LEASE_MS)
    await clock.advance(LEASE_MS - 1)
    expect(await log.begin(delivery, LEASE_MS)).toEqual({ outcome: 'running' })
    await clock.advance(1)
    expect(await log.begin(delivery, LEASE_MS)).toMatchObject({ outcome: 'run' })
  })

  it('keeps the latest, and forgets those of which nothing was heard for longest', async () => {
    const log = new MemoryDeliveryLog()
    for (const id of ['first', 'second']) await log.finish({ clientId: 'app', id })
    for (let n = 2; n < REMEMBERED; n += 1) await log.finish({ clientId: 'app', id: String(n) })

    expect(await log.begin({ clientId: 'app', id: 'first' }, LEASE_MS)).toEqual({ outcome: 'done' })
    await log.finish({ clientId: 'app', id: 'one more' })
    expect(await log.begin({ clientId: 'app', id: 'first' }, LEASE_MS)).toEqual({ outcome: 'done' })
    expect(await log.begin({ clientId: 'app', id: 'second' }, LEASE_MS)).toMatchObject({ outcome: 'run' })
  })

  it('needs no clock to be given', async () => {
    expect(await new MemoryDeliveryLog().begin(delivery, LEASE_MS)).toMatchObject({ outcome: 'run' })
  })
})
