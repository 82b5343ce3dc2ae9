import { isShopHost, SHOP_HEADER } from './addresses.js'

/**
 * Makes a `fetch` that sends every request for `https://{shop}.myshopify.com` to the fake Shopify at `url` and is
 * otherwise the global one: same options, same abort, same errors. Usable in any process that can reach `url`.
 *
 * Any other host, scheme or port rejects like a name that DNS does not know (`TypeError: fetch failed`, cause
 * `ENOTFOUND`), so that a test notices a request that would have left for somewhere else.
 */
export function fakeShopifyFetch(url: string): typeof globalThis.fetch {
  return async (input, init) => {
    const request = input instanceof Request ? input : undefined
    const target = new URL(input instanceof Request ? input.url : input)
    if (target.protocol !== 'https:' || target.port !== '' || !isShopHost(target.hostname))
      throw notFound(target.hostname)
    const routed = new URL(target.pathname + target.search, url)
    const headers = new Headers(init?.headers ?? request?.headers)
    headers.set(SHOP_HEADER, target.hostname)
    return request === undefined
      ? globalThis.fetch(routed, { ...init, headers })
      : globalThis.fetch(new Request(routed, request), { ...init, headers })
  }
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
