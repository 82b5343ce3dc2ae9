import {
  type AnyShopifyTokenError,
  isShopifyTokenError,
  type ReauthorizationRequiredError,
  type ScopeMissingError,
  type WebhookFlaw,
} from '../errors.js'
import { isScope, missingScopes } from '../scopes.js'

/** An HTTP answer that any framework can send. */
export interface HttpAnswer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** RFC 9457 problem details: send as `application/problem+json`. */
  readonly body: ProblemDetails
}

export interface ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: AnyShopifyTokenError['code']
}

export interface ErrorAnswerOptions {
  /** The app's path that begins authorization; the shop is appended as a query parameter. */
  readonly authPath: string
}

/** App Bridge fetches a new session token and repeats the request once. */
const RETRY_SESSION_TOKEN = { 'x-shopify-retry-invalid-session-request': '1' }
const REAUTHORIZE = 'X-Shopify-API-Request-Failure-Reauthorize'
export const REAUTHORIZE_URL = 'X-Shopify-API-Request-Failure-Reauthorize-Url'

/** For a code that only a newer copy of this module knows. */
const UNKNOWN: Rule = { status: 500, title: 'The app could not get a token.' }

interface Rule {
  readonly status: number
  readonly title: string
}

/** 503: waiting helps. 500: an operator must act. 4xx: the caller must. */
const RULES: Record<AnyShopifyTokenError['code'], Rule> = {
  ERR_REAUTHORIZATION_REQUIRED: { status: 403, title: 'The merchant must authorize the app again.' },
  ERR_INVALID_SESSION_TOKEN: { status: 401, title: 'The session token is missing or not valid.' },
  ERR_INVALID_AUTH_REQUEST: { status: 400, title: 'The address is not valid.' },
  ERR_INVALID_CALLBACK: { status: 400, title: 'The authorization callback is not valid.' },
  ERR_INVALID_WEBHOOK: { status: 400, title: 'The webhook is not valid.' },
  ERR_WEBHOOK_BODY_PARSED: { status: 500, title: 'The app cannot verify webhooks.' },
  ERR_SCOPE_MISSING: { status: 403, title: 'The merchant must grant the app more scopes.' },
  ERR_INVALID_SHOP: { status: 400, title: 'The shop is not a shop domain.' },
  ERR_COOLING_DOWN: { status: 503, title: 'The shop is out of reach for a moment.' },
  ERR_TOKEN_ENDPOINT_UNAVAILABLE: { status: 503, title: 'Shopify cannot be reached for a moment.' },
  ERR_TOKEN_RESPONSE_INVALID: { status: 503, title: 'Shopify gave no usable answer.' },
  ERR_LEASE_TIMEOUT: { status: 503, title: 'The shop is being renewed elsewhere.' },
  ERR_RENEWAL_ELSEWHERE: { status: 503, title: 'The shop is being renewed elsewhere.' },
  ERR_STORE_UNAVAILABLE: { status: 503, title: 'The token store cannot be reached for a moment.' },
  ERR_FLEET_SUSPECT: { status: 503, title: 'The shop is out of reach for a moment.' },
  ERR_CLOSED: { status: 503, title: 'The server is shutting down.' },
  ERR_ADMIN_RESPONSE: { status: 502, title: 'The Admin API refused the call.' },
  ERR_APP_MISCONFIGURED: { status: 500, title: 'The app is not configured correctly.' },
  ERR_SECRET_OUTDATED: { status: 500, title: 'The app is not configured correctly.' },
  ERR_FOREIGN_DEPLOYMENT: { status: 500, title: 'The app is not configured correctly.' },
  ERR_STORE_UNREADABLE: { status: 500, title: 'The stored token cannot be read.' },
  ERR_ROTATION_NOT_STORED: { status: 500, title: 'A token could not be stored.' },
  ERR_FOREIGN_ORIGIN: { status: 500, title: 'The app called a foreign address.' },
  ERR_NO_CONTEXT: { status: 500, title: 'The app asked for a shop outside a request.' },
}

const WEBHOOK_STATUS: Partial<Record<WebhookFlaw, number>> = { signature: 401, 'too-large': 413 }

/**
 * The answer to a request that an error of this project has ended; `null`: not one of ours, the app's own error
 * handling decides. Holds nothing of the request, no message, no stack.
 *
 * @see Shopify: "Session tokens" (the retry header); protocol of the official libraries (the reauthorization headers)
 */
export function errorAnswer(error: unknown, { authPath }: ErrorAnswerOptions): HttpAnswer | null {
  if (!isShopifyTokenError(error)) return null
  const { status: usual, title } = Object.hasOwn(RULES, error.code) ? RULES[error.code] : UNKNOWN
  const status = error.code === 'ERR_INVALID_WEBHOOK' ? (WEBHOOK_STATUS[error.flaw] ?? usual) : usual
  return {
    status,
    headers: { 'cache-control': 'no-store', ...headersFor(error, status, authPath) },
    body: { type: `urn:shopify-tokens:${error.code}`, title, status, code: error.code },
  }
}

function headersFor(error: AnyShopifyTokenError, status: number, authPath: string): Record<string, string> {
  if (error.code === 'ERR_INVALID_SESSION_TOKEN') return RETRY_SESSION_TOKEN
  if (error.code === 'ERR_REAUTHORIZATION_REQUIRED' || error.code === 'ERR_SCOPE_MISSING') {
    return {
      [REAUTHORIZE]: '1',
      [REAUTHORIZE_URL]: `${authPath}${authorizationQuery(error)}`,
      'access-control-expose-headers': `${REAUTHORIZE}, ${REAUTHORIZE_URL}`,
    }
  }
  // RFC 9110 section 10.2.3: whole seconds.
  if (status === 503) return { 'retry-after': String(Math.max(1, Math.ceil((error.retryAfterMs ?? 1000) / 1000))) }
  return {}
}

/** For which shop authorization begins, and which scopes are asked for beside the app's own. */
function authorizationQuery(error: ReauthorizationRequiredError | ScopeMissingError): string {
  const query = new URLSearchParams()
  if (error.shop !== undefined) query.set('shop', error.shop)
  if (error.code === 'ERR_SCOPE_MISSING') query.set('scope', scopesToAskFor(error))
  return query.size === 0 ? '' : `?${query.toString()}`
}

/** What begins authorization takes no longer list. */
export const MAX_SCOPES_LENGTH = 1_024

/** Where Shopify does not manage the installation, the merchant grants what is asked for and nothing else. */
function scopesToAskFor({ missing, granted }: ScopeMissingError): string {
  const asked = missing.filter(isScope).join(',')
  const all = [...missing, ...missingScopes(missing, granted)].filter(isScope).join(',')
  return all.length <= MAX_SCOPES_LENGTH ? all : asked
}
