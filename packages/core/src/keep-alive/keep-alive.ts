import { isShopifyTokenError } from '../errors.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { Random } from '../ports/random.js'
import type { KeepAliveSettings, SweepReport, SweepSettings } from './sweep-options.js'

/** What {@link KeepAlive} needs of the manager. */
export interface KeepAliveParts {
  readonly clock: Clock
  readonly random: Random
  readonly events: EventBus
  readonly closing: AbortSignal
  /** Visits the shops that are due. */
  readonly sweep: (settings: SweepSettings) => Promise<SweepReport>
  /** Visits the shops that other processes have asked for. */
  readonly sweepAsked: (settings: SweepSettings) => Promise<SweepReport>
}

/** The first sweep comes soon: a process that is replaced every few minutes would never reach a later one. */
const FIRST_WITHIN_MS = 60_000

/** Sweeps again and again until the manager closes, without keeping the process alive for it. */
export class KeepAlive {
  readonly #parts: KeepAliveParts
  #isStarted = false

  constructor(parts: KeepAliveParts) {
    this.#parts = parts
  }

  start({ askedEveryMs, concurrency, perSecond, sweepEveryMs }: KeepAliveSettings): void {
    if (this.#isStarted) return
    this.#isStarted = true
    const { sweep, sweepAsked } = this.#parts
    const settings: SweepSettings = { perSecond, concurrency, signal: null, onProgress: null }
    void this.#repeat(Math.min(FIRST_WITHIN_MS, sweepEveryMs), sweepEveryMs, () => sweep(settings))
    // Somebody waits for each of them.
    void this.#repeat(askedEveryMs, askedEveryMs, () => sweepAsked({ ...settings, perSecond: null }))
  }

  /** Processes that were started together are not to sweep together: each pause is a little longer or shorter. */
  async #repeat(firstWithinMs: number, everyMs: number, work: () => Promise<unknown>): Promise<void> {
    const { closing, random } = this.#parts
    let isFailing = false
    for (let pauseMs = firstWithinMs * random(); await this.#pause(pauseMs); pauseMs = everyMs * (0.9 + random() / 5)) {
      try {
        await work()
        isFailing = false
      } catch (error) {
        if (closing.aborted) return
        if (!isFailing) this.#tell(error)
        isFailing = true
      }
    }
  }

  /** Whether to go on. */
  #pause(ms: number): Promise<boolean> {
    const { clock, closing } = this.#parts
    return clock.sleep(Math.ceil(ms), closing, { ref: false }).then(
      () => true,
      () => false,
    )
  }

  /** Once until it works again: the asked-for shops are looked for every few seconds. */
  #tell(error: unknown): void {
    if (!isShopifyTokenError(error)) throw error
    this.#parts.events.emit({ type: 'sweep.failed', code: error.code })
  }
}
