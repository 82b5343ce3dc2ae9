import type { Grant } from '../token.js'

/** Tokens as the endpoint has just minted them. Durations, because the wire tells no instants. */
export type MintedTokens = MintedPair | MintedNonExpiring | MintedClientCredentials

/** An access token that ends and the refresh token that brings the next. */
export interface MintedPair {
  readonly kind: 'expiring'
  readonly accessToken: string
  readonly refreshToken: string
  /** `null`: the answer did not say, or not in a form we can read. */
  readonly lifetimeMs: number | null
  /** `null`: the answer did not say. */
  readonly refreshLifetimeMs: number | null
  /** `null`: the answer did not say; the previous scopes stay. */
  readonly scopes: readonly string[] | null
}

/** Asked for an expiring token, Shopify minted one that never ends. */
export interface MintedNonExpiring {
  readonly kind: 'non-expiring'
  readonly accessToken: string
  readonly scopes: readonly string[] | null
}

/** An access token that ends, to be followed by another one of the same grant. */
export interface MintedClientCredentials {
  readonly kind: 'client-credentials'
  readonly accessToken: string
  /** `null`: the answer did not say, or not in a form we can read. */
  readonly lifetimeMs: number | null
  readonly scopes: readonly string[] | null
}

interface WireFields {
  readonly access_token?: unknown
  readonly expires_in?: unknown
  readonly refresh_token?: unknown
  readonly refresh_token_expires_in?: unknown
  readonly scope?: unknown
}

/**
 * Reads a 2xx body of the token endpoint. `null`: the tokens due are not in it, which is an outage, not a verdict.
 *
 * A pair is never thrown away by validation, because its refresh token may be the only living credential of the shop:
 * odd lifetimes are read as far as they can be. The only place that knows seconds.
 *
 * @see Shopify: "Offline access tokens" (fields; a non-expiring answer has `access_token` and `scope` only), "Client
 * credentials grant" (no refresh token)
 */
export function parseTokenResponse(grant: Grant, body: unknown): MintedTokens | null {
  if (typeof body !== 'object' || body === null) return null
  const fields: WireFields = body
  const accessToken = nonEmpty(fields.access_token)
  const refreshToken = nonEmpty(fields.refresh_token)
  if (accessToken === null || !ACCESS_TOKEN.test(accessToken)) return null

  const scopes = parseScopes(fields.scope)
  const lifetimeMs = seconds(fields.expires_in)
  if (grant === 'client-credentials') return { kind: 'client-credentials', accessToken, lifetimeMs, scopes }
  if (refreshToken === null) {
    // A refresh always brings a successor, and a token that ends without one would strand the shop.
    if (grant === 'refresh' || (fields.expires_in !== undefined && fields.expires_in !== null)) return null
    return { kind: 'non-expiring', accessToken, scopes }
  }
  const refreshLifetimeMs = seconds(fields.refresh_token_expires_in)
  return { kind: 'expiring', accessToken, refreshToken, lifetimeMs, refreshLifetimeMs, scopes }
}

/** What an access token is made of, and so fits into a header. @see RFC 6749 appendix A.12 */
export const ACCESS_TOKEN = /^[\x21-\x7e]+$/
/** A number of seconds without bounds would make an instant that no store's column holds, and lose the pair. */
const CENTURY_MS = 100 * 365 * 86_400_000

/** Comma-separated on the wire; spaces around a scope are not part of it. */
function parseScopes(value: unknown): readonly string[] | null {
  if (typeof value !== 'string') return null
  return value
    .split(',')
    .map((scope) => scope.trim())
    .filter((scope) => scope !== '')
}

function nonEmpty(value: unknown): string | null {
  return typeof value === 'string' && value !== '' ? value : null
}

/** Integers, floats and numeric strings, in milliseconds: none for what is below 0, a century for what is above. */
function seconds(value: unknown): number | null {
  const number =
    typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : NaN
  return Number.isFinite(number) ? Math.min(Math.max(Math.trunc(number * 1000), 0), CENTURY_MS) : null
}
