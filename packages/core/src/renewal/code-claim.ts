import { InvalidCallbackError } from '../errors.js'
import type { Credential } from '../oauth/grants.js'
import type { DeliveryKey } from '../ports/delivery-log.js'
import { fingerprint } from '../secret.js'
import type { RecordKey } from '../token.js'
import type { RunContext } from './run-context.js'

/** A claim outlives every code: nobody takes over the code of a process that has died, for it may have been sent. */
const LEASE_MS = 86_400_000

/**
 * An authorization code in the hands of one run. It is sent at most once, by whichever process: Shopify answers a second
 * time with a refusal, from which nobody can tell what the first time has brought.
 */
export class CodeClaim {
  readonly #context: Pick<RunContext, 'deliveries' | 'events'>
  readonly #key: RecordKey
  readonly #delivery: DeliveryKey
  readonly #code: string
  #claim: string | null = null
  #isSpent = false

  constructor(context: Pick<RunContext, 'deliveries' | 'events'>, key: RecordKey, code: string) {
    this.#context = context
    this.#key = key
    this.#delivery = { clientId: key.clientId, id: `code:${fingerprint(code)}` }
    this.#code = code
  }

  /** The code, which from now on is this run's alone. Rejects with `ERR_INVALID_CALLBACK` when somebody else has or had it. */
  async take(): Promise<Credential> {
    if (this.#claim === null) {
      const state = await this.#context.deliveries.begin(this.#delivery, LEASE_MS)
      if (state.outcome !== 'run') throw this.refused()
      this.#claim = state.claim
    }
    return { grant: 'code', value: this.#code }
  }

  /** Writes down that the code has been sent: before it is, because afterwards the process may be dead. */
  async spend(): Promise<void> {
    if (this.#claim === null || this.#isSpent) return
    await this.#context.deliveries.finish(this.#delivery, this.#claim)
    this.#isSpent = true
  }

  /** Lets go of a code that was not sent: the same callback may be tried again. */
  async release(): Promise<void> {
    if (this.#claim === null || this.#isSpent) return
    // A courtesy: without it the merchant authorizes the app once more.
    await this.#context.deliveries.release(this.#delivery, this.#claim).catch(() => undefined)
  }

  /** The error for a code that brings nothing. */
  refused(requestId?: string): InvalidCallbackError {
    this.#context.events.emit({ type: 'callback.refused', flaw: 'code' })
    return new InvalidCallbackError('code', { shop: this.#key.shop, requestId })
  }
}
