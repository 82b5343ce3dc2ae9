import type { Grant } from '../token.js'

/** An answer that brought no tokens. What it means decides whether the shop's tokens may be doubted at all. */
export type Refusal = Terminal | NotPermitted | Misconfigured | Unavailable | Transient

/** This credential will never work again. Says nothing about the shop's other credentials. */
export interface Terminal {
  readonly outcome: 'terminal'
  readonly reason: 'credential-dead' | 'app-not-installed'
  readonly status: number
}

/**
 * The app gets no token for this shop by its own credentials until somebody has installed it there, or has brought app
 * and shop into one organization.
 *
 * @see Shopify: "Authenticate an app for stores in your organization"
 */
export interface NotPermitted {
  readonly outcome: 'not-permitted'
  readonly reason: 'app-not-installed' | 'shop-not-permitted'
  readonly status: number
}

/** Our own configuration is wrong; no token of any shop may be touched because of it. */
export interface Misconfigured {
  readonly outcome: 'misconfigured'
  readonly status: number
  /** Shopify's `error` code; empty when the answer had none. */
  readonly error: string
}

/** The shop is frozen, gone or locked, or we do not understand the answer: keep the tokens, try again slowly. */
export interface Unavailable {
  readonly outcome: 'unavailable'
  readonly status: number
  /** Shopify's `error` code, when the answer had one. */
  readonly error: string | undefined
  /** Whether the answer is one that we know. */
  readonly understood: boolean
  readonly retryAfterMs: number | undefined
}

/** An outage: repeat the same credential with backoff (R8 in docs/shopify-protocol.md). */
export interface Transient {
  readonly outcome: 'transient'
  /** Absent: no answer at all. */
  readonly status: number | undefined
  readonly retryAfterMs: number | undefined
  /** Whether it is certain that nothing was minted. */
  readonly conclusive: boolean
}

/**
 * The one answer with which Shopify ends a refresh token, whatever ended it. Only this sentence under 401 counts: a
 * proxy's page or an unrelated error may quote it.
 *
 * @see Shopify: "Access tokens: token refresh"
 */
const DEAD_REFRESH_TOKEN = 'This request requires an active refresh_token'
const DEAD_CODE = 'The authorization code was not found or was already used'
const DEAD_SUBJECT = 'Invalid subject token'
const UNKNOWN_APP = 'Could not find Shopify API application'

/** An error code goes into events and logs; anything else might quote the request, and so a secret. */
const ERROR_CODE = /^[a-z_]{0,64}$/

/** Statuses with a meaning of their own on every route of a shop. @see Shopify: "API response status codes" */
const SHOP_UNAVAILABLE = new Set([402, 403, 404, 423, 430])
const RETRY_SOON = new Set([408, 425, 429])

/** Sorts an answer without tokens into the table of the token endpoint's errors. `json` is `undefined` when it was none. */
export function classifyRefusal(
  grant: Grant,
  status: number,
  json: unknown,
  retryAfterMs: number | undefined,
): Refusal {
  const { error, description } = errorFields(json)
  if (status >= 500) return { outcome: 'transient', status, retryAfterMs, conclusive: false }
  if (status >= 200 && status < 300) return { outcome: 'transient', status, retryAfterMs, conclusive: false }
  if (RETRY_SOON.has(status)) return { outcome: 'transient', status, retryAfterMs, conclusive: status === 429 }

  if (isMisconfigured(error, description)) return { outcome: 'misconfigured', status, error: error ?? '' }
  if (grant === 'client-credentials') {
    const reason = notPermittedReason(error)
    if (reason !== null) return { outcome: 'not-permitted', reason, status }
  } else {
    const reason = terminalReason(grant, status, error, description)
    if (reason !== null) return { outcome: 'terminal', reason, status }
  }

  if (SHOP_UNAVAILABLE.has(status)) return { outcome: 'unavailable', status, error, understood: true, retryAfterMs }
  if (json === undefined && status >= 400) return { outcome: 'transient', status, retryAfterMs, conclusive: false }
  return { outcome: 'unavailable', status, error, understood: false, retryAfterMs }
}

function terminalReason(
  grant: Grant,
  status: number,
  error: string | undefined,
  description: string,
): Terminal['reason'] | null {
  if (status === 400 && error === 'app_not_installed') return 'app-not-installed'
  if ((status === 400 || status === 401) && error === 'invalid_grant') return 'credential-dead'
  const dead =
    grant === 'refresh'
      ? status === 401 && error === 'invalid_request' && description.includes(DEAD_REFRESH_TOKEN)
      : status === 400 &&
        (error === 'invalid_subject_token' ||
          (error === 'invalid_request' && (description.includes(DEAD_SUBJECT) || description.includes(DEAD_CODE))))
  return dead ? 'credential-dead' : null
}

/** Whatever the status: nobody has captured it. */
function notPermittedReason(error: string | undefined): NotPermitted['reason'] | null {
  if (error === 'app_not_installed') return 'app-not-installed'
  return error === 'shop_not_permitted' ? 'shop-not-permitted' : null
}

function isMisconfigured(error: string | undefined, description: string): boolean {
  return error === 'invalid_client' || error === 'unsupported_grant_type' || description.includes(UNKNOWN_APP)
}

function errorFields(json: unknown): { error: string | undefined; description: string } {
  if (typeof json !== 'object' || json === null) return { error: undefined, description: '' }
  const { error, error_description: description, errors } = json as Record<string, unknown>
  return {
    error: typeof error === 'string' && ERROR_CODE.test(error) ? error : undefined,
    description: typeof description === 'string' ? description : typeof errors === 'string' ? errors : '',
  }
}
