import { withDeadline } from '../deadline.js'
import { isHeld, type Lease } from '../ports/lock.js'
import type { RecordKey } from '../token.js'
import type { RunContext } from './run-context.js'

/**
 * The optional lock in front of the row, held by one run. When it cannot be reached the run goes on without it: the
 * attempt in the row is the lease that counts.
 */
export class LockHold {
  readonly #context: RunContext
  readonly #resource: string
  #lease: Lease | null = null

  constructor(context: RunContext, { clientId, shop }: RecordKey) {
    this.#context = context
    this.#resource = `${clientId}:${shop}`
  }

  /** Whether the run may go on: it holds the lock, or there is none to be had. */
  async take(): Promise<boolean> {
    const { clock, durations, events, lock } = this.#context
    if (lock === null || this.#lease !== null) return true
    const { leaseMs, storeTimeoutMs } = durations
    let isLate = false
    try {
      const answer = await withDeadline(clock, storeTimeoutMs, async () => {
        const taken = await lock.tryAcquire(this.#resource, leaseMs)
        // The run has gone on without it; nobody else should wait for a lease that nobody holds.
        if (isLate && !isHeld(taken)) await taken.release()
        return taken
      })
      if (isHeld(answer)) return false
      this.#lease = answer
    } catch {
      isLate = true
      events.emit({ type: 'lock.unavailable' })
    }
    return true
  }

  async release(): Promise<void> {
    const { clock, durations, events } = this.#context
    const lease = this.#lease
    if (lease === null) return
    try {
      await withDeadline(clock, durations.storeTimeoutMs, () => lease.release())
    } catch {
      // It ends by itself.
      events.emit({ type: 'lock.unavailable' })
    }
  }
}
