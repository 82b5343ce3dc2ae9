/** Marks our errors across copies of this module: `instanceof` fails between two installed versions. */
const BRAND = Symbol.for('@shopify-tokens/error')

/** What every error carries beside its message. */
export interface ErrorDetails {
  readonly shop?: string | undefined
  /** Shopify's `x-request-id` of the answer that caused the error; their support asks for it. */
  readonly requestId?: string | undefined
  /** How long to wait before the same call can succeed, in milliseconds. Absent: unknown. */
  readonly retryAfterMs?: number | undefined
  readonly cause?: unknown
}

/**
 * The base of every run-time error of this project. Switch on `code`, not on the class: {@link AnyShopifyTokenError} is
 * the union that makes such a switch exhaustive. Messages hold no secret, no response body and no URL query.
 */
export abstract class ShopifyTokenError extends Error {
  abstract readonly code: string
  /** Whether the same call may succeed later without anybody changing anything. */
  abstract readonly retryable: boolean
  readonly shop: string | undefined
  readonly requestId: string | undefined
  readonly retryAfterMs: number | undefined

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.shop = details.shop
    this.requestId = details.requestId
    this.retryAfterMs = details.retryAfterMs
    Object.defineProperty(this, BRAND, { value: true })
  }
}

/** Whether `error` is one of ours, whichever copy of the package made it. */
export function isShopifyTokenError(error: unknown): error is AnyShopifyTokenError {
  return typeof error === 'object' && error !== null && BRAND in error
}

/**
 * Why a shop needs its merchant.
 * - `not-installed`: no record of the shop, and nobody is present with a session token.
 * - `removed`: the app was uninstalled, and a tombstone says so.
 * - `refresh-token-rejected`: Shopify ended every refresh token on record.
 * - `app-not-installed`: Shopify said that the shop has uninstalled the app.
 * - `access-token-rejected`: a token that cannot be renewed was refused.
 */
export type ReauthorizationReason =
  'not-installed' | 'removed' | 'refresh-token-rejected' | 'app-not-installed' | 'access-token-rejected'

/** Only the merchant's next visit brings a token. Nothing is lost by waiting. */
export class ReauthorizationRequiredError extends ShopifyTokenError {
  readonly code = 'ERR_REAUTHORIZATION_REQUIRED'
  readonly retryable = false
  readonly reason: ReauthorizationReason
  /**
   * Where to send the merchant: it opens the app in the shop's admin, or, where the app is not installed, the page that
   * installs it. Holds no secret.
   */
  readonly url: string | undefined

  constructor(reason: ReauthorizationReason, details: ErrorDetails & { readonly url?: string | undefined }) {
    super(REAUTHORIZATION_MESSAGES[reason], details)
    this.reason = reason
    this.url = details.url
  }
}

const REAUTHORIZATION_MESSAGES: Record<ReauthorizationReason, string> = {
  'not-installed': 'No token is on record for this shop; the merchant must open the app once.',
  removed: 'The shop has removed the app; the merchant must install it again.',
  'refresh-token-rejected': 'Shopify ended every refresh token of this shop; the merchant must open the app once.',
  'app-not-installed': 'Shopify says that this shop has not installed the app; the merchant must install it again.',
  'access-token-rejected':
    'Shopify refused a token that cannot be renewed; the merchant must open the app once, or somebody set a new static token.',
}

/** What the token endpoint's trouble was. {@link TokenEndpointError.code} is the documented one of these. */
export type TokenEndpointErrorCode =
  'ERR_TOKEN_ENDPOINT_UNAVAILABLE' | 'ERR_TOKEN_RESPONSE_INVALID' | 'ERR_APP_MISCONFIGURED'

/** The token endpoint gave no usable pair; the stored pair is untouched. */
export class TokenEndpointError<
  Code extends TokenEndpointErrorCode = TokenEndpointErrorCode,
> extends ShopifyTokenError {
  readonly code: Code
  readonly retryable: boolean
  /** HTTP status of the last answer; absent when there was none. */
  readonly status: number | undefined

  constructor(code: Code, message: string, details: ErrorDetails & { readonly status?: number | undefined } = {}) {
    super(message, details)
    this.code = code
    this.retryable = code !== 'ERR_APP_MISCONFIGURED'
    this.status = details.status
  }
}

/** The store did not answer in time or refused; whether a write happened may be unknown. */
export class StoreUnavailableError extends ShopifyTokenError {
  readonly code = 'ERR_STORE_UNAVAILABLE'
  readonly retryable = true
}

/**
 * A stored value cannot be opened or understood: wrong sealing key, a row moved by hand, a newer format. An operator's
 * error, never "no record": nothing is acquired, marked or overwritten because of it.
 */
export class StoreUnreadableError extends ShopifyTokenError {
  readonly code = 'ERR_STORE_UNREADABLE'
  readonly retryable = false
}

/** The loudest: a pair that Shopify has minted could not be stored before the process had to end. */
export class RotationNotStoredError extends ShopifyTokenError {
  readonly code = 'ERR_ROTATION_NOT_STORED'
  readonly retryable = false
  /** The shops whose newest pair was only in memory. */
  readonly shops: readonly string[]

  constructor(shops: readonly string[], details: ErrorDetails = {}) {
    super(
      `The newest pair of ${String(shops.length)} shop(s) was not stored before the deadline: ${shops.join(', ')}`,
      details,
    )
    this.shops = shops
  }
}

/** Another run held the shop's renewal for longer than a lease may last. */
export class LeaseTimeoutError extends ShopifyTokenError {
  readonly code = 'ERR_LEASE_TIMEOUT'
  readonly retryable = true
}

/** A recent renewal of this shop failed; the next one may begin in `retryAfterMs`. */
export class CoolingDownError extends ShopifyTokenError {
  readonly code = 'ERR_COOLING_DOWN'
  readonly retryable = true
}

/** This process renews nothing (`renewal: 'never'`), and no other one has brought a token in time. */
export class RenewalElsewhereError extends ShopifyTokenError {
  readonly code = 'ERR_RENEWAL_ELSEWHERE'
  readonly retryable = true

  constructor(details: ErrorDetails = {}) {
    super(
      "The shop's token is over and another process renews it, which has not happened yet: is one running?",
      details,
    )
  }
}

/** The row was minted with a client secret that this process does not know: its configuration is older than the row. */
export class SecretOutdatedError extends ShopifyTokenError {
  readonly code = 'ERR_SECRET_OUTDATED'
  readonly retryable = false
}

/**
 * So many shops turned out dead at once that none is marked: a restored database, another app's client id or a second
 * deployment is likelier than that all their merchants left.
 */
export class FleetSuspectError extends ShopifyTokenError {
  readonly code = 'ERR_FLEET_SUSPECT'
  readonly retryable = true

  constructor(details: ErrorDetails = {}) {
    super(
      'Too many shops were refused at once to believe it; an operator must look before anything is marked.',
      details,
    )
  }
}

/** The store's tokens belong to another deployment: this is a copy of its database, and must not renew. */
export class ForeignDeploymentError extends ShopifyTokenError {
  readonly code = 'ERR_FOREIGN_DEPLOYMENT'
  readonly retryable = false

  constructor(details: ErrorDetails = {}) {
    super(
      'The tokens in this store belong to another deployment, as its database says; nothing is renewed here.',
      details,
    )
  }
}

/** Not a `*.myshopify.com` domain. The message never repeats the input. */
export class InvalidShopError extends ShopifyTokenError {
  readonly code = 'ERR_INVALID_SHOP'
  readonly retryable = false

  constructor() {
    super('Not a shop domain: expected a name such as example.myshopify.com, without scheme, port or path.')
  }
}

/** Which check a session token failed; `refused`: none of ours, but Shopify exchanges it for nothing. */
export type SessionTokenFlaw =
  'missing' | 'malformed' | 'signature' | 'expired' | 'not-yet-valid' | 'audience' | 'shop' | 'refused'

/** A session token (App Bridge's JWT) that proves nothing. App Bridge fetches a new one and tries once more. */
export class InvalidSessionTokenError extends ShopifyTokenError {
  readonly code = 'ERR_INVALID_SESSION_TOKEN'
  readonly retryable = false
  readonly flaw: SessionTokenFlaw

  constructor(flaw: SessionTokenFlaw, details: ErrorDetails = {}) {
    super(`The session token was refused: ${flaw}.`, details)
    this.flaw = flaw
  }
}

/**
 * Which check a callback of the authorization code grant failed.
 * - `malformed`: a parameter is missing, too long, given twice, or not text.
 * - `shop`: not a shop domain.
 * - `signature`: not signed by Shopify for this app.
 * - `expired`: signed more than 90 seconds ago, or ahead.
 * - `state`: not the answer to an authorization that this browser has begun.
 * - `code`: used already, or not known to Shopify.
 * - `denied`: the merchant has declined.
 */
export type CallbackFlaw = 'malformed' | 'shop' | 'signature' | 'expired' | 'state' | 'code' | 'denied'

/** A parameter of a request to the OAuth routes cannot be right. The message never repeats it. */
export class InvalidAuthRequestError extends ShopifyTokenError {
  readonly code = 'ERR_INVALID_AUTH_REQUEST'
  readonly retryable = false
  readonly parameter: 'scope' | 'return_to' | 'shopify-reload'

  constructor(parameter: InvalidAuthRequestError['parameter'], details: ErrorDetails = {}) {
    super(`The parameter ${parameter} of the request is not valid.`, details)
    this.parameter = parameter
  }
}

/** A callback of the authorization code grant that brings no tokens. Authorization has to begin anew. */
export class InvalidCallbackError extends ShopifyTokenError {
  readonly code = 'ERR_INVALID_CALLBACK'
  readonly retryable = false
  readonly flaw: CallbackFlaw

  constructor(flaw: CallbackFlaw, details: ErrorDetails = {}) {
    super(`The authorization callback was refused: ${flaw}.`, details)
    this.flaw = flaw
  }
}

/**
 * Which check a webhook failed.
 * - `malformed`: no body, or none that is JSON.
 * - `too-large`: the body is larger than a webhook may be.
 * - `headers`: one is missing, given twice, not readable, or the two sets of headers disagree.
 * - `signature`: not signed by Shopify for this app.
 * - `shop`: no shop domain where the shop is named, or another in the header than in the signed body.
 */
export type WebhookFlaw = 'malformed' | 'too-large' | 'headers' | 'signature' | 'shop'

/** A webhook that proves nothing. No handler ran. */
export class InvalidWebhookError extends ShopifyTokenError {
  readonly code = 'ERR_INVALID_WEBHOOK'
  readonly retryable = false
  readonly flaw: WebhookFlaw

  constructor(flaw: WebhookFlaw, details: ErrorDetails = {}) {
    super(`The webhook was refused: ${flaw}.`, details)
    this.flaw = flaw
  }
}

/** A body parser has read the webhook before us; what Shopify has signed are the bytes, and they are gone. */
export class WebhookBodyParsedError extends ShopifyTokenError {
  readonly code = 'ERR_WEBHOOK_BODY_PARSED'
  readonly retryable = false

  constructor(details: ErrorDetails = {}) {
    super(
      'A body parser has read the webhook first, and without its raw bytes no signature can be verified. ' +
        'Express: mount shopifyWebhooks() before express.json(). ' +
        'NestJS: NestFactory.create(AppModule, { rawBody: true }).',
      details,
    )
  }
}

/** The shop's token lacks scopes that were asked for. The merchant grants them by authorizing the app once more. */
export class ScopeMissingError extends ShopifyTokenError {
  readonly code = 'ERR_SCOPE_MISSING'
  readonly retryable = false
  /** The scopes to ask the merchant for. */
  readonly missing: readonly string[]
  /** The scopes that it has granted: whoever asks for more must ask for these again, or lose them. */
  readonly granted: readonly string[]

  constructor(
    missing: readonly string[],
    { granted = [], ...details }: ErrorDetails & { readonly granted?: readonly string[] | undefined } = {},
  ) {
    super(`The shop has not granted these scopes: ${missing.join(', ')}.`, details)
    this.missing = missing
    this.granted = granted
  }
}

/** A request would have carried the shop's access token to another origin. Nothing was sent. */
export class ForeignOriginError extends ShopifyTokenError {
  readonly code = 'ERR_FOREIGN_ORIGIN'
  readonly retryable = false

  constructor(details: ErrorDetails = {}) {
    super("The URL is not on the shop's own origin; the access token is sent nowhere else.", details)
  }
}

/**
 * Shopify's Admin API answered a GraphQL call with another status than 2xx, without JSON, or with `errors` where those end
 * the work (`pagesOf`). Holds nothing of the body but the codes of these errors.
 */
export class AdminResponseError extends ShopifyTokenError {
  readonly code = 'ERR_ADMIN_RESPONSE'
  readonly retryable: boolean
  readonly status: number
  /**
   * What each of the `errors` of a 200 has as `extensions.code`, such as `THROTTLED`; `unknown` without one.
   *
   * @see Shopify: "GraphQL Admin API", "Status and error codes"
   */
  readonly graphqlCodes: readonly string[]

  constructor(
    status: number,
    { graphqlCodes = [], ...details }: ErrorDetails & { readonly graphqlCodes?: readonly string[] | undefined } = {},
  ) {
    const flaw = graphqlCodes.length > 0 ? ` with errors: ${graphqlCodes.join(', ')}` : ' without JSON'
    super(`The Admin API answered ${String(status)}${status < 300 ? flaw : ''}.`, details)
    this.status = status
    this.graphqlCodes = graphqlCodes
    const passes = graphqlCodes.length > 0 && graphqlCodes.every((code) => PASSING_CODES.has(code))
    this.retryable = status === 429 || status >= 500 || passes
  }
}

/** Errors of a 200 that are gone when the same call is made later. */
const PASSING_CODES: ReadonlySet<string> = new Set(['THROTTLED', 'INTERNAL_SERVER_ERROR'])

/** The code asked for the shop, or the request, of the work at hand, and there is none: it runs outside a request or `run()`. */
export class NoContextError extends ShopifyTokenError {
  readonly code = 'ERR_NO_CONTEXT'
  readonly retryable = false

  constructor(missing: 'shop' | 'request' = 'shop') {
    super(NO_CONTEXT_MESSAGES[missing])
  }
}

const NO_CONTEXT_MESSAGES = {
  shop: 'No shop is bound to the work at hand; is the middleware, the interceptor or forShop(shop).run() missing?',
  request: 'No request is bound to the work at hand; is the middleware or the interceptor missing?',
}

/** The manager has been closed: it begins no new renewal. */
export class ClosedError extends ShopifyTokenError {
  readonly code = 'ERR_CLOSED'
  readonly retryable = false

  constructor(details: ErrorDetails = {}) {
    super('The token manager is closed and begins no new renewal.', details)
  }
}

/** Every run-time error of this project: a `switch` over `code` is exhaustive. */
export type AnyShopifyTokenError =
  | ReauthorizationRequiredError
  | TokenEndpointError<'ERR_TOKEN_ENDPOINT_UNAVAILABLE'>
  | TokenEndpointError<'ERR_TOKEN_RESPONSE_INVALID'>
  | TokenEndpointError<'ERR_APP_MISCONFIGURED'>
  | StoreUnavailableError
  | StoreUnreadableError
  | RotationNotStoredError
  | LeaseTimeoutError
  | CoolingDownError
  | RenewalElsewhereError
  | SecretOutdatedError
  | FleetSuspectError
  | ForeignDeploymentError
  | InvalidShopError
  | InvalidSessionTokenError
  | InvalidAuthRequestError
  | InvalidCallbackError
  | ScopeMissingError
  | InvalidWebhookError
  | WebhookBodyParsedError
  | ForeignOriginError
  | AdminResponseError
  | NoContextError
  | ClosedError

/** The `code` of every error of this project, option errors included. */
export type ErrorCode = AnyShopifyTokenError['code'] | InvalidOptionError['code']

/**
 * A programmer's mistake, found when a thing is built. Names the option, the rule and the received type, never the
 * value.
 */
export class InvalidOptionError extends TypeError {
  readonly code = 'ERR_INVALID_OPTION'
  override readonly name = 'InvalidOptionError'
  /** The options at fault, so that all missing ones can be named at once. */
  readonly options: readonly string[]

  constructor(message: string, options: readonly string[]) {
    super(message)
    this.options = options
  }
}
