/**
 * What App Bridge does with the address in `shopify-reload`: `'fetch'`: it fetches the page with the ID token in a header,
 * and puts it in this one's place (reported by developers); `'navigate'`: it goes there with a new `id_token` (inferred).
 */
export type AppBridgeReload = 'fetch' | 'navigate'

/**
 * A stand-in for `https://cdn.shopify.com/shopifycloud/app-bridge.js`, for the admin page of this fake. It does what an
 * app's server has to count on, and nothing of the user interface.
 *
 * - Documented ("Resource Fetching API", "ID Token API", "Navigation API"): `shopify.idToken()`; `fetch` to the app's own
 *   origin carries the ID token as `Authorization: Bearer`; `open(url, '_top')` navigates the admin's window; a page of
 *   the app outside the admin is opened inside it, where `host` tells which.
 * - As the official libraries rely on it ("Verification" in docs/shopify-protocol.md): a 401 with
 *   `X-Shopify-Retry-Invalid-Session-Request: 1` is repeated once with a new token; an answer with
 *   `X-Shopify-API-Request-Failure-Reauthorize: 1` navigates the admin's window to the address it names; a page with
 *   `shopify-reload` in its query is left for that address.
 * - Inferred: an address in `shopify-reload` outside the app's own origin is not followed; a page that has lost its `host`
 *   finds the admin by asking the browser which site frames it.
 */
export function appBridge(reload: AppBridgeReload): string {
  return `(() => {
  const script = document.currentScript
  const apiKey = script.dataset.apiKey ?? document.querySelector('meta[name="shopify-api-key"]')?.content
  const query = new URLSearchParams(location.search)
  const host = query.get('host')
  if (apiKey === undefined) throw new Error('App Bridge: no data-api-key')
  const embedded = window.parent !== window
  const admin = host === null ? undefined : 'https://' + atob(host)
  const adminOrigin = admin === undefined ? location.ancestorOrigins?.[0] : new URL(admin).origin
  const waiting = new Map()

  addEventListener('message', ({ source, origin, data }) => {
    if (source !== window.parent || origin !== adminOrigin) return
    waiting.get(data.answers)?.(data.idToken)
    waiting.delete(data.answers)
  })

  const idToken = async () => {
    const id = crypto.randomUUID()
    const answer = new Promise((resolve) => waiting.set(id, resolve))
    window.parent.postMessage({ asks: 'id-token', id }, adminOrigin)
    const token = await answer
    if (token === null) throw new Error('App Bridge: the admin gives no ID token')
    return token
  }

  const openOnTop = (address) => {
    const { href } = new URL(address, location.href)
    if (embedded) window.parent.postMessage({ asks: 'open', url: href }, adminOrigin)
    else location.assign(href)
  }

  // A page that was put in another's place finds its window as that one has left it.
  const native = window.shopify?.native ?? { fetch: window.fetch.bind(window), open: window.open.bind(window) }
  window.shopify = { config: { apiKey, host }, idToken, native }

  window.open = (address, target, features) => {
    if (target !== '_top' && target !== '_parent') return native.open(address, target, features)
    openOnTop(address)
    return null
  }

  window.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (!embedded || new URL(request.url).origin !== location.origin) return native.fetch(request)
    const send = async () => {
      const sent = request.clone()
      sent.headers.set('Authorization', 'Bearer ' + (await idToken()))
      return native.fetch(sent)
    }
    let response = await send()
    const retried = response.headers.get('X-Shopify-Retry-Invalid-Session-Request') === '1'
    if (response.status === 401 && retried) response = await send()
    if (response.headers.get('X-Shopify-API-Request-Failure-Reauthorize') === '1')
      openOnTop(response.headers.get('X-Shopify-API-Request-Failure-Reauthorize-Url'))
    return response
  }

  const RELOAD = {
    navigate: async (address) => {
      address.searchParams.set('id_token', await idToken())
      location.replace(address)
    },
    fetch: async (address) => {
      const response = await window.fetch(address, { headers: { 'X-Shopify-Bounce': '1' } })
      const page = await response.text()
      history.replaceState(null, '', address)
      document.open()
      document.write(page)
      document.close()
    },
  }
  const reload = query.get('shopify-reload')
  const address = new URL(reload ?? location.href, location.href)
  if (address.origin !== location.origin) return
  if (!embedded && admin !== undefined) location.replace(admin + '/apps/' + apiKey + address.pathname)
  if (embedded && reload !== null) RELOAD['${reload}'](address)
})()
`
}
