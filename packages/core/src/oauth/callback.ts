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

/** The parameters of a callback, each of which came once and is text. */
export type CallbackParameters = ReadonlyMap<string, string>

/** Shopify's have some 400 characters. */
const MAX_LENGTH = 8_192

/** `null`: no parameters, one that came twice or in brackets (which frameworks make lists and objects of), or too many. */
export function readParameters(query: unknown): CallbackParameters | null {
  if (typeof query !== 'object' || query === null || Array.isArray(query)) return null
  const entries: [string, unknown][] = Object.entries(query)
  if (!entries.every(isText)) return null
  const length = entries.reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  return length > MAX_LENGTH ? null : new Map(entries)
}

/**
 * What Shopify signs of a callback: every parameter but the signature itself, by name, form-encoded. Joining the raw
 * values instead would let one that holds `&` stand for two.
 *
 * @see docs/shopify-protocol.md, "Verification"
 */
export function signedText(parameters: CallbackParameters): string {
  const signed = [...parameters].filter(([name]) => name !== 'hmac' && name !== 'signature')
  // By code unit: the order must not depend on the language of the machine.
  return new URLSearchParams(signed.sort(([one], [other]) => (one < other ? -1 : 1))).toString()
}

function isText(entry: [string, unknown]): entry is [string, string] {
  return typeof entry[1] === 'string'
}
