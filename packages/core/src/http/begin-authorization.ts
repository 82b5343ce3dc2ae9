import { InvalidAuthRequestError } from '../errors.js'
import { isScope } from '../scopes.js'
import { parseShop } from '../shop.js'
import type { TokenManager } from '../token-manager.js'
import type { AuthSettings } from './auth-options.js'
import { type AuthRequest, parameter } from './auth-request.js'
import { exitIframePage, redirect } from './auth-pages.js'
import { MAX_SCOPES_LENGTH } from './error-answer.js'
import type { HttpReply } from './http-reply.js'
import { ownUrl, pathOf } from './own-path.js'
import { beginState, type PendingAuthorization } from './state-cookies.js'

/** So that what is asked for fits into a cookie. */
export const MAX_RETURN_LENGTH = 1_024

/**
 * Sends the browser to Shopify's authorize page, with a cookie that knows it again.
 *
 * @throws InvalidShopError, InvalidAuthRequestError
 * @see Shopify: "Implement authorization code grant manually"
 */
export function beginAuthorization(tokens: TokenManager, settings: AuthSettings, request: AuthRequest): HttpReply {
  const { appUrl, authPath, scopes } = settings
  const { signatures } = tokens
  const begun = read(request)
  const { state, cookies } = beginState(signatures, authPath, begun, request.cookies)
  const asked = [...new Set([...scopes, ...begun.extraScopes])].join(',')
  const query = new URLSearchParams({
    client_id: signatures.clientId,
    ...(asked === '' ? {} : { scope: asked }),
    redirect_uri: `${appUrl}${authPath}/callback`,
    state,
  })
  const reply = redirect(`https://${begun.shop}/admin/oauth/authorize?${query.toString()}`)
  return { ...reply, headers: { ...reply.headers, 'set-cookie': cookies } }
}

/**
 * The page that leaves the admin's frame and begins there: inside it Shopify's page does not open, and browsers keep no
 * cookie.
 *
 * @throws InvalidShopError, InvalidAuthRequestError
 */
export function leaveFrame(tokens: TokenManager, { appUrl, authPath }: AuthSettings, request: AuthRequest): HttpReply {
  const { shop, extraScopes, returnTo } = read(request)
  const query = new URLSearchParams({ shop })
  if (extraScopes.length > 0) query.set('scope', extraScopes.join(','))
  if (returnTo !== '/') query.set('return_to', returnTo)
  return exitIframePage(tokens.signatures.clientId, shop, `${appUrl}${authPath}?${query.toString()}`)
}

/** What a request asks for: all of it may be anybody's invention. */
function read({ query }: AuthRequest): PendingAuthorization {
  const shop = parseShop(parameter(query, 'shop'))
  const scope = parameter(query, 'scope') ?? ''
  if (typeof scope !== 'string' || scope.length > MAX_SCOPES_LENGTH) throw new InvalidAuthRequestError('scope')
  const extraScopes = scope.split(',').filter((name) => name !== '')
  if (!extraScopes.every(isScope)) throw new InvalidAuthRequestError('scope')
  const target = ownUrl(parameter(query, 'return_to') ?? '/')
  const returnTo = target === null ? '' : pathOf(target)
  if (returnTo === '' || returnTo.length > MAX_RETURN_LENGTH) throw new InvalidAuthRequestError('return_to')
  return { shop, extraScopes, returnTo }
}
