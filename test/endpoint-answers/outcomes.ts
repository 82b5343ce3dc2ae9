import type { AnyShopifyTokenError, Grant, ReauthorizationMark, TokenEventType } from '@shopify-tokens/core'

/** What an answer of the token endpoint leads to, for a request that has no other token. */
export interface Outcome {
  /** How often the credential is sent before the request is answered. */
  readonly sent: 'once' | 'again and again, a code once'
  /** What becomes of the row. Whatever tokens are in it stay. */
  readonly row:
    | 'as it was'
    | `marked \`${ReauthorizationMark['reason']}\``
    | 'cools down, up to a minute'
    | 'cools down, up to an hour'
  /** Whether the row still says that the credential has been presented: nobody knows what came of it. */
  readonly attempt: 'withdrawn' | 'in doubt'
  readonly events: readonly TokenEventType[]
  readonly code: AnyShopifyTokenError['code']
  /** The status of the answer, and the header that tells the client what to do. */
  readonly http: `${number}` | `${number}, \`${string}\``
}

/** What can be sent, in the table's words. */
export const SENT: Readonly<Record<Grant, string>> = {
  refresh: 'refresh token',
  'id-token': 'session token',
  code: 'code',
  migration: 'non-expiring token',
  'client-credentials': 'client credentials',
}
export const GRANTS = Object.keys(SENT) as readonly Grant[]

const REAUTHORIZE = '403, `X-Shopify-API-Request-Failure-Reauthorize`'
const RETRY_AFTER = '503, `Retry-After`'
const TOLD_ONCE = { sent: 'once', attempt: 'withdrawn' } as const

/** Every candidate is dead: the shop is marked. */
export const MARKED: Outcome = {
  ...TOLD_ONCE,
  row: 'marked `refresh-token-rejected`',
  events: ['reauthorization.required'],
  code: 'ERR_REAUTHORIZATION_REQUIRED',
  http: REAUTHORIZE,
}
/** Nobody knows what the token would be exchanged for, and Shopify's Admin API has refused it. */
export const MARKED_UNEXCHANGEABLE: Outcome = { ...MARKED, row: 'marked `access-token-rejected`' }
export const MARKED_UNINSTALLED: Outcome = { ...MARKED, row: 'marked `app-not-installed`' }

/** Nobody can mend it but the merchant, and the row does not say so: there is nothing in it. */
export const NOT_INSTALLED: Outcome = {
  ...TOLD_ONCE,
  row: 'as it was',
  events: [],
  code: 'ERR_REAUTHORIZATION_REQUIRED',
  http: REAUTHORIZE,
}
export const SESSION_TOKEN_REFUSED: Outcome = {
  ...TOLD_ONCE,
  row: 'as it was',
  events: [],
  code: 'ERR_INVALID_SESSION_TOKEN',
  http: '401, `X-Shopify-Retry-Invalid-Session-Request`',
}
export const CODE_REFUSED: Outcome = {
  ...TOLD_ONCE,
  row: 'as it was',
  events: ['callback.refused'],
  code: 'ERR_INVALID_CALLBACK',
  http: '400',
}

export const MISCONFIGURED: Outcome = {
  ...TOLD_ONCE,
  row: 'cools down, up to a minute',
  events: ['renewal.failed'],
  code: 'ERR_APP_MISCONFIGURED',
  http: '500',
}

/** Shopify refuses for reasons that last. */
export const AWAY: Outcome = {
  ...TOLD_ONCE,
  row: 'cools down, up to an hour',
  events: ['renewal.failed'],
  code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
  http: RETRY_AFTER,
}
export const UNKNOWN: Outcome = { ...AWAY, events: ['answer.unknown', 'renewal.failed'] }

/** What a lost answer has brought is unknown. */
export const OUTAGE: Outcome = {
  sent: 'again and again, a code once',
  row: 'cools down, up to a minute',
  attempt: 'in doubt',
  events: ['renewal.failed'],
  code: 'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
  http: RETRY_AFTER,
}
export const THROTTLED: Outcome = { ...OUTAGE, attempt: 'withdrawn' }
export const WITHOUT_TOKENS: Outcome = { ...OUTAGE, code: 'ERR_TOKEN_RESPONSE_INVALID' }
