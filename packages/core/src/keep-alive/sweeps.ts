import type { Durations } from '../durations.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { Random } from '../ports/random.js'
import type { ShopifyTime } from '../renewal/shopify-time.js'
import { AskedShops } from './asked-shops.js'
import { KeepAlive } from './keep-alive.js'
import { parseShopsQuery, type ShopsQuery, type ShopState, shopStates } from './shop-state.js'
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

/** The first sweep comes soon: a process that is replaced every few minutes would never reach a later one. */
const FIRST_WITHIN_MS = 60_000

/** The manager's verbs about shops that nobody visits. */
export class Sweeps {
  readonly #parts: SweepsParts
  #isStarted = false

  constructor(parts: SweepsParts) {
    this.#parts = parts
  }

  sweep(options: SweepOptions): Promise<SweepReport> {
    return this.#sweep(parseSweepOptions(options))
  }

  start(options: KeepAliveOptions): void {
    const { askedEveryMs, concurrency, holdsProcess, perSecond, sweepEveryMs } = parseKeepAliveOptions(options)
    if (this.#isStarted) return
    this.#isStarted = true
    const keepAlive = new KeepAlive({ ...this.#parts, holdsProcess })
    const asked = new AskedShops(this.#parts, concurrency)
    const settings = { perSecond, concurrency, holdsProcess, signal: null, onProgress: null }
    void keepAlive.repeat({
      firstWithinMs: Math.min(FIRST_WITHIN_MS, sweepEveryMs),
      everyMs: sweepEveryMs,
      work: () => this.#sweep(settings),
    })
    void keepAlive.repeat({ firstWithinMs: askedEveryMs, everyMs: askedEveryMs, work: () => asked.look() })
  }

  shops(query: ShopsQuery): AsyncIterable<ShopState> {
    const { clientId, durations, rows, time } = this.#parts
    return shopStates(rows, clientId, durations, () => time.now(), parseShopsQuery(query))
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
