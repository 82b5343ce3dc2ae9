import type { Shop } from '../shop.js'
import type { AccessToken } from '../token.js'

/** The form of an Admin API version. @see Shopify: "API versioning" */
export const API_VERSION = /^(?:\d{4}-\d{2}|unstable)$/

/** The body of a GraphQL answer. `errors` in a 200 are the caller's business. */
export interface GraphqlResult<Data = unknown> {
  readonly data?: Data | null
  readonly errors?: readonly GraphqlError[]
  readonly extensions?: Readonly<Record<string, unknown>>
}

export interface GraphqlError {
  readonly message: string
  readonly path?: readonly (string | number)[]
  readonly extensions?: Readonly<Record<string, unknown>>
}

export interface GraphqlOptions {
  readonly variables?: Readonly<Record<string, unknown>> | undefined
  /** Such as `2026-10`. Default: the `apiVersion` of the manager; without either the call throws. */
  readonly apiVersion?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * One shop's Admin API. Every call asks the token source anew, so an instance may be kept as long as the job lasts; a
 * token in a variable may not. Methods may be taken off the object.
 */
export interface ShopClient {
  readonly shop: Shop
  /** A token that works now, for clients that want one. Do not keep it. */
  readonly accessToken: (options?: { readonly signal?: AbortSignal | undefined }) => Promise<AccessToken>
  /**
   * The same, if the shop has granted these scopes; else rejects with `ERR_SCOPE_MISSING`, which names those that are
   * missing. {@link TokenOptions.scopes}
   */
  readonly requireScopes: (...scopes: string[]) => Promise<AccessToken>
  /**
   * `fetch` with the shop's access token. `path` is resolved against the shop's origin, and an URL elsewhere rejects
   * with `ERR_FOREIGN_ORIGIN` before anything is sent. A 401 makes the token source renew once, and the 403 with which
   * Shopify refuses non-expiring tokens makes it migrate the shop; then the request is repeated once with the new token.
   * With a body that can be read only once, Shopify's answer is the answer. Redirects are not followed.
   */
  readonly fetch: (path: string | URL, init?: RequestInit) => Promise<Response>
  /** Runs a GraphQL operation. Rejects with `ERR_ADMIN_RESPONSE` on any status but 2xx, and when the answer is no JSON. */
  readonly graphql: <Data = unknown>(query: string, options?: GraphqlOptions) => Promise<GraphqlResult<Data>>
  /** Runs `work` with this shop as the shop at hand: nested code reaches it through `currentShop()`. */
  readonly run: <Result>(work: () => Result) => Result
}
