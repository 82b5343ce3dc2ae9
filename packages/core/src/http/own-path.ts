/** As much as servers take of an address; a document's holds a session token. */
const MAX_LENGTH = 8_192
/** Nobody encodes a path more than twice by mistake. */
const MAX_DECODINGS = 5
const CONTROL = /\p{Cc}/u
/** No second slash or backslash, which would begin a host. */
const ONE_SLASH = /^\/(?![/\\])/
/** Stands for the app's origin, whatever it is: a plain path cannot leave it. */
const PLACEHOLDER = 'https://app.invalid'

/**
 * Path and query if `text` is a path of the app itself, to which a browser may be sent, on an origin that means nothing;
 * `null`: anything else. What browsers would read as another host is refused, in every encoding: they drop tabs and line
 * breaks, take backslashes for slashes, and a framework that fails to decode a value hands on what a browser goes on to
 * decode. Dots are resolved, and an `id_token` is taken out: it is a credential, and over within the minute.
 */
export function ownUrl(text: unknown): URL | null {
  if (typeof text !== 'string' || text.length > MAX_LENGTH || CONTROL.test(text)) return null
  if (!isPlain(text.replace(/[?#].*$/s, ''))) return null
  const url = new URL(text, PLACEHOLDER)
  url.search = withoutIdToken(url.search)
  return ONE_SLASH.test(url.pathname) ? url : null
}

/** Path and query. */
export function pathOf({ pathname, search }: URL): string {
  return `${pathname}${search}`
}

function isPlain(path: string): boolean {
  let [layer, decoded] = [path, decode(path)]
  for (let decodings = 0; decodings < MAX_DECODINGS; decodings++) {
    if (!ONE_SLASH.test(layer) || layer.includes('\\') || CONTROL.test(layer)) return false
    if (decoded === layer) return true
    ;[layer, decoded] = [decoded, decode(decoded)]
  }
  return false
}

/** Byte by byte, and what is no encoding stays: a decoder that throws would be one that others get around. */
function decode(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_encoded, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}

/** The rest stays as it was, letter by letter: the app may have signed it. */
function withoutIdToken(search: string): string {
  const isIdToken = (part: string): boolean =>
    [...new URLSearchParams(part).keys()].some((name) => /^id_token/i.test(name))
  const parts = search.slice(1).split('&')
  return parts.filter((part) => !isIdToken(part)).join('&')
}
