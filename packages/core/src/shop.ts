import { InvalidShopError } from './errors.js'

declare const shopBrand: unique symbol

/**
 * A shop's permanent `*.myshopify.com` domain, lower-case, checked by {@link parseShop}.
 *
 * The brand exists because this string becomes a host to which the client secret is sent, a store key and a lock key:
 * no unchecked string may stand in any of those places.
 */
export type Shop = string & { readonly [shopBrand]: true }

const SHOP_DOMAIN = /^[a-z0-9][a-z0-9-]*\.myshopify\.com$/
/** A DNS name has at most 253 characters: RFC 1035 section 2.3.4. */
const MAX_LENGTH = 253

/** Whether `input` is a shop domain as {@link parseShop} returns it: lower-case already. */
export function isShop(input: unknown): input is Shop {
  return typeof input === 'string' && input.length <= MAX_LENGTH && SHOP_DOMAIN.test(input)
}

/**
 * Turns an untrusted value into a {@link Shop}. Lower-cases it and does nothing else: a scheme, port, path, trailing
 * dot, surrounding space or any character outside `a-z 0-9 -` is refused. Does no I/O.
 *
 * @throws InvalidShopError `ERR_INVALID_SHOP`, which never repeats the input.
 */
export function parseShop(input: unknown): Shop {
  if (typeof input === 'string' && input.length <= MAX_LENGTH) {
    const shop = asciiLowerCase(input)
    if (isShop(shop)) return shop
  }
  throw new InvalidShopError()
}

/** `toLowerCase` maps the Kelvin sign to `k`; a look-alike must be refused, not repaired. */
function asciiLowerCase(input: string): string {
  return input.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}
