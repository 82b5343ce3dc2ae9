/** What an access token is: one of a pair, one without an end, or one of a client-credentials grant. */
export type AccessKind = 'expiring' | 'non-expiring' | 'client-credentials'

/** An access token as the fake's Admin API knows it. */
export interface IssuedAccess {
  readonly token: string
  readonly kind: AccessKind
  readonly scopes: readonly string[]
  /** Shopify's time in milliseconds; `undefined` for a non-expiring token. */
  expiresAt: number | undefined
  /**
   * Number of the client secret that the token is pinned to (R10 and R11 in docs/shopify-protocol.md); a later secret
   * has a higher number.
   */
  secret: number
  revoked: boolean
}

/**
 * Why a refresh token ended before its time: its replacement was used (R4), a replay minted another replacement
 * (R7, `replay: 'new-pair'`), the app acquired a new token (R5), the app was uninstalled or its client secret revoked
 * (R10), or a test revoked it.
 */
export type PairEnd = 'replaced' | 'superseded' | 'acquisition' | 'uninstalled' | 'secret-revoked' | 'revoked'

/** An expiring pair: an access token with the refresh token that renews it. */
export interface Pair {
  readonly access: IssuedAccess
  readonly refreshToken: string
  /** Shopify's time in milliseconds at which the pair was minted. */
  readonly issuedAt: number
  /** End of the refresh token's own 90 days (R1). */
  readonly refreshExpiresAt: number
  /** The pair whose refresh token minted this one; using this one retires it (R4). */
  readonly predecessor: Pair | undefined
  /** The pair that this one's refresh token minted last. */
  successor: Pair | undefined
  /** When the refresh token was first presented with success: the grace period counts from here (R3). */
  firstUsedAt: number | undefined
  ended: PairEnd | undefined
}

/**
 * Why a credential is refused: the reasons of {@link PairEnd}, its own lifetime, the end of its grace or memo, a token
 * that the fake never issued for that shop, or a shop where the app is not installed.
 */
export type RefusalReason = PairEnd | 'expired' | 'grace-over' | 'memo-over' | 'unknown-token' | 'not-installed'

/** Returns why the pair's refresh token would be refused at `now`, or `undefined` while it would be accepted (R3). */
export function refreshRefusal(pair: Pair, now: number, graceMs: number): RefusalReason | undefined {
  if (pair.ended !== undefined) return pair.ended
  if (now >= pair.refreshExpiresAt) return 'expired'
  if (pair.firstUsedAt !== undefined && now >= pair.firstUsedAt + graceMs) return 'grace-over'
  return undefined
}

/** Whether an access token opens the Admin API at `now`, and if not, why. */
export function accessState(access: IssuedAccess, now: number): 'live' | 'expired' | 'revoked' {
  if (access.revoked) return 'revoked'
  if (access.expiresAt !== undefined && now >= access.expiresAt) return 'expired'
  return 'live'
}
