import type { Clock, SleepOptions } from '../ports/clock.js'

/**
 * So many turns a second and no more, evenly spaced. A turn that nobody took is not saved up: no burst follows a pause.
 */
export class Pace {
  readonly #clock: Clock
  readonly #intervalMs: number
  readonly #sleep: SleepOptions
  /** When the next turn may be taken. Monotonic. */
  #nextAt = -Infinity

  /** `sleep`: how the pauses between turns behave. */
  constructor(perSecond: number, clock: Clock, sleep: SleepOptions = {}) {
    this.#clock = clock
    this.#intervalMs = 1_000 / perSecond
    this.#sleep = sleep
  }

  /** Resolves when it is the caller's turn, in the order of the calls. Rejects with `signal.reason` on an abort. */
  async turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const now = this.#clock.monotonic()
    const at = Math.max(now, this.#nextAt)
    this.#nextAt = at + this.#intervalMs
    if (at > now) await this.#clock.sleep(Math.ceil(at - now), signal, this.#sleep)
  }
}
