import type { Shop } from '../shop.js'

/** Some 60 characters; more are not decoded. */
const ENCODED = /^[A-Za-z0-9+/_-]{8,400}={0,2}$/
const UNIFIED_ADMIN = /^admin\.shopify\.com\/store\/[a-z0-9][a-z0-9-]*$/

/**
 * Reads the parameter `host`: where the admin of a shop is, as `admin.shopify.com/store/{name}` or `{shop}/admin`, in
 * base64 or base64url, with or without padding. `null`: anything else, another shop's old-style admin included. Never
 * throws. The name in the new style is the shop's handle, which need not be its domain's first part.
 *
 * @see docs/shopify-protocol.md, "Verification"
 */
export function decodeHost(host: unknown, shop: Shop): string | null {
  if (typeof host !== 'string' || !ENCODED.test(host)) return null
  // `latin1`: bytes that are no ASCII stay visible, and fail below.
  const decoded = Buffer.from(host, 'base64').toString('latin1')
  return UNIFIED_ADMIN.test(decoded) || decoded === `${shop}/admin` ? decoded : null
}

/** The parameter `host` again, as Shopify writes it: base64 without padding. */
export function encodeHost(host: string): string {
  return Buffer.from(host).toString('base64').replace(/=+$/, '')
}
