import { invalidOption, refuseUnknownOptions, wholeNumberOption } from '@shopify-tokens/core'

/** @see fleetLimiter */
export interface FleetRate {
  /** Requests to Shopify's token endpoint, by all workers of the queue together. 1 to 1 000, default 10. */
  readonly perSecond?: number | undefined
  /**
   * How many jobs all workers may have in hand at once: workers × `concurrency`. Less than `perSecond`, default 0. A job's
   * request comes some time after the job was begun, so this many may be added to those of jobs begun within a second.
   */
  readonly inFlight?: number | undefined
}

const SECOND_MS = 1_000

/**
 * The `limiter` of a worker with which no second ever, wherever it begins, sees more than `perSecond` renewals, whatever
 * the number of workers. To be the same for all workers of the queue. Counts jobs begun, as BullMQ does; `inFlight` makes it
 * hold for the requests themselves. A request that Shopify leaves without an answer is repeated, which nobody counts.
 *
 * BullMQ counts from a first job on, and anew when `duration` has passed. A second can therefore take in the end of one
 * count and the beginning of another: with `max: 10, duration: 1000` twenty jobs. This divides the second into about ten parts,
 * and leaves room for one more of them.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function fleetLimiter(rate: FleetRate = {}): { max: number; duration: number } {
  refuseUnknownOptions(rate, ['perSecond', 'inFlight'])
  const perSecond = wholeNumberOption('perSecond', rate.perSecond ?? 10, 1, 1_000)
  const inFlight = wholeNumberOption('inFlight', rate.inFlight ?? 0, 0, 1_000)
  const begun = perSecond - inFlight
  if (begun < 1) throw invalidOption('inFlight', 'less than perSecond', inFlight)
  const max = Math.max(1, Math.floor(begun / 10))
  // A second takes in the beginnings of at most `parts` counts, and of one before them all but its first job.
  const parts = Math.floor((begun + 1) / max) - 1
  return { max, duration: Math.ceil(SECOND_MS / parts) }
}
