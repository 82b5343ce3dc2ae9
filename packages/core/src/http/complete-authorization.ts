import { ScopeMissingError } from '../errors.js'
import type { OAuthCallback } from '../oauth/callback.js'
import { encodeHost } from '../oauth/host.js'
import { missingScopes } from '../scopes.js'
import type { TokenManager } from '../token-manager.js'
import type { AuthRequest } from './auth-request.js'
import type { AuthSettings } from './auth-options.js'
import { redirect } from './auth-pages.js'
import type { HttpReply } from './http-reply.js'
import { type PendingAuthorization, pendingFor } from './state-cookies.js'

/**
 * Takes what Shopify's callback brings: nothing is sent anywhere before signature, time, shop and state are verified, and
 * the code is sent at most once, in whichever process. Then the merchant goes on into the app.
 *
 * Rejects with `ERR_INVALID_CALLBACK`, with the codes of `TokenManager.acquire`, with `ERR_SCOPE_MISSING` when the merchant
 * has not granted what was asked for beside the app's own scopes (the tokens are stored), and with what `onInstalled`
 * rejects with.
 *
 * @see Shopify: "Implement authorization code grant manually"
 */
export async function completeAuthorization(
  tokens: TokenManager,
  settings: AuthSettings,
  request: AuthRequest,
): Promise<HttpReply> {
  const { signatures } = tokens
  const callback = signatures.verifyCallback(request.query)
  const { shop, code, state } = callback
  const pending = pendingFor(signatures, state, request.cookies)
  if (pending?.shop !== shop) throw signatures.refuseCallback('state', shop)
  const token = await tokens.acquire(shop, { code })
  await settings.onInstalled?.({ shop, scopes: token.scopes, token })
  // Whoever sent the merchant here for these scopes would do so again, and Shopify would send them straight back. The app's
  // own are another matter: where Shopify manages the installation, its configuration there decides what is granted.
  const missing = missingScopes(token.scopes, pending.extraScopes)
  if (missing.length > 0) throw new ScopeMissingError(missing, { shop })
  return redirect(destination(callback, pending, signatures.clientId, settings))
}

/** The app in the shop's admin, or at its own address. */
function destination(
  { shop, host }: OAuthCallback,
  { returnTo }: PendingAuthorization,
  clientId: string,
  { appUrl, embedded }: AuthSettings,
): string {
  const admin = host ?? `${shop}/admin`
  if (embedded) return `https://${admin}/apps/${encodeURIComponent(clientId)}${returnTo === '/' ? '' : returnTo}`
  const url = new URL(`${appUrl}${returnTo}`)
  url.searchParams.set('shop', shop)
  url.searchParams.set('host', encodeHost(admin))
  return url.href
}
