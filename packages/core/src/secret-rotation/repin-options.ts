import type { ErrorCode } from '../errors.js'
import { invalidOption, refuseUnknownOptions, wholeNumberOption } from '../option-checks.js'
import type { Shop } from '../shop.js'

/** What {@link TokenManager.repinAll} takes. Unknown keys are refused. */
export interface RepinOptions {
  /** How many renewals begin per second, evenly spaced. 1 to 1 000, default 10. */
  readonly perSecond?: number | undefined
  /** How many renewals are under way at one time. 1 to 100, default 4. */
  readonly concurrency?: number | undefined
  /** Ends it: no further renewal begins, and it rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
  /** Hears of every shop that is renewed or fails, each time. What it throws becomes a process warning. */
  readonly onProgress?: ((step: RepinStep) => unknown) | undefined
}

/** What became of one shop. */
export type RepinStep =
  { readonly outcome: 'repinned'; readonly shop: Shop } | ({ readonly outcome: 'failed' } & RepinFailure)

/** A shop whose tokens still end with another client secret. */
export interface RepinFailure {
  readonly shop: Shop
  /**
   * - `non-expiring`: its token cannot be refreshed; it must be replaced first, by a migration or by its merchant's visit.
   * - `reauthorization-required`: Shopify has ended its tokens already; its merchant must open the app.
   * - `failed`: `code` says why; another call tries it again.
   */
  readonly reason: 'non-expiring' | 'reauthorization-required' | 'failed'
  /** The code of what its renewal rejected with; absent where none was tried. */
  readonly code: ErrorCode | undefined
  /** Shopify's `x-request-id`. */
  readonly requestId: string | undefined
}

/** How the shops stand. Holds no secret. */
export interface RepinReport {
  /** The id of the current client secret, as the records carry it. */
  readonly secretId: string
  /** How many shops carried another secret's id, and were renewed. */
  readonly repinned: number
  /** How many shops the first look found in order. */
  readonly already: number
  /** How many shops would lose their tokens if all other secrets were revoked now. */
  readonly failed: number
  /** Those shops, 1 000 of them at most: `onProgress` hears of all. */
  readonly failures: readonly RepinFailure[]
}

/** {@link RepinOptions} after they have been checked. */
export interface RepinSettings {
  readonly perSecond: number
  readonly concurrency: number
  readonly signal: AbortSignal | null
  readonly onProgress: ((step: RepinStep) => unknown) | null
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` */
export function parseRepinOptions(options: RepinOptions): RepinSettings {
  refuseUnknownOptions(options, ['perSecond', 'concurrency', 'signal', 'onProgress'])
  const { perSecond = 10, concurrency = 4, signal = null, onProgress = null } = options
  if (signal !== null && !(signal instanceof AbortSignal)) throw invalidOption('signal', 'an AbortSignal', signal)
  if (onProgress !== null && typeof onProgress !== 'function')
    throw invalidOption('onProgress', 'a function', onProgress)
  return {
    perSecond: wholeNumberOption('perSecond', perSecond, 1, 1_000),
    concurrency: wholeNumberOption('concurrency', concurrency, 1, 100),
    signal,
    onProgress,
  }
}
