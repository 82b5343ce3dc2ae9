import type { Durations } from '../durations.js'
import type { Snapshot } from '../ports/token-store.js'
import { isServable } from '../token.js'

/**
 * What the end of all other client secrets would mean for a row.
 * - `settled`: nothing; no token in it, nor any that may still come into it, was minted with another secret.
 * - `unsettled`: its tokens may end; a refresh with the current secret settles it.
 * - `open`: a request is under way, or may still arrive, that brings tokens of nobody knows which secret.
 * - `stranded`: its token ends, and no refresh can bring another.
 */
export type Pinning = 'settled' | 'unsettled' | 'open' | 'stranded'

/**
 * Judges a row. Whose attempts are all too old for their requests to arrive any more is refreshed although its secret is
 * the current one, and so is a row with alternates: which of its refresh tokens lives, and which secret minted that one,
 * shows only then.
 *
 * @see R10 and R11 in docs/shopify-protocol.md; Shopify: "Manage credentials"
 */
export function pinningOf(
  { record, now }: Pick<Snapshot, 'record' | 'now'>,
  secretId: string,
  { lateRequestMs }: Pick<Durations, 'lateRequestMs'>,
): Pinning {
  if (record === null || record.kind === 'static') return 'settled'
  // An instant from the future is a clock set back: not an attempt for ever.
  if (record.attempts.some(({ at }) => Math.abs(now - at) <= lateRequestMs)) return 'open'
  if (!isServable(record)) return 'settled'
  const isOthers = record.secretId !== secretId
  if (record.kind === 'non-expiring') return isOthers ? 'stranded' : 'settled'
  if (isOthers) return 'unsettled'
  if (record.kind === 'client-credentials' || record.mark !== null) return 'settled'
  return record.attempts.length > 0 || record.alternates.length > 0 ? 'unsettled' : 'settled'
}
