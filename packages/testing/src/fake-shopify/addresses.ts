/** The header that carries the shop to the fake when the `Host` header cannot. */
export const SHOP_HEADER = 'x-fake-shop'
/** Shopify's token endpoint, unversioned. */
export const TOKEN_PATH = '/admin/oauth/access_token'
/** Under this path other processes work the fake's controls. */
export const CONTROL_PATH = '/__fake/'

const SHOP = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/

/** Whether a host name is a shop's, by the rule of "Verification" in docs/shopify-protocol.md. */
export function isShopHost(host: string): boolean {
  return SHOP.test(host)
}

/** Whether a host name, as `URL` writes it, is this machine and no other. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host)
}
