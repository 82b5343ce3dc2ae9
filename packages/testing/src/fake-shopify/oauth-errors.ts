import type { OAuthError } from './wire-answer.js'

/** The description that makes a 401 `invalid_request` the terminal answer to a refresh. */
export const TERMINAL_SENTENCE = 'This request requires an active refresh_token'

/**
 * The errors of Shopify's token endpoint as they were captured ("Errors of the token endpoint" in
 * docs/shopify-protocol.md). Where nobody has captured a status (`invalidClient`, `shopNotInstalled`), it is the one of
 * RFC 6749 section 5.2.
 */
export const OAUTH_ERRORS = {
  /** The refresh token is expired, replaced or revoked, or the app was uninstalled: one answer for all. */
  terminal: { status: 401, error: 'invalid_request', description: TERMINAL_SENTENCE },
  /** What other servers answer instead; no capture from Shopify. */
  invalidGrant: { status: 400, error: 'invalid_grant', description: 'The refresh token is invalid or has expired' },
  invalidSubjectToken: {
    status: 400,
    error: 'invalid_subject_token',
    description: 'The subject token is invalid or stale',
  },
  invalidSubjectTokenVariant: { status: 400, error: 'invalid_request', description: 'Invalid subject token' },
  appNotInstalled: { status: 400, error: 'app_not_installed', description: 'The app is not installed on this shop' },
  codeUsed: {
    status: 400,
    error: 'invalid_request',
    description: 'The authorization code was not found or was already used',
  },
  invalidClient: { status: 401, error: 'invalid_client', description: 'Client authentication failed' },
  unknownApplication: {
    status: 400,
    error: 'invalid_request',
    description: 'Could not find Shopify API application with the given api_key',
  },
  unsupportedGrantType: {
    status: 400,
    error: 'unsupported_grant_type',
    description: 'The grant type is not supported by the authorization server',
  },
  missingParameter: {
    status: 400,
    error: 'invalid_request',
    description: 'The request is missing a required parameter',
  },
} as const satisfies Record<string, OAuthError>
