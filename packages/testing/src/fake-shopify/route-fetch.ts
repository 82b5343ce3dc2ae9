import { isLoopbackHost, isShopHost, SHOP_HEADER } from './addresses.js'

/**
 * Makes a `fetch` that sends every request for `https://{shop}.myshopify.com` to the fake Shopify at `url` and is
 * otherwise the global one: same options, same abort, same errors. Usable in any process that can reach `url`.
 *
 * Requests for this machine itself (`localhost`, `127.0.0.0/8`, `[::1]`) go where they say, so that a test can call its
 * own server; a redirect that such a server answers is followed by the real `fetch`, wherever it leads. Any other host,
 * scheme or port rejects like a name that DNS does not know (`TypeError: fetch failed`, cause `ENOTFOUND`), so that a
 * test notices a request that would have left for somewhere else.
 *
 * It may take the global one's place: what it sends with is the global `fetch` of the moment at which it is made.
 */
export function fakeShopifyFetch(url: string): typeof globalThis.fetch {
  return routedFetch(url, realFetch())
}

/** Where a routed fetch keeps the one that it sends with. */
const REAL = Symbol.for('@shopify-tokens/testing/real-fetch')

/** The global `fetch`, or the one behind it where a routed one has taken its place. To be taken early, for the same reason. */
export function realFetch(): typeof globalThis.fetch {
  const present = globalThis.fetch as typeof globalThis.fetch & { readonly [REAL]?: typeof globalThis.fetch }
  return present[REAL] ?? present
}

/** {@link fakeShopifyFetch} over a `fetch` that was taken earlier. */
export function routedFetch(url: string, real: typeof globalThis.fetch): typeof globalThis.fetch {
  const routed: typeof globalThis.fetch = async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const target = new URL(input instanceof Request ? input.url : input)
    if (isLoopbackHost(target.hostname)) return real(input, init)
    if (target.protocol !== 'https:' || target.port !== '' || !isShopHost(target.hostname))
      throw notFound(target.hostname)
    const address = new URL(target.pathname + target.search, url)
    const headers = new Headers(init?.headers ?? request?.headers)
    headers.set(SHOP_HEADER, target.hostname)
    return request === undefined
      ? real(address, { ...init, headers })
      : real(new Request(address, request), { ...init, headers })
  }
  return Object.assign(routed, { [REAL]: real })
}

function notFound(hostname: string): TypeError {
  const cause = Object.assign(new Error(`getaddrinfo ENOTFOUND ${hostname}`), {
    code: 'ENOTFOUND',
    errno: -3008,
    syscall: 'getaddrinfo',
    hostname,
  })
  return new TypeError('fetch failed', { cause })
}
