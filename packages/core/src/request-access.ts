import { inspect } from 'node:util'
import type { GraphqlOptions, GraphqlResult, ShopClient } from './admin/shop-client.js'
import type { SessionToken } from './oauth/id-token.js'
import type { Shop } from './shop.js'
import type { AccessToken } from './token.js'

/**
 * What a request gets: its shop, a token that works, and the shop's Admin API. Serialises and prints without the token.
 */
export class RequestAccess {
  readonly shop: Shop
  /** What the merchant's session token proved; `null` when the app's own function named the shop. */
  readonly session: SessionToken | null
  /** The shop's Admin API, with a token resolved at every call. What nested code finds through `currentShop()`. */
  readonly client: ShopClient
  #token: AccessToken | null

  constructor(client: ShopClient, session: SessionToken | null, token: AccessToken | null) {
    this.shop = client.shop
    this.client = client
    this.session = session
    this.#token = token
  }

  /**
   * The access token as it was when the request began, or as {@link requireScopes} has brought it. For work that outlasts
   * the request use {@link client}.
   *
   * @throws TypeError when the middleware was told to resolve tokens lazily: then only `token()` has one.
   */
  get accessToken(): string {
    return this.#resolved.value
  }

  /** Granted scopes. */
  get scopes(): readonly string[] {
    return this.#resolved.scopes
  }

  /** When {@link accessToken} ends, in epoch milliseconds of Shopify's time; `Infinity`: never. */
  get expiresAt(): number {
    return this.#resolved.expiresAt
  }

  /** A token that works now. */
  get token(): () => Promise<AccessToken> {
    return () => this.client.accessToken()
  }

  /** {@link ShopClient.requireScopes}. The token that has them is this request's from then on. */
  get requireScopes(): (...scopes: string[]) => Promise<AccessToken> {
    return async (...scopes) => (this.#token = await this.client.requireScopes(...scopes))
  }

  /** {@link ShopClient.fetch} */
  get fetch(): (path: string | URL, init?: RequestInit) => Promise<Response> {
    return this.client.fetch
  }

  /** {@link ShopClient.graphql} */
  get graphql(): <Data = unknown>(query: string, options?: GraphqlOptions) => Promise<GraphqlResult<Data>> {
    return this.client.graphql
  }

  get #resolved(): AccessToken {
    if (this.#token !== null) return this.#token
    throw new TypeError('Tokens are resolved lazily here: use await token() instead of accessToken.')
  }

  toJSON(): { shop: Shop } {
    return { shop: this.shop }
  }

  [inspect.custom](): unknown {
    return { shop: this.shop, token: this.#token ?? '[not resolved yet]' }
  }
}
