import type { Shop } from './shop.js'
import type { AccessToken } from './token.js'

/** What a caller may say when asking for a token. */
export interface TokenOptions {
  /**
   * An access token that Shopify has just refused. It counts only if it is still the current one; otherwise
   * the current one is the answer. If the same token comes back, a renewal would not help: pass the answer on.
   */
  readonly rejected?: string | undefined
  /**
   * Why Shopify refused {@link rejected}: `non-expiring` for the 403 that says so. A source that can, exchanges the token
   * for an expiring pair then; others ignore it. Default: it was refused with 401.
   *
   * @see Shopify: "Migrate to expiring offline access tokens"
   */
  readonly rejectedAs?: 'non-expiring' | undefined
  /**
   * The verified session token of the merchant who is present. A source that can acquire tokens uses it when there is
   * nothing to refresh, or when the refresh has just ended for good; others ignore it.
   */
  readonly idToken?: string | undefined
  /**
   * Scopes that the token must carry, such as `['write_products']`; `write_` implies `read_`. When they are granted this
   * costs nothing. Otherwise a source that can acquire tokens does so with {@link idToken}, and what it cannot get ends
   * in `ERR_SCOPE_MISSING`, which names them. Anything that is no list of scopes: `ERR_INVALID_OPTION`.
   *
   * @see Shopify: "Shopify API access scopes"
   */
  readonly scopes?: readonly string[] | undefined
  /** Ends this caller's wait with `signal.reason`. Never ends a renewal: other callers share it. */
  readonly signal?: AbortSignal | undefined
}

/**
 * The one idea: whoever needs a token takes a `TokenSource`, whoever can provide one is a `TokenSource`. Express, Nest
 * and jobs only translate between their world and this method.
 */
export interface TokenSource {
  /**
   * A token that works now. Cheap when the token is fresh; call it before every use instead of keeping the result.
   *
   * Rejects with one of the errors of `AnyShopifyTokenError`; above all `ERR_REAUTHORIZATION_REQUIRED` when only the merchant's
   * next visit can bring a token, and `ERR_SCOPE_MISSING` when the token lacks scopes that `options` asks for.
   */
  token(shop: Shop, options?: TokenOptions): Promise<AccessToken>
}
