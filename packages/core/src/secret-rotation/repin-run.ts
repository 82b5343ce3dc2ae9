import { setMaxListeners } from 'node:events'
import type { Durations } from '../durations.js'
import { type AnyShopifyTokenError, ClosedError, isShopifyTokenError } from '../errors.js'
import { everyRow, type RowsReach, type UnreadableRow } from '../fleet/every-row.js'
import { Pace } from '../fleet/pace.js'
import { severalAtOnce } from '../fleet/several-at-once.js'
import type { ScannedRow, Snapshot } from '../ports/token-store.js'
import { leaseTimeout } from '../renewal/patience.js'
import type { ShopifyTime } from '../renewal/shopify-time.js'
import type { StoreCalls } from '../renewal/store-calls.js'
import type { Shop } from '../shop.js'
import { isServable } from '../token.js'
import { pinningOf } from './pinning.js'
import type { RepinFailure, RepinReport, RepinSettings, RepinStep } from './repin-options.js'
import { Round } from './round.js'

/** What {@link RepinRun} needs of the manager. */
export interface RepinParts {
  readonly clientId: string
  /** The current client secret's. */
  readonly secretId: string
  readonly durations: Durations
  readonly rows: RowsReach
  readonly store: StoreCalls
  readonly time: ShopifyTime
  /** Renews whatever the clock says, and resolves when the new pair is stored. */
  readonly renew: (shop: Shop, signal: AbortSignal) => Promise<void>
  readonly closing: AbortSignal
}

/** Rounds in which a shop that fails is tried. */
const MAX_TRIES = 3
/** So many shops, and not one renewed, say that the secret itself is wrong. */
const MISCONFIGURED_SHOPS = 10
const KINDS = ['expiring', 'client-credentials', 'non-expiring', 'empty', 'removed'] as const

/**
 * One call of {@link TokenManager.repinAll}. Visits all shops, renews those that another secret's end would cut off, and
 * visits all of them again until a visit finds nothing more to renew: shops may be installed behind its back by a process
 * that has the old secret still. Holds nothing of a shop beyond its visit but the list of failures.
 */
export class RepinRun {
  readonly #parts: RepinParts
  readonly #settings: RepinSettings
  readonly #pace: Pace
  readonly #stop: AbortSignal
  readonly #startedAt: number
  #round = new Round()
  #repinned = 0
  #misconfigured = 0

  constructor(parts: RepinParts, settings: RepinSettings) {
    this.#parts = parts
    this.#settings = settings
    this.#pace = new Pace(settings.perSecond, parts.rows.clock)
    this.#startedAt = parts.time.now()
    this.#stop = AbortSignal.any([parts.closing, ...(settings.signal === null ? [] : [settings.signal])])
    // Every visit that pauses listens.
    setMaxListeners(Infinity, this.#stop)
  }

  async execute(): Promise<RepinReport> {
    try {
      return await this.#visitUntilSettled()
    } catch (error) {
      throw this.#stop.aborted && error === this.#parts.closing.reason ? new ClosedError() : error
    }
  }

  async #visitUntilSettled(): Promise<RepinReport> {
    const { durations, rows, secretId } = this.#parts
    let already: number | null = null
    for (let rounds = 1; ; rounds++) {
      const { failed, failures, renewed, retryable, settled } = await this.#visitAll()
      already ??= settled
      const isTriedAgain = retryable > 0 && rounds < MAX_TRIES
      if (renewed === 0 && !isTriedAgain) return { secretId, repinned: this.#repinned, already, failed, failures }
      // Until no request of the runs that failed can be on its way any more.
      if (retryable > 0) await rows.clock.sleep(durations.lateRequestMs, this.#stop)
    }
  }

  async #visitAll(): Promise<Round> {
    const { clientId, rows } = this.#parts
    this.#round = new Round()
    const shops = everyRow(rows, { clientId, kinds: KINDS }, this.#stop)
    await severalAtOnce(shops, this.#settings.concurrency, (row) => this.#visit(row))
    return this.#round
  }

  async #visit(row: ScannedRow | UnreadableRow): Promise<void> {
    const { shop } = row.key
    if (row.record === null) {
      this.#fail({ shop, reason: 'failed', code: 'ERR_STORE_UNREADABLE', requestId: undefined }, false)
      return
    }
    try {
      if (this.#judge(shop, row)) return
      const snapshot = await this.#quietRow(shop)
      if (this.#judge(shop, snapshot)) return
      await this.#parts.renew(shop, this.#stop)
      this.#succeed(shop, snapshot)
    } catch (error) {
      this.#stop.throwIfAborted()
      // What one shop is told here, all others will be.
      if (!isShopifyTokenError(error) || error.code === 'ERR_FOREIGN_DEPLOYMENT') throw error
      this.#failBecause(shop, error)
    }
  }

  /** Whether the shop's visit is over: it needs nothing, or nothing helps it. */
  #judge(shop: Shop, { record, now }: Pick<Snapshot, 'record' | 'now'>): boolean {
    const { durations, secretId } = this.#parts
    const pinning = pinningOf({ record, now }, secretId, durations)
    if (pinning === 'open') return false
    if ((record?.mark?.triedAt ?? -Infinity) >= this.#startedAt) {
      this.#fail({ shop, reason: 'reauthorization-required', code: REAUTHORIZATION, requestId: undefined }, false)
    } else if (pinning === 'stranded') {
      this.#fail({ shop, reason: 'non-expiring', code: undefined, requestId: undefined }, false)
    } else if (pinning === 'unsettled') {
      return false
    } else if (isServable(record)) {
      this.#round.settled += 1
    }
    return true
  }

  /** The row as it stands when it is the shop's turn and no request that began before may bring tokens any more. */
  async #quietRow(shop: Shop): Promise<Snapshot> {
    const { clientId, durations, rows, secretId, store } = this.#parts
    const { leaseMs, lateRequestMs } = durations
    const began = rows.clock.monotonic()
    // Most attempts are over in a moment.
    for (let pauseMs = lateRequestMs / 128; ; pauseMs = Math.min(2 * pauseMs, lateRequestMs / 8)) {
      await this.#pace.turn(this.#stop)
      const snapshot = await store.get({ clientId, shop })
      if (pinningOf(snapshot, secretId, durations) !== 'open') return snapshot
      if (rows.clock.monotonic() - began > lateRequestMs + leaseMs) throw leaseTimeout(shop)
      await rows.clock.sleep(Math.ceil(pauseMs), this.#stop)
    }
  }

  #succeed(shop: Shop, { record }: Snapshot): void {
    this.#round.renewed += 1
    if (!isServable(record) || record.secretId === this.#parts.secretId) return
    this.#repinned += 1
    this.#tell({ outcome: 'repinned', shop })
  }

  #failBecause(shop: Shop, error: AnyShopifyTokenError): void {
    const { code, requestId, retryable } = error
    if (code === 'ERR_APP_MISCONFIGURED' && this.#repinned === 0) {
      this.#misconfigured += 1
      if (this.#misconfigured >= MISCONFIGURED_SHOPS) throw error
    }
    // Uninstalled while it was its turn: nothing is left to lose.
    if (code === REAUTHORIZATION && error.reason === 'removed') return
    const reason = code === REAUTHORIZATION ? 'reauthorization-required' : 'failed'
    this.#fail({ shop, reason, code, requestId }, retryable)
  }

  #fail(failure: RepinFailure, retryable: boolean): void {
    this.#round.fail(failure, retryable)
    this.#tell({ outcome: 'failed', ...failure })
  }

  #tell(step: RepinStep): void {
    try {
      const result = this.#settings.onProgress?.(Object.freeze(step))
      if (result instanceof Promise) result.catch(warn)
    } catch (error) {
      warn(error)
    }
  }
}

function warn(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`The option onProgress of repinAll threw (${kind}).`, 'ShopifyTokensWarning')
}

const REAUTHORIZATION = 'ERR_REAUTHORIZATION_REQUIRED'
