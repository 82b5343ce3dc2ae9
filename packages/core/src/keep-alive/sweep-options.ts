import type { ErrorCode } from '../errors.js'
import { flagOption, invalidOption, refuseUnknownOptions, wholeNumberOption } from '../option-checks.js'
import type { Shop } from '../shop.js'

/** What {@link TokenManager.sweep} takes. Unknown keys are refused. */
export interface SweepOptions {
  /** How many shops are looked after per second, evenly spaced. 1 to 1 000, default 10. */
  readonly perSecond?: number | undefined
  /** How many renewals are under way at one time. 1 to 100, default 8. */
  readonly concurrency?: number | undefined
  /** Ends it: no further renewal begins, and it rejects with `signal.reason`. */
  readonly signal?: AbortSignal | undefined
  /** Hears what became of every shop that is visited. What it throws becomes a process warning. */
  readonly onProgress?: ((step: SweepStep) => unknown) | undefined
}

/** What became of one shop. `not-due`: another process was there first. */
export type SweepStep =
  { readonly outcome: 'renewed' | 'not-due'; readonly shop: Shop } | ({ readonly outcome: 'failed' } & SweepFailure)

/** A shop that was due and has no new tokens. */
export interface SweepFailure {
  readonly shop: Shop
  /** The code of what its renewal rejected with; `ERR_REAUTHORIZATION_REQUIRED`: only its merchant can help. */
  readonly code: ErrorCode
  /** Shopify's `x-request-id`. */
  readonly requestId: string | undefined
}

/** What a sweep has done. Holds no secret. */
export interface SweepReport {
  /** How many shops were due, or asked for. */
  readonly visited: number
  readonly renewed: number
  readonly failed: number
  /** Those that failed, 1 000 of them at most: `onProgress` hears of all. */
  readonly failures: readonly SweepFailure[]
}

/** {@link SweepOptions} after they have been checked. */
export interface SweepSettings {
  readonly perSecond: number
  readonly concurrency: number
  /** Whether its pauses keep the process alive. */
  readonly holdsProcess: boolean
  readonly signal: AbortSignal | null
  readonly onProgress: ((step: SweepStep) => unknown) | null
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` */
export function parseSweepOptions(options: SweepOptions): SweepSettings {
  refuseUnknownOptions(options, ['perSecond', 'concurrency', 'signal', 'onProgress'])
  const { signal = null, onProgress = null } = options
  if (signal !== null && !(signal instanceof AbortSignal)) throw invalidOption('signal', 'an AbortSignal', signal)
  if (onProgress !== null && typeof onProgress !== 'function') {
    throw invalidOption('onProgress', 'a function', onProgress)
  }
  return { ...parsePace(options), holdsProcess: true, signal, onProgress }
}

/** What {@link TokenManager.startKeepAlive} takes. Unknown keys are refused. */
export interface KeepAliveOptions extends Pick<SweepOptions, 'perSecond' | 'concurrency'> {
  /** How often the shops that are due are looked for. 1 000 to 86 400 000, default 600 000 (ten minutes). */
  readonly sweepEveryMs?: number | undefined
  /**
   * How often the shops are looked for that processes with `renewal: 'never'` have asked for. Somebody waits for them:
   * `perSecond` does not hold them up, and `concurrency` counts them apart. 10 to 600 000, default 2 000.
   */
  readonly askedEveryMs?: number | undefined
  /**
   * Whether the timer keeps the process alive until {@link TokenManager.close}: for one that has nothing else to do.
   * Default false.
   */
  readonly holdsProcess?: boolean | undefined
}

/** {@link KeepAliveOptions} after they have been checked. */
export interface KeepAliveSettings extends Pick<SweepSettings, 'perSecond' | 'concurrency' | 'holdsProcess'> {
  readonly sweepEveryMs: number
  readonly askedEveryMs: number
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` */
export function parseKeepAliveOptions(options: KeepAliveOptions): KeepAliveSettings {
  refuseUnknownOptions(options, ['perSecond', 'concurrency', 'sweepEveryMs', 'askedEveryMs', 'holdsProcess'])
  const { sweepEveryMs = 600_000, askedEveryMs = 2_000 } = options
  return {
    ...parsePace(options),
    sweepEveryMs: wholeNumberOption('sweepEveryMs', sweepEveryMs, 1_000, 86_400_000),
    askedEveryMs: wholeNumberOption('askedEveryMs', askedEveryMs, 10, 600_000),
    holdsProcess: flagOption('holdsProcess', options.holdsProcess, false),
  }
}

function parsePace({
  perSecond = 10,
  concurrency = 8,
}: Pick<SweepOptions, 'perSecond' | 'concurrency'>): Record<'perSecond' | 'concurrency', number> {
  return {
    perSecond: wholeNumberOption('perSecond', perSecond, 1, 1_000),
    concurrency: wholeNumberOption('concurrency', concurrency, 1, 100),
  }
}
