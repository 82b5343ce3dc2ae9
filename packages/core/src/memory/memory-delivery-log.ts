import { randomUUID } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { type Clock, systemClock } from '../ports/clock.js'
import type { DeliveryKey, DeliveryLog, DeliveryState } from '../ports/delivery-log.js'

/** Some 10 MB when full; in four hours, as long as Shopify repeats a webhook, that is three a second. */
const REMEMBERED = 50_000

interface Entry {
  /** `null`: done. */
  readonly claim: string | null
  /** Until when the claim holds, by the monotonic clock. */
  readonly until: number
}

/**
 * Remembers deliveries in this process, the latest 50 000 of them. **A restart forgets them**, and no other process sees
 * them: then what comes twice is done twice. Never rejects.
 */
export class MemoryDeliveryLog implements DeliveryLog {
  #made: LRUCache<string, Entry> | undefined
  readonly #clock: Clock

  /** @param options `clock`: measures the leases. Default: the machine's clock. */
  constructor(options: { readonly clock?: Clock | undefined } = {}) {
    this.#clock = options.clock ?? systemClock
  }

  /** Made at first use: its room is set aside at once, and most managers have deliveries in their store, or none. */
  get #entries(): LRUCache<string, Entry> {
    this.#made ??= new LRUCache({ max: REMEMBERED })
    return this.#made
  }

  begin(delivery: DeliveryKey, leaseMs: number): Promise<DeliveryState> {
    const name = nameOf(delivery)
    const entry = this.#entries.get(name)
    if (entry?.claim === null) return Promise.resolve({ outcome: 'done' })
    const now = this.#clock.monotonic()
    if (entry !== undefined && now < entry.until) return Promise.resolve({ outcome: 'running' })
    const claim = randomUUID()
    this.#entries.set(name, { claim, until: now + leaseMs })
    return Promise.resolve({ outcome: 'run', claim })
  }

  finish(delivery: DeliveryKey): Promise<void> {
    this.#entries.set(nameOf(delivery), { claim: null, until: 0 })
    return Promise.resolve()
  }

  release(delivery: DeliveryKey, claim: string): Promise<void> {
    const name = nameOf(delivery)
    if (this.#entries.get(name)?.claim === claim) this.#entries.delete(name)
    return Promise.resolve()
  }
}

function nameOf({ clientId, id }: DeliveryKey): string {
  return JSON.stringify([clientId, id])
}
