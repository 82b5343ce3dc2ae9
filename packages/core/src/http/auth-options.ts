import type { Shop } from '../shop.js'
import type { AccessToken } from '../token.js'

/** What a shop has just granted. */
export interface Installed {
  readonly shop: Shop
  /** The scopes that were granted. */
  readonly scopes: readonly string[]
  readonly token: AccessToken
}

/** What the OAuth routes take. Unknown keys are refused. */
export interface AuthOptions {
  /** The scopes to ask for. Default: the environment variable SCOPES, comma-separated, else none. */
  readonly scopes?: readonly string[] | undefined
  /** The app's https origin. Default: the environment variable SHOPIFY_APP_URL. */
  readonly appUrl?: string | undefined
  /** The path that begins authorization; the other routes are below it. Default `/auth`. */
  readonly authPath?: string | undefined
  /** Whether the app runs in Shopify's admin. Default true. */
  readonly embedded?: boolean | undefined
  /** Called after a callback has stored its tokens, before the merchant is sent on, and awaited. */
  readonly onInstalled?: ((installed: Installed) => unknown) | undefined
}
