import { type Clock, systemClock } from '../ports/clock.js'
import type { Held, Lease, Lock } from '../ports/lock.js'

/**
 * A lock among the callers of this process: for tests of what stands behind a {@link Lock}. It excludes no other
 * process, and within one process the token manager already shares its renewals without it.
 */
export class MemoryLock implements Lock {
  /** Until when each resource is held, by the monotonic clock. The object itself is the owner. */
  readonly #holds = new Map<string, { readonly until: number }>()
  readonly #clock: Clock

  /** @param options `clock`: measures the leases. Default: the machine's clock. */
  constructor(options: { readonly clock?: Clock | undefined } = {}) {
    this.#clock = options.clock ?? systemClock
  }

  /** Takes `resource` for `leaseMs` milliseconds, or says how long it is held. Never rejects. */
  tryAcquire(resource: string, leaseMs: number): Promise<Lease | Held> {
    const heldForMs = this.#remainingMs(resource, this.#holds.get(resource))
    if (heldForMs > 0) return Promise.resolve({ heldForMs })

    const hold = { until: this.#clock.monotonic() + leaseMs }
    this.#holds.set(resource, hold)
    return Promise.resolve({
      remainingMs: () => Promise.resolve(this.#remainingMs(resource, hold)),
      release: () => {
        if (this.#holds.get(resource) === hold) this.#holds.delete(resource)
        return Promise.resolve()
      },
    })
  }

  #remainingMs(resource: string, hold: { readonly until: number } | undefined): number {
    if (hold === undefined || this.#holds.get(resource) !== hold) return 0
    return Math.max(0, hold.until - this.#clock.monotonic())
  }
}
