import { type AnyShopifyTokenError, isShopifyTokenError } from '@shopify-tokens/core'

/**
 * What becomes of a job whose work has failed.
 * - `delay`: it comes again after `delayMs`, and has lost no attempt.
 * - `discard`: no repetition mends it.
 * - `fail`: BullMQ's own attempts and backoff decide.
 */
export type Verdict =
  | { readonly outcome: 'delay'; readonly delayMs: number; readonly error: AnyShopifyTokenError }
  | { readonly outcome: 'discard'; readonly error: AnyShopifyTokenError }
  | { readonly outcome: 'fail' }

const FIRST_DELAY_MS = 1_000
const LONGEST_DELAY_MS = 300_000

/** @param delays how often the job has been put off before */
export function verdictOn(error: unknown, delays: number, maxDelays: number): Verdict {
  if (!isShopifyTokenError(error)) return { outcome: 'fail' }
  const waitMs = isMendedElsewhere(error) ? 0 : error.retryable ? error.retryAfterMs : null
  if (waitMs === null) return { outcome: 'discard', error }
  if (waitMs === undefined || delays >= maxDelays) return { outcome: 'fail' }
  return { outcome: 'delay', delayMs: Math.max(waitMs, delayMsOf(delays)), error }
}

/** Jobs whose shop is told to come again at once, again and again, are not to keep the workers busy. */
export function delayMsOf(delays: number): number {
  return Math.min(FIRST_DELAY_MS * 2 ** delays, LONGEST_DELAY_MS)
}

/** This process cannot do it, for it is ending, or has an older client secret than the row. The next one can. */
function isMendedElsewhere({ code }: AnyShopifyTokenError): boolean {
  return code === 'ERR_CLOSED' || code === 'ERR_SECRET_OUTDATED'
}
