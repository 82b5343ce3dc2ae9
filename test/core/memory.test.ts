import { MemoryLock, MemoryTokenStore } from '@shopify-tokens/core'
import { FakeClock, lockContract, tokenStoreContract } from '@shopify-tokens/testing'

const clock = new FakeClock()

tokenStoreContract(
  { describe, it },
  {
    name: 'MemoryTokenStore',
    capabilities: ['deployments', 'deliveries'],
    elapse: (ms) => clock.advance(ms),
    open() {
      const store = new MemoryTokenStore({ clock })
      return { store, other: store }
    },
  },
)

lockContract(
  { describe, it },
  {
    name: 'MemoryLock',
    open() {
      const lock = new MemoryLock({ clock })
      return { lock, other: lock }
    },
    elapse: (ms) => clock.advance(ms),
  },
)
