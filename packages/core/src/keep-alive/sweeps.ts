import type { Durations } from '../durations.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { Random } from '../ports/random.js'
import type { ShopifyTime } from '../renewal/shopify-time.js'
import { KeepAlive } from './keep-alive.js'
import { type ShopsQuery, type ShopState, shopStates } from './shop-state.js'
import {
  type KeepAliveOptions,
  parseKeepAliveOptions,
  parseSweepOptions,
  type SweepOptions,
  type SweepReport,
  type SweepSettings,
} from './sweep-options.js'
import { type SweepParts, SweepRun } from './sweep-run.js'

/** What {@link Sweeps} needs of the manager. */
export interface SweepsParts extends SweepParts {
  readonly durations: Durations
  readonly clock: Clock
  readonly random: Random
  readonly time: ShopifyTime
  readonly events: EventBus
}

/** The instant at which no shop is due: what is left are those that were asked for. */
const NEVER = 0

/** The manager's verbs about shops that nobody visits. */
export class Sweeps {
  readonly #parts: SweepsParts
  readonly #keepAlive: KeepAlive

  constructor(parts: SweepsParts) {
    this.#parts = parts
    this.#keepAlive = new KeepAlive({
      ...parts,
      sweep: (settings) => this.#sweep(settings),
      sweepAsked: (settings) => new SweepRun(parts, settings).execute(NEVER),
    })
  }

  sweep(options: SweepOptions): Promise<SweepReport> {
    return this.#sweep(parseSweepOptions(options))
  }

  start(options: KeepAliveOptions): void {
    this.#keepAlive.start(parseKeepAliveOptions(options))
  }

  shops(query: ShopsQuery): AsyncIterable<ShopState> {
    const { clientId, durations, rows, time } = this.#parts
    return shopStates(rows, clientId, durations, () => time.now(), query)
  }

  async #sweep(settings: SweepSettings): Promise<SweepReport> {
    const { clock, events, time } = this.#parts
    const startedAt = clock.monotonic()
    const report = await new SweepRun(this.#parts, settings).execute(time.now())
    const { failed, renewed, visited } = report
    const durationMs = Math.round(clock.monotonic() - startedAt)
    events.emit({ type: 'sweep.ended', visited, renewed, failed, durationMs })
    return report
  }
}
