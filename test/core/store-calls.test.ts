import { MemoryTokenStore, type TokenEvent, type TokenStore } from '@shopify-tokens/core'
import { aKey, aRecord, FakeClock, fault, FaultyStore } from '@shopify-tokens/testing'
import { StoreUnreadableError } from '@shopify-tokens/core'
import { EventBus } from '../../packages/core/src/events.js'
import { StoreCalls } from '../../packages/core/src/renewal/store-calls.js'

const TIMEOUT_MS = 2_000
const key = aKey()

function calls(changed: Partial<TokenStore> = {}): {
  readonly clock: FakeClock
  readonly events: TokenEvent[]
  readonly store: FaultyStore
  readonly stored: StoreCalls
} {
  const clock = new FakeClock()
  const store = new FaultyStore(Object.assign(new MemoryTokenStore({ clock }), changed), { clock })
  const events: TokenEvent[] = []
  const bus = new EventBus(() => clock.now())
  bus.subscribe((event) => events.push(event))
  return { clock, events, store, stored: new StoreCalls(store, key.clientId, clock, TIMEOUT_MS, bus) }
}

describe('a read of the store', () => {
  it.each([
    ['of ours', undefined],
    ['of the driver', new Error('Connection terminated unexpectedly')],
  ])('that failed is repeated once, at once: an error %s', async (_title, error) => {
    const { clock, store, stored } = calls()
    store.next('get', fault.failBefore(error))

    await expect(stored.get(key)).resolves.toMatchObject({ record: null })
    expect(store.count('get')).toBe(2)
    expect(clock.monotonic()).toBe(0)
  })

  it('is not repeated a second time', async () => {
    const { store, stored } = calls()
    store.always('get', fault.failBefore(new Error('ECONNREFUSED')))

    await expect(stored.get(key)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE', shop: key.shop })
    expect(store.count('get')).toBe(2)
  })

  it('is not repeated when the row is unreadable: it will be so again', async () => {
    const { events, store, stored } = calls()
    store.always('get', fault.failBefore(new StoreUnreadableError('Sealed.')))

    await expect(stored.get(key)).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE' })
    expect(store.count('get')).toBe(1)
    expect(events).toEqual([expect.objectContaining({ type: 'store.unreadable', shop: key.shop })])
  })

  it('has one deadline for both tries', async () => {
    const { clock, store, stored } = calls()
    store.next('get', fault.failBefore(), fault.hangBefore())

    const read = expect(stored.get(key)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await clock.advance(TIMEOUT_MS)
    await read
    expect(store.count('get')).toBe(2)
  })

  it('is not repeated for nobody: a read that fails after its deadline is over', async () => {
    const clock = new FakeClock()
    let reads = 0
    const { stored, clock: time } = calls({
      get: async () => {
        reads++
        await clock.sleep(TIMEOUT_MS + 1)
        throw new Error('ETIMEDOUT')
      },
    })

    const read = expect(stored.get(key)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await time.advance(TIMEOUT_MS)
    await read
    await clock.advance(TIMEOUT_MS + 1)
    expect(reads).toBe(1)
  })

  it('of the deployment on record is repeated once too', async () => {
    let reads = 0
    const { stored } = calls({
      deployments: {
        read: () => (++reads === 1 ? Promise.reject(new Error('ECONNRESET')) : Promise.resolve('production')),
        write: () => Promise.resolve(false),
      },
    })

    await expect(stored.deployments?.read()).resolves.toBe('production')
  })
})

describe('a write to the store', () => {
  it('is never repeated: nobody knows whether it happened', async () => {
    const { store, stored } = calls()
    store.always('put', fault.failAfter())

    await expect(stored.put(key, aRecord.empty(), 'absent')).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(store.count('put')).toBe(1)
  })

  it('to the register is never repeated either', async () => {
    const write = jest.fn(() => Promise.reject(new Error('ECONNRESET')))
    const { stored } = calls({ deployments: { read: () => Promise.resolve(null), write } })

    await expect(stored.deployments?.write('production', null)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(write).toHaveBeenCalledTimes(1)
  })
})
