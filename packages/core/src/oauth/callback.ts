import type { Shop } from '../shop.js'

/** A callback of the authorization code grant that Shopify has signed, for us and just now. */
export interface OAuthCallback {
  readonly shop: Shop
  /** The authorization code, to be presented once. */
  readonly code: string
  /** What the begin of authorization has sent along. It still has to be compared with what this browser was given. */
  readonly state: string
  /** Where the app is opened in the admin, as `admin.shopify.com/store/{name}` or `{shop}/admin`; `null`: not told. */
  readonly host: string | null
}
