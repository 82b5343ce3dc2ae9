import type { Lifetimes } from './lifetimes.js'
import { secondsFor } from './lifetimes.js'
import type { IssuedAccess, Pair, RefusalReason } from './pair.js'

/** The JSON members of a token answer, in the order of Shopify's documentation ("Offline access tokens"). */
export interface TokenAnswer {
  readonly access_token: string
  readonly expires_in?: number
  readonly refresh_token?: string
  readonly refresh_token_expires_in?: number
  readonly scope: string
}

/**
 * A grant that Shopify made: the answer, and whether it repeats an earlier one (R3 and R9 in docs/shopify-protocol.md).
 */
export interface Granted {
  readonly granted: true
  readonly replayed: boolean
  readonly answer: TokenAnswer
}

/** A grant that Shopify refused. A refusal changes nothing. */
export interface Refused {
  readonly granted: false
  readonly reason: RefusalReason
}

/** The answer that carries a pair, its lifetimes counted from `at`; never below zero. */
export function pairAnswer(
  { access, refreshToken, refreshExpiresAt }: Pair,
  at: number,
  lifetimes: Lifetimes,
): TokenAnswer {
  return Object.freeze({
    access_token: access.token,
    expires_in: secondsFor((access.expiresAt ?? at) - at, lifetimes),
    refresh_token: refreshToken,
    refresh_token_expires_in: secondsFor(refreshExpiresAt - at, lifetimes),
    scope: access.scopes.join(','),
  })
}

/** The answer that carries an access token alone. A non-expiring one has no `expires_in` at all, not a null one. */
export function accessAnswer(
  { token, scopes }: IssuedAccess,
  lifetimeMs: number | undefined,
  lifetimes: Lifetimes,
): TokenAnswer {
  const lifetime = lifetimeMs === undefined ? {} : { expires_in: secondsFor(lifetimeMs, lifetimes) }
  return Object.freeze({ access_token: token, ...lifetime, scope: scopes.join(',') })
}

/** Makes a {@link Granted}. */
export function granted(answer: TokenAnswer, replayed = false): Granted {
  return { granted: true, replayed, answer }
}

/** Makes a {@link Refused}. */
export function refused(reason: RefusalReason): Refused {
  return { granted: false, reason }
}
