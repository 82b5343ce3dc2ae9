import type { Lifetimes } from './lifetimes.js'

/**
 * What a refresh token that is presented again brings while its grace lasts (undocumented, so a client must survive
 * all three: R7 in docs/shopify-protocol.md): the same pair with its remaining lifetime, the first answer word for word
 * (its `expires_in` no longer true), or a new pair whose minting retires the unused one.
 */
export type Replay = 'same-pair' | 'same-verbatim' | 'new-pair'

/**
 * How long a refresh token may be presented again after its first use: never, for 60 minutes, or until its replacement
 * is used and at most 30 days (R3 in docs/shopify-protocol.md, in force since 2026-08-28). Its own 90 days, an
 * acquisition and the use of its replacement end it in any case.
 */
export type Grace = 'none' | '60-minutes' | 'until-used'

/** The switches and durations that a ledger plays by. The switches may be changed between two calls. */
export interface RotationRules {
  replay: Replay
  grace: Grace
  readonly lifetimes: Lifetimes
}

/** How long after its first use a refresh token may be presented again, in milliseconds (R3). */
export function graceOf({ grace, lifetimes }: RotationRules): number {
  if (grace === 'none') return 0
  return grace === '60-minutes' ? lifetimes.shortGraceMs : lifetimes.graceMs
}
