import { isShopifyTokenError } from '../errors.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { Random } from '../ports/random.js'

/** What {@link KeepAlive} needs of the manager. */
export interface KeepAliveParts {
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly closing: AbortSignal
  /** Whether its pauses keep the process alive. */
  readonly holdsProcess: boolean
}

/** Work that is done again and again. */
export interface Rounds {
  /** The first comes within this time. */
  readonly firstWithinMs: number
  /** From the end of one to the beginning of the next, but for a tenth more or less. */
  readonly everyMs: number
  readonly work: () => Promise<unknown>
}

/** Goes round until the manager closes. */
export class KeepAlive {
  readonly #parts: KeepAliveParts
  /** What the last round of each work failed with, of those that did. */
  readonly #failing = new Map<Rounds, string>()

  constructor(parts: KeepAliveParts) {
    this.#parts = parts
  }

  /** Processes that were started together are not to sweep together: each pause is a little longer or shorter. */
  async repeat(rounds: Rounds): Promise<void> {
    const { closing, random } = this.#parts
    const { everyMs, firstWithinMs, work } = rounds
    for (let pauseMs = firstWithinMs * random(); await this.#pause(pauseMs); pauseMs = everyMs * (0.9 + random() / 5)) {
      try {
        await work()
        this.#failing.delete(rounds)
      } catch (error) {
        if (closing.aborted) return
        this.#tell(rounds, error)
      }
    }
  }

  /** Whether to go on. */
  #pause(ms: number): Promise<boolean> {
    const { clock, closing, holdsProcess } = this.#parts
    return clock.sleep(Math.ceil(ms), closing, { ref: holdsProcess }).then(
      () => true,
      () => false,
    )
  }

  /** Once until it works again: some rounds are made every few seconds. */
  #tell(rounds: Rounds, error: unknown): void {
    const isOurs = isShopifyTokenError(error)
    const kind = isOurs ? error.code : error instanceof Error ? error.name : typeof error
    const isNews = ![...this.#failing.values()].includes(kind)
    this.#failing.set(rounds, kind)
    if (!isNews) return
    if (isOurs) this.#parts.events.emit({ type: 'sweep.failed', code: error.code })
    else process.emitWarning(`A sweep failed (${kind}); the next one begins anew.`, 'ShopifyTokensWarning')
  }
}
