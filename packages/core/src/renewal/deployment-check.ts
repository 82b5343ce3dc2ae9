import type { Durations } from '../durations.js'
import { ForeignDeploymentError } from '../errors.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import { endlessConflict, MAX_CONFLICTS } from './endless-conflict.js'
import type { BoundRegister, StoreCalls } from './store-calls.js'

/**
 * Whether this process belongs to the deployment whose tokens the store holds. A copy of a database must not renew: each
 * of its renewals would retire the original's refresh tokens (R12 in docs/shopify-protocol.md).
 *
 * The first process that is configured with an id names the deployment; whoever has another id, or none, is refused from
 * then on.
 */
export class DeploymentCheck {
  readonly #store: StoreCalls
  readonly #clock: Clock
  readonly #events: EventBus
  readonly #durations: Pick<Durations, 'revalidateMs'>
  readonly #own: string | null
  /** Until when (monotonic) the last look counts. */
  #validUntil = -Infinity
  /** The look under way, for all runs that begin meanwhile. */
  #look: Promise<boolean> | null = null
  #isForeign = false

  constructor(
    store: StoreCalls,
    clock: Clock,
    events: EventBus,
    durations: Pick<Durations, 'revalidateMs'>,
    own: string | null,
  ) {
    this.#store = store
    this.#clock = clock
    this.#events = events
    this.#durations = durations
    this.#own = own
  }

  /** Rejects with `ERR_FOREIGN_DEPLOYMENT` when this process must not renew. */
  async pass(): Promise<void> {
    const register = this.#store.deployments
    if (register === null || this.#clock.monotonic() < this.#validUntil) return
    this.#look ??= this.#isOwn(register).finally(() => {
      this.#look = null
    })
    if (!(await this.#look)) throw new ForeignDeploymentError()
  }

  /** Puts this process's id on record, whoever stood there. Resolves with whether that changed anything. */
  async adopt(): Promise<boolean> {
    const register = this.#store.deployments
    const own = this.#own
    if (register === null || own === null) return false
    for (let tries = 1; tries <= MAX_CONFLICTS; tries++) {
      const onRecord = await register.read()
      if (onRecord === own) return false
      if (await register.write(own, onRecord)) return true
    }
    throw endlessConflict()
  }

  async #isOwn(register: BoundRegister): Promise<boolean> {
    const isOwn = (await this.#claimed(register)) === this.#own
    // Told when it turns out, not by every run that is refused.
    if (!isOwn && !this.#isForeign) this.#events.emit({ type: 'deployment.foreign' })
    this.#isForeign = !isOwn
    if (isOwn) this.#validUntil = this.#clock.monotonic() + this.#durations.revalidateMs
    return isOwn
  }

  /** The deployment on record, which is this one if there was none. */
  async #claimed(register: BoundRegister): Promise<string | null> {
    const onRecord = await register.read()
    if (onRecord !== null || this.#own === null) return onRecord
    return (await register.write(this.#own, null)) ? this.#own : register.read()
  }
}
