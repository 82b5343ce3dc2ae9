import type { FakeEndpoint } from './request-log.js'
import type { TokenGrant } from './token-request.js'

/** Whether Shopify has acted on the request (rotated, minted, retired) when the fault strikes. */
export type FaultMoment = 'before' | 'after'

/** A member of a token answer. */
export type TokenField = 'access_token' | 'expires_in' | 'refresh_token' | 'refresh_token_expires_in' | 'scope'

/**
 * One way in which a call can go wrong. Plain data, so that a script of faults can be printed, seeded and sent to a fake
 * in another process. `when` says whether Shopify acts first; kinds without it never act, unless their line says so.
 *
 * The connection:
 * - `refuse`: cut at once. For a port that really refuses see `FakeShopify.goOffline()`.
 * - `reset`: cut instead of an answer. `hang`: never answered; only the client's patience or `close()` ends it.
 * - `slow`: acts and answers, `ms` later.
 * - `late`: the client's connection is cut (`client: 'reset'`, the default) or left hanging, and Shopify acts afterwards:
 *   after `ms`, or at `handle.release()` when `ms` is not given.
 * - `twice`: a proxy delivers the request twice. The client gets the `first` answer (default) at once and the second
 *   delivery follows after `ms`, or at `handle.release()`; or it gets the `second` one, made right after the first.
 *
 * The answer:
 * - `redirect`: 307 or another 3xx to `location`; by default to another origin of the fake's that counts who followed
 *   (`strayRequests`). A 307 carries the body, secret included.
 * - `html`: a page with `status` (default 502). `error-520`: the text body `error code: 520`.
 * - `truncated`: acts; a 200 whose JSON ends half-way. `cut`: acts; the connection ends half-way through the body.
 * - `missing`, `field`: act; the answer lacks a member, or has another value for it (a string, a float, zero, nonsense).
 * - `not-expiring`: acts as if `expiring=1` had not been sent.
 * - `oversized`: acts; the answer is padded to `bytes` (default 65 537).
 * - `throttled`: 429 with `retryAfter` as given, or as an HTTP date `retryAfterDateMs` ahead of Shopify's clock, or with
 *   no Retry-After at all.
 *
 * The error:
 * - `terminal`: 401 with the exact sentence. `decoy`: another `status` (default 400) that merely contains the sentence.
 * - `invalid-grant`: 400, or 401 by `status`. `app-not-installed`, `invalid-subject-token`, `code-used`,
 *   `invalid-client`, `unknown-application`.
 * - `oauth-error`: any `status` with any `error`, an empty one included.
 * - `status`: any status with any JSON body. Without a body: the one that Shopify sends with that status.
 */
export type Fault =
  | { readonly kind: 'refuse' }
  | { readonly kind: 'reset' | 'hang' | 'error-520'; readonly when: FaultMoment }
  | { readonly kind: 'html'; readonly when: FaultMoment; readonly status?: number }
  | { readonly kind: 'slow'; readonly ms: number }
  | { readonly kind: 'late'; readonly ms?: number; readonly client?: 'reset' | 'hang' }
  | { readonly kind: 'twice'; readonly ms?: number; readonly answer?: 'first' | 'second' }
  | { readonly kind: 'redirect'; readonly status?: 301 | 302 | 303 | 307 | 308; readonly location?: string }
  | { readonly kind: 'truncated' | 'cut' | 'not-expiring' }
  | { readonly kind: 'missing'; readonly field: TokenField }
  | { readonly kind: 'field'; readonly field: TokenField; readonly value: unknown }
  | { readonly kind: 'oversized'; readonly bytes?: number }
  | { readonly kind: 'throttled'; readonly retryAfter?: number | string; readonly retryAfterDateMs?: number }
  | { readonly kind: 'terminal' | 'app-not-installed' | 'invalid-subject-token' | 'code-used' }
  | { readonly kind: 'invalid-client' | 'unknown-application' }
  | { readonly kind: 'invalid-grant'; readonly status?: 400 | 401 }
  | { readonly kind: 'decoy'; readonly status?: number }
  | { readonly kind: 'oauth-error'; readonly status: number; readonly error: string; readonly description?: string }
  | { readonly kind: 'status'; readonly status: number; readonly body?: unknown }

/** Which requests a scripted fault strikes. */
export interface FaultOptions {
  /** How many requests it strikes before it is used up. Default 1; an integer of at least 1, or `Infinity`. */
  readonly times?: number | undefined
  /** Only this grant's requests. Default: every grant's. */
  readonly grant?: TokenGrant | undefined
  /** Which half it strikes. Default `token`. Faults of token answers change nothing in answers of the Admin API. */
  readonly endpoint?: FakeEndpoint | undefined
}
