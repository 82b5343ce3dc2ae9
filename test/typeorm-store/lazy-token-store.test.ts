import { MemoryTokenStore } from '@shopify-tokens/core'
import { aKey, aRecord, tokenStoreContract } from '@shopify-tokens/testing'
import { LazyTokenStore } from '../../packages/typeorm-store/src/environment/lazy-token-store.js'

const close = (): Promise<void> => Promise.resolve()

tokenStoreContract(
  { describe, it },
  {
    name: 'A lazily opened store',
    capabilities: ['deployments', 'deliveries'],
    open() {
      const store = new LazyTokenStore(() => Promise.resolve({ store: new MemoryTokenStore(), close }))
      return { store, other: store }
    },
  },
)

it('is opened once by callers who come together', async () => {
  let openings = 0
  const store = new LazyTokenStore(() => {
    openings += 1
    return Promise.resolve({ store: new MemoryTokenStore(), close })
  })
  await Promise.all([store.get(aKey()), store.ready(), store.put(aKey(), aRecord.empty(), 'absent')])
  expect(openings).toBe(1)
})

it('tries again after an opening that failed', async () => {
  const answers = [Promise.reject(new Error('down')), Promise.resolve({ store: new MemoryTokenStore(), close })]
  const store = new LazyTokenStore(() => answers.shift()!)
  await expect(Promise.all([store.get(aKey()), store.ready()])).rejects.toThrow('down')
  expect((await store.get(aKey())).version).toBe('absent')
})

it('closes what is still being opened', async () => {
  let closed = 0
  let finish = (): void => undefined
  const opening = new Promise<void>((resolve) => (finish = resolve))
  const store = new LazyTokenStore(async () => {
    await opening
    return {
      store: new MemoryTokenStore(),
      async close() {
        closed += 1
      },
    }
  })
  const ready = store.ready()
  const closing = store.close()
  finish()
  await Promise.all([ready, closing])
  expect(closed).toBe(1)
})
