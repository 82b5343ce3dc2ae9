import { invalidOption, refuseUnknownOptions } from '../option-checks.js'
import { isShop, type Shop } from '../shop.js'
import type { ShopClient } from './shop-client.js'

/** Whatever gives a shop's client: the manager, `staticTokens()`, `tokensByShop()`. */
export interface ShopClients {
  forShop(shop: Shop): Pick<ShopClient, 'fetch'>
}

/** What {@link adminFetch} takes beside the tokens. Unknown keys are refused. */
export interface AdminFetchOptions {
  /** What sends everything that is no call of the Admin API. Default: the global `fetch`, looked up at every call. */
  readonly fetch?: typeof globalThis.fetch | undefined
}

/** What belongs to the token endpoint carries the app's own credentials, and no access token. */
const TOKEN_ENDPOINT = '/admin/oauth/access_token'

/**
 * A `fetch` for API clients that serve many shops and take a `fetch` of the app's: requests under
 * `{shop}.myshopify.com/admin/` go through that shop's client ({@link ShopClient.fetch}), so each is sent with the token
 * of the moment, whatever access token the API client has put in. Everything else, the token endpoint included, is handed
 * to `options.fetch` as it came. Does no I/O by itself, and may be kept as long as the process lives.
 *
 * A call rejects with what the token source rejects with, and with `ERR_FOREIGN_ORIGIN` when it would leave the shop's
 * own `https` origin (plain `http`, another port). The body of a `Request` object is a stream: after a 401 it is not sent
 * again, and the 401 is the answer.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function adminFetch(tokens: ShopClients, options: AdminFetchOptions = {}): typeof globalThis.fetch {
  if (typeof (tokens as Partial<ShopClients> | null | undefined)?.forShop !== 'function') {
    throw invalidOption('tokens', 'a token manager, or another object with forShop()', tokens)
  }
  refuseUnknownOptions(options, ['fetch'])
  const { fetch: elsewhere = (...call) => globalThis.fetch(...call) } = options
  if (typeof elsewhere !== 'function') throw invalidOption('fetch', 'a function', elsewhere)
  return async (input, init) => {
    const address = input instanceof Request ? input.url : String(input)
    const shop = shopCalled(address)
    if (shop === null) return elsewhere(input, init)
    return tokens.forShop(shop).fetch(address, input instanceof Request ? partsOf(input, init) : init)
  }
}

/** The shop whose Admin API this is; `null`: it is no Admin API. Scheme and port are the shop's client's to judge. */
function shopCalled(address: string): Shop | null {
  if (!URL.canParse(address)) return null
  const { hostname, pathname } = new URL(address)
  const isAdminCall = pathname.startsWith('/admin/') && pathname !== TOKEN_ENDPOINT
  return isAdminCall && isShop(hostname) ? hostname : null
}

function partsOf(request: Request, init: RequestInit | undefined): RequestInit {
  const { method, headers, body, signal } = new Request(request, init)
  return { ...init, method, headers, body, signal, ...(body !== null && { duplex: 'half' }) }
}
