import {
  type AnyShopifyTokenError,
  type ErrorDetails,
  FleetSuspectError,
  type ReauthorizationReason,
  ReauthorizationRequiredError,
  TokenEndpointError,
} from '../errors.js'
import { reauthorizationUrl } from '../oauth/merchant-links.js'
import type { Refusal, Terminal } from '../oauth/refusal.js'
import type { RecordKey } from '../token.js'

/** The end of a run that says nothing about the shop: its tokens stay as they are. */
export type Inconclusive =
  | Exclude<Refusal, Terminal>
  /** The app wants no non-expiring token, and got one. It lasts until somebody changes the app's settings. */
  | { readonly outcome: 'not-expiring' }
  /** Shopify ended the shop's tokens, as it ended those of too many others to be believed. */
  | { readonly outcome: 'suspect' }

/** A 2xx answer without what was due, told apart from an outage because waiting may not mend it. */
const isAnswerWithoutTokens = (status: number | undefined): boolean =>
  status !== undefined && status >= 200 && status < 300

/** The error for callers whom only the merchant's next visit can help, with where to send them. */
export function reauthorizationRequired(
  reason: ReauthorizationReason,
  { clientId, shop }: RecordKey,
  requestId?: string,
): ReauthorizationRequiredError {
  return new ReauthorizationRequiredError(reason, { shop, requestId, url: reauthorizationUrl(reason, shop, clientId) })
}

/** The error for callers whom a failed run leaves without a token. */
export function failureOf(
  refusal: Inconclusive,
  key: RecordKey,
  told: Pick<ErrorDetails, 'requestId' | 'retryAfterMs'>,
): AnyShopifyTokenError {
  const details = { ...told, shop: key.shop }
  if (refusal.outcome === 'suspect') return new FleetSuspectError(details)
  if (refusal.outcome === 'not-expiring') {
    return new TokenEndpointError(
      'ERR_TOKEN_RESPONSE_INVALID',
      'Asked for an expiring token, Shopify answered with one that never expires, and requireExpiring is set.',
      details,
    )
  }
  const { outcome, status } = refusal
  if (outcome === 'not-permitted') {
    return refusal.reason === 'app-not-installed'
      ? reauthorizationRequired(refusal.reason, key, told.requestId)
      : new TokenEndpointError(
          'ERR_APP_MISCONFIGURED',
          'Client credentials bring tokens for shops of the organization that owns the app, and this one is not.',
          { ...details, status },
        )
  }
  if (outcome === 'misconfigured') {
    return new TokenEndpointError(
      'ERR_APP_MISCONFIGURED',
      "Shopify does not accept the client id and secret; compare both with the app's settings there.",
      { ...details, status },
    )
  }
  if (isAnswerWithoutTokens(status)) {
    return new TokenEndpointError(
      'ERR_TOKEN_RESPONSE_INVALID',
      'The token endpoint answered without the tokens due; the stored ones are kept.',
      { ...details, status },
    )
  }
  const what = status === undefined ? 'did not answer' : `answered ${String(status)}`
  return new TokenEndpointError('ERR_TOKEN_ENDPOINT_UNAVAILABLE', `The token endpoint ${what}; the tokens are kept.`, {
    ...details,
    status,
  })
}
