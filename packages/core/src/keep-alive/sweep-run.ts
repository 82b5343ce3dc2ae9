import { setMaxListeners } from 'node:events'
import { type AnyShopifyTokenError, ClosedError, isShopifyTokenError } from '../errors.js'
import { everyRow, type RowsReach, type UnreadableRow } from '../fleet/every-row.js'
import { Pace } from '../fleet/pace.js'
import { severalAtOnce } from '../fleet/several-at-once.js'
import type { ScannedRow } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import type { SweepFailure, SweepReport, SweepSettings, SweepStep } from './sweep-options.js'

/** What {@link SweepRun} needs of the manager. */
export interface SweepParts {
  readonly clientId: string
  readonly rows: RowsReach
  /** Renews the shop if it is due still. */
  readonly renewIfDue: (shop: Shop, signal: AbortSignal) => Promise<'renewed' | 'not-due'>
  readonly closing: AbortSignal
}

const MAX_FAILURES = 1_000

/** One visit to the shops that are due, those that were asked for first. Holds nothing of them but the list of failures. */
export class SweepRun {
  readonly #parts: SweepParts
  readonly #settings: SweepSettings
  readonly #pace: Pace
  readonly #stop: AbortSignal
  readonly #failures: SweepFailure[] = []
  #visited = 0
  #renewed = 0
  #failed = 0

  constructor(parts: SweepParts, settings: SweepSettings) {
    const { holdsProcess, perSecond, signal } = settings
    const { closing, rows } = parts
    this.#parts = parts
    this.#settings = settings
    this.#pace = new Pace(perSecond, rows.clock, { ref: holdsProcess })
    // Not of `closing` alone: it would remember every sweep of a process that sweeps for months.
    this.#stop = signal === null ? closing : AbortSignal.any([closing, signal])
    // Every visit that pauses listens.
    setMaxListeners(Infinity, this.#stop)
  }

  /** `dueAt`: shops are visited that are due at this instant of Shopify's time, and those that were asked for. */
  async execute(dueAt: number): Promise<SweepReport> {
    const { clientId, closing, rows } = this.#parts
    try {
      this.#stop.throwIfAborted()
      const due = everyRow(rows, { clientId, sweepBefore: dueAt }, this.#stop)
      await severalAtOnce(due, this.#settings.concurrency, (row) => this.#visit(row))
    } catch (error) {
      throw this.#stop.aborted && error === closing.reason ? new ClosedError() : error
    }
    return { visited: this.#visited, renewed: this.#renewed, failed: this.#failed, failures: this.#failures }
  }

  async #visit(row: ScannedRow | UnreadableRow): Promise<void> {
    const { shop } = row.key
    await this.#pace.turn(this.#stop)
    this.#visited += 1
    if (row.record === null) {
      this.#fail({ shop, code: 'ERR_STORE_UNREADABLE', requestId: undefined })
      return
    }
    try {
      const outcome = await this.#parts.renewIfDue(shop, this.#stop)
      if (outcome === 'renewed') this.#renewed += 1
      this.#tell({ outcome, shop })
    } catch (error) {
      this.#stop.throwIfAborted()
      if (!isShopifyTokenError(error) || endsAll(error)) throw error
      this.#fail({ shop, code: error.code, requestId: error.requestId })
    }
  }

  #fail(failure: SweepFailure): void {
    this.#failed += 1
    if (this.#failures.length < MAX_FAILURES) this.#failures.push(failure)
    this.#tell({ outcome: 'failed', ...failure })
  }

  #tell(step: SweepStep): void {
    try {
      const result = this.#settings.onProgress?.(Object.freeze(step))
      if (result instanceof Promise) result.catch(warn)
    } catch (error) {
      warn(error)
    }
  }
}

/** What one shop is told here, all others would be. */
function endsAll({ code }: AnyShopifyTokenError): boolean {
  return code === 'ERR_FOREIGN_DEPLOYMENT' || code === 'ERR_CLOSED'
}

function warn(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`The option onProgress of sweep threw (${kind}).`, 'ShopifyTokensWarning')
}
