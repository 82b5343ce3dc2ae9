import { createHmac } from 'node:crypto'

/**
 * Adds parameters to `address` and signs them all as Shopify signs what it sends by way of a browser: sorted by name,
 * form-encoded, HMAC-SHA256 with the client secret, in hex ("Verification" in docs/shopify-protocol.md).
 *
 * @see Shopify page "Implement authorization code grant manually"
 */
export function signedUrl(address: string, parameters: Readonly<Record<string, string>>, secret: string): string {
  const url = new URL(address)
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value)
  url.searchParams.delete('hmac')
  url.searchParams.sort()
  const hmac = createHmac('sha256', secret).update(url.searchParams.toString()).digest('hex')
  url.searchParams.set('hmac', hmac)
  return url.href
}

/** The `host` parameter: where the admin of a shop is, base64 without padding. */
export function hostParameter(shop: string): string {
  return Buffer.from(adminOf(shop)).toString('base64').replace(/=+$/, '')
}

/** Where the admin of a shop is, without a scheme: `admin.shopify.com/store/{name}`. */
export function adminOf(shop: string): string {
  return `${ADMIN_HOST}/store/${shop.slice(0, shop.indexOf('.'))}`
}

/** The host of every shop's admin. */
export const ADMIN_HOST = 'admin.shopify.com'
