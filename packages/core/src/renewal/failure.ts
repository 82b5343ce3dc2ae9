import { type AnyShopifyTokenError, type ErrorDetails, TokenEndpointError } from '../errors.js'
import type { Refusal, Terminal } from '../oauth/refusal.js'

/** A refusal that says nothing about the credential: the pair stays as it is. */
export type Inconclusive = Exclude<Refusal, Terminal>

/** A 2xx answer without what was due, told apart from an outage because waiting may not mend it. */
const isAnswerWithoutTokens = ({ status }: Inconclusive): boolean =>
  status !== undefined && status >= 200 && status < 300

/** The error for callers whom a failed run leaves without a token. */
export function failureOf(refusal: Inconclusive, details: ErrorDetails): AnyShopifyTokenError {
  const { outcome, status } = refusal
  if (outcome === 'misconfigured') {
    return new TokenEndpointError(
      'ERR_APP_MISCONFIGURED',
      "Shopify does not accept the client id and secret; compare both with the app's settings there.",
      { ...details, status },
    )
  }
  if (isAnswerWithoutTokens(refusal)) {
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
