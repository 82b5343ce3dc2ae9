import { InvalidAuthRequestError } from '../errors.js'
import { isShop, parseShop } from '../shop.js'
import type { TokenManager } from '../token-manager.js'
import type { AuthSettings } from './auth-options.js'
import { type AuthRequest, parameter } from './auth-request.js'
import { bouncePage } from './auth-pages.js'
import type { HttpReply } from './http-reply.js'
import { ownUrl, pathOf } from './own-path.js'

/** Where App Bridge finds what to load with a new session token. */
const RELOAD = 'shopify-reload'

/**
 * The page on which App Bridge gets a session token for a document that came without a valid one. App Bridge reads the
 * address by itself, and sends it the session token: so it must be the app's own.
 *
 * @throws InvalidShopError, InvalidAuthRequestError
 */
export function bounce(tokens: TokenManager, { appUrl }: AuthSettings, { query }: AuthRequest): HttpReply {
  const named = parameter(query, 'shop')
  const shop = named === undefined ? null : parseShop(named)
  const target = parameter(query, RELOAD)
  const path = typeof target === 'string' && target.startsWith(`${appUrl}/`) ? target.slice(appUrl.length) : target
  if (ownUrl(path) === null) throw new InvalidAuthRequestError(RELOAD)
  return bouncePage(tokens.signatures.clientId, shop)
}

/**
 * The address of the bounce page for a document of the app. Whatever the admin has told the document the bounce page is
 * told too, for App Bridge.
 */
export function bounceLocation(authPath: string, target: URL): string {
  target.searchParams.delete(RELOAD)
  const query = new URLSearchParams(target.search)
  query.set(RELOAD, pathOf(target))
  // A parameter of the app's own, which the bounce page would take for a shop that is none.
  const [shop, ...others] = query.getAll('shop')
  if (!isShop(shop) || others.length > 0) query.delete('shop')
  return `${authPath}/bounce?${query.toString()}`
}
