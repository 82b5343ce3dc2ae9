import type { Grant } from '@shopify-tokens/core'

/**
 * The ways to a token that the endpoint knows ("The token endpoint" in docs/shopify-protocol.md), in core's words;
 * `unknown` for everything else. Names of the wire stay in this file.
 */
export type TokenGrant = Grant | 'unknown'

/** Every {@link TokenGrant}. */
export const TOKEN_GRANTS: readonly TokenGrant[] = [
  'code',
  'id-token',
  'refresh',
  'migration',
  'client-credentials',
  'unknown',
]

/** The `grant_type` of a token exchange (RFC 8693). */
export const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
/** The `subject_token_type` of an App Bridge session token. */
export const ID_TOKEN_TYPE = 'urn:ietf:params:oauth:token-type:id_token'
/** The type of an offline token, as what is asked for and, in a migration, as what is presented. */
export const OFFLINE_TOKEN_TYPE = 'urn:shopify:params:oauth:token-type:offline-access-token'

/** The parameters of a token request, whichever encoding they came in. */
export type TokenParameters = Readonly<Record<string, string>>

/** Reads a form or JSON body. Anything unreadable is an empty set of parameters: the endpoint then finds them missing. */
export function parseParameters(body: string, contentType: string): TokenParameters {
  if (!contentType.includes('json')) return Object.fromEntries(new URLSearchParams(body))
  try {
    const parsed: unknown = JSON.parse(body)
    if (typeof parsed !== 'object' || parsed === null) return {}
    const scalars = Object.entries(parsed).filter(([, value]) => ['string', 'number', 'boolean'].includes(typeof value))
    return Object.fromEntries(scalars.map(([name, value]) => [name, String(value)]))
  } catch {
    return {}
  }
}

/** Tells the grant by the parameters alone. Shopify's own libraries send a code without a `grant_type`. */
export function grantOf(parameters: TokenParameters): TokenGrant {
  const { grant_type: type, subject_token_type: subject, requested_token_type: requested } = parameters
  if (type === 'refresh_token') return 'refresh'
  if (type === 'client_credentials') return 'client-credentials'
  if (type === TOKEN_EXCHANGE && requested === OFFLINE_TOKEN_TYPE) {
    if (subject === ID_TOKEN_TYPE) return 'id-token'
    if (subject === OFFLINE_TOKEN_TYPE) return 'migration'
  }
  if ((type === undefined || type === 'authorization_code') && parameters.code !== undefined) return 'code'
  return 'unknown'
}

/** The credential that a grant presents, `undefined` where it has none beside the client's. */
export function credentialOf(grant: TokenGrant, parameters: TokenParameters): string | undefined {
  if (grant === 'refresh') return parameters.refresh_token
  if (grant === 'code') return parameters.code
  return grant === 'id-token' || grant === 'migration' ? parameters.subject_token : undefined
}

const KNOWN: Readonly<Record<TokenGrant, readonly string[]>> = {
  code: ['code', 'expiring', 'grant_type', 'redirect_uri'],
  'id-token': ['grant_type', 'subject_token', 'subject_token_type', 'requested_token_type', 'expiring'],
  refresh: ['grant_type', 'refresh_token'],
  migration: ['grant_type', 'subject_token', 'subject_token_type', 'requested_token_type', 'expiring'],
  'client-credentials': ['grant_type'],
  unknown: [],
}

/** Names the parameters that the grant does not have. The endpoint ignores them; the log shows them. */
export function unexpectedParameters(grant: TokenGrant, parameters: TokenParameters): readonly string[] {
  const known = new Set([...KNOWN[grant], 'client_id', 'client_secret'])
  return Object.keys(parameters).filter((name) => !known.has(name))
}
