import { adminPage } from './admin-page.js'
import { isShopHost } from './addresses.js'
import type { AppBridgeReload } from './app-bridge.js'
import { appBridge } from './app-bridge.js'
import type { AuthorizationParts, AuthorizationStep } from './authorization.js'
import { Authorization } from './authorization.js'
import { AGREED, ANSWER_FIELD, consentPage, oauthErrorPage } from './consent-page.js'
import { markup, page } from './page.js'
import type { RequestLog } from './request-log.js'
import { ADMIN_HOST } from './signed-url.js'
import type { WireAnswer } from './wire-answer.js'

/** A browser's request. */
export interface PageRequest {
  /** Lower-case, without a port. */
  readonly host: string
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string
}

/** What the {@link MerchantPages} work with. */
export interface MerchantPagesParts extends AuthorizationParts {
  readonly appBridgeReload: AppBridgeReload
  readonly log: RequestLog
  readonly idToken: (shop: string) => string
}

const APP_BRIDGE_HOST = 'cdn.shopify.com'
const APP_BRIDGE_PATH = '/shopifycloud/app-bridge.js'
const INSTALL = '/oauth/install'
const AUTHORIZE = '/oauth/authorize'
const ID_TOKEN = '/internal/id-token'
const APPS = '/apps/'
const NO_ADDRESS = 'FakeShopify has no appUrl'

/**
 * What a merchant's browser sees of Shopify: the authorize page, the begin of an installation, the admin with the app in
 * a frame, and App Bridge. The admin of a shop answers at `https://{shop}/admin` and at
 * `https://admin.shopify.com/store/{name}` alike.
 */
export class MerchantPages {
  readonly #parts: MerchantPagesParts
  readonly #authorization: Authorization

  constructor(parts: MerchantPagesParts) {
    this.#parts = parts
    this.#authorization = new Authorization(parts)
  }

  /** Answers a request for a page; `undefined`: it is for another part of Shopify. */
  answer({ host, method, path, query, body }: PageRequest): WireAnswer | undefined {
    if (host === APP_BRIDGE_HOST && path === APP_BRIDGE_PATH) return script(appBridge(this.#parts.appBridgeReload))
    const place = placeOf(host, path)
    if (place === undefined) return undefined
    const { shop, base, rest } = place
    const route = `${method} ${rest}`
    if (route === `GET ${AUTHORIZE}`) return this.#shown(shop, this.#begin(shop, query), query)
    if (route === `POST ${AUTHORIZE}`) return this.#decided(shop, new URLSearchParams(body))
    if (route === `GET ${INSTALL}`) return this.#install(shop, query)
    if (route === `POST ${ID_TOKEN}`) return this.#idToken(shop)
    const inApp = `${APPS}${this.#parts.clientId}`
    if (method === 'GET' && (rest === inApp || rest.startsWith(`${inApp}/`)))
      return this.#admin(shop, base, rest.slice(inApp.length), query)
    return undefined
  }

  /**
   * Goes through the authorize page at `url` as the merchant does, and returns where the browser is sent.
   *
   * Throws a `TypeError` when `url` is not the shop's authorize page, and an error with Shopify's words when the page
   * shows one.
   */
  authorize(shop: string, url: string, cancel: boolean): string {
    const { protocol, host, pathname, searchParams } = new URL(url)
    const place = protocol === 'https:' ? placeOf(host, pathname) : undefined
    if (place?.shop !== shop || place.rest !== AUTHORIZE)
      throw new TypeError(`url must be the authorize page of ${shop}`)
    let step = this.#begin(shop, searchParams)
    if (step.outcome === 'ask') step = this.#decide(shop, searchParams, cancel ? undefined : AGREED)
    if (step.outcome === 'leave') return step.location
    throw new Error(step.outcome === 'error' ? step.text : 'The authorize page asks again')
  }

  #begin(shop: string, query: URLSearchParams): AuthorizationStep {
    this.#parts.log.authorizeVisited(shop)
    return this.#authorization.begin(shop, query)
  }

  #decided(shop: string, form: URLSearchParams): WireAnswer {
    const answer = form.get(ANSWER_FIELD) ?? undefined
    form.delete(ANSWER_FIELD)
    return this.#shown(shop, this.#decide(shop, form, answer), form)
  }

  #decide(shop: string, query: URLSearchParams, answer: string | undefined): AuthorizationStep {
    return answer === AGREED ? this.#authorization.allow(shop, query) : this.#authorization.refuse(shop, query)
  }

  #shown(shop: string, step: AuthorizationStep, query: URLSearchParams): WireAnswer {
    switch (step.outcome) {
      case 'error':
        return oauthErrorPage(step.text)
      case 'leave':
        return redirect(step.location)
      case 'ask':
        return consentPage({ shop, app: this.#parts.clientId, scopes: step.scopes, update: step.update, query })
    }
  }

  #install(shop: string, query: URLSearchParams): WireAnswer {
    if (query.get('client_id') !== this.#parts.clientId)
      return oauthErrorPage('Could not find Shopify API application with api_key')
    const location = this.#authorization.installUrl(shop)
    return location === undefined ? noAddress() : redirect(location)
  }

  #admin(shop: string, base: string, path: string, query: URLSearchParams): WireAnswer {
    const { clientId, ledger, idToken } = this.#parts
    if (!ledger.isInstalled(shop))
      return redirect(`${base}${INSTALL}?${new URLSearchParams({ client_id: clientId }).toString()}`)
    const source = this.#authorization.embeddedUrl(shop, path, query, idToken(shop))
    if (source === undefined) return noAddress()
    return adminPage({ shop, app: clientId, source, idTokenPath: base + ID_TOKEN })
  }

  #idToken(shop: string): WireAnswer {
    const { ledger, idToken } = this.#parts
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' }
    if (!ledger.isInstalled(shop)) return { status: 403, headers, body: 'The app is not installed' }
    return { status: 200, headers, body: idToken(shop) }
  }
}

/** Which shop's admin an address is in, and where in it. */
interface Place {
  readonly shop: string
  /** The admin's own path: `/admin`, or `/store/{name}`. */
  readonly base: string
  readonly rest: string
}

function placeOf(host: string, path: string): Place | undefined {
  const [, first = '', second = ''] = path.split('/')
  const base = host === ADMIN_HOST ? `/${first}/${second}` : `/${first}`
  const shop = host === ADMIN_HOST ? `${second}.myshopify.com` : host
  const isAdmin = first === (host === ADMIN_HOST ? 'store' : 'admin')
  return isAdmin && isShopHost(shop) ? { shop, base, rest: path.slice(base.length) } : undefined
}

function script(body: string): WireAnswer {
  return { status: 200, headers: { 'content-type': 'text/javascript; charset=utf-8' }, body }
}

function redirect(location: string): WireAnswer {
  return { status: 302, headers: { location, 'cache-control': 'no-store' }, body: '' }
}

function noAddress(): WireAnswer {
  return page(NO_ADDRESS, markup`<div class="card"><h1>${NO_ADDRESS}</h1></div>`, 500)
}
