import type { RecordKey } from '../token.js'
import { LockHold } from './lock-hold.js'
import type { RunContext } from './run-context.js'
import type { Want } from './want.js'

/**
 * What stands in front of one run's calls to Shopify, in this order: the check that this deployment may renew, the
 * breaker, and the lock where there is one. No pair that has been minted depends on any of them.
 */
export class Admission {
  readonly #context: RunContext
  readonly #key: RecordKey
  readonly #lock: LockHold
  /** Whether the breaker has let the run through: waiting for somebody else afterwards does not cost it that. */
  #isAdmitted = false

  constructor(context: RunContext, key: RecordKey) {
    this.#context = context
    this.#key = key
    this.#lock = new LockHold(context, key)
  }

  /** Whether the run may go on; not while somebody else holds the lock. Rejects when it must not go on at all. */
  async pass({ trigger }: Want): Promise<boolean> {
    await this.#context.deployment.pass()
    if (!this.#isAdmitted && trigger !== 'forced') {
      this.#context.breaker.pass(this.#key.shop)
      this.#isAdmitted = true
    }
    return this.#lock.take()
  }

  /** The run has ended. */
  release(): Promise<void> {
    return this.#lock.release()
  }
}
