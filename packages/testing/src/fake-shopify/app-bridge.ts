/**
 * A stand-in for `https://cdn.shopify.com/shopifycloud/app-bridge.js`, for the admin page of this fake. It does what an
 * app's server has to count on, and nothing of the user interface.
 *
 * - Documented ("Resource Fetching API", "ID Token API", "Navigation API"): `shopify.idToken()`; `fetch` to the app's own
 *   origin carries the ID token as `Authorization: Bearer`; `open(url, '_top')` navigates the admin's window; a page of
 *   the app outside the admin is opened inside it, where `host` tells which.
 * - As the official libraries rely on ("Verification" in docs/shopify-protocol.md): a 401 with
 *   `X-Shopify-Retry-Invalid-Session-Request: 1` is repeated once with a new token; an answer with
 *   `X-Shopify-API-Request-Failure-Reauthorize: 1` navigates the admin's window to the address it names; a page with
 *   `shopify-reload` in its query is left for that address with a new `id_token`.
 * - Inferred: an address in `shopify-reload` outside the app's own origin is not followed.
 */
export const APP_BRIDGE = `(() => {
  const script = document.currentScript
  const apiKey = script.dataset.apiKey ?? document.querySelector('meta[name="shopify-api-key"]')?.content
  const query = new URLSearchParams(location.search)
  const host = query.get('host') ?? sessionStorage.getItem('shopify-host')
  if (apiKey === undefined) throw new Error('App Bridge: no data-api-key')
  if (host === null) throw new Error('App Bridge: no host parameter')
  sessionStorage.setItem('shopify-host', host)
  const admin = 'https://' + atob(host)
  const adminOrigin = new URL(admin).origin
  const embedded = window.parent !== window
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

  const nativeOpen = window.open.bind(window)
  window.open = (address, target, features) => {
    if (target !== '_top' && target !== '_parent') return nativeOpen(address, target, features)
    openOnTop(address)
    return null
  }

  const nativeFetch = window.fetch.bind(window)
  window.fetch = async (input, init) => {
    const request = new Request(input, init)
    if (!embedded || new URL(request.url).origin !== location.origin) return nativeFetch(request)
    const send = async () => {
      const sent = request.clone()
      sent.headers.set('Authorization', 'Bearer ' + (await idToken()))
      return nativeFetch(sent)
    }
    let response = await send()
    const { headers } = response
    if (response.status === 401 && headers.get('X-Shopify-Retry-Invalid-Session-Request') === '1') response = await send()
    if (response.headers.get('X-Shopify-API-Request-Failure-Reauthorize') === '1')
      openOnTop(response.headers.get('X-Shopify-API-Request-Failure-Reauthorize-Url'))
    return response
  }

  window.shopify = { config: { apiKey, host }, idToken }

  const reload = query.get('shopify-reload')
  const address = new URL(reload ?? location.href, location.href)
  if (address.origin !== location.origin) return
  if (!embedded) location.replace(admin + '/apps/' + apiKey + address.pathname)
  else if (reload !== null)
    idToken().then((token) => {
      address.searchParams.set('id_token', token)
      location.replace(address)
    })
})()
`
