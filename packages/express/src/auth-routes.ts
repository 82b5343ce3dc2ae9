import { AuthFlow, type AuthOptions } from '@shopify-tokens/core'
import type { RequestHandler } from 'express'
import { noteInFront } from './in-front.js'
import { ownRoutesOf } from './own-routes.js'
import { managerSource, type RoutesOptions } from './manager-source.js'
import { sendOrGoOn } from './send-reply.js'
import { headerOf, pathOf } from './shop-of.js'

/** What {@link shopifyAuth} takes. Unknown keys are refused. */
export interface ShopifyAuthOptions extends AuthOptions, RoutesOptions {}

/**
 * The routes by which a merchant installs the app and authorizes it: begin, callback, the page that gets a new session
 * token, and the one that leaves the admin's frame. They are GET requests at `authPath` and below; all others go on.
 *
 * Mount it for all paths and in front of {@link shopifyTokens}, which then sends documents to these routes, and needs no
 * `authPath` of its own. `authPath` is the whole path, wherever this is mounted.
 *
 * ```ts
 * const shopify = shopifyTokens()
 * app.use(shopifyAuth({ tokens: shopify, scopes: ['write_products'], appUrl: 'https://app.example' }))
 * app.use(shopify)
 * ```
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 * @see Shopify: "Implement authorization code grant manually", "Session tokens"
 */
export function shopifyAuth({ tokens, ...options }: ShopifyAuthOptions): RequestHandler {
  const auth = new AuthFlow(managerSource(tokens), options)
  ownRoutesOf(tokens)?.add(auth.authPath, 'auth')
  return (request, response, next) => {
    noteInFront(request, { auth })
    const { method, query, headers } = request
    const fetchDest = headerOf(request, 'sec-fetch-dest')
    const coming = auth.handle({ method, path: pathOf(request), query, cookies: headers.cookie, fetchDest })
    sendOrGoOn(coming, response, next)
  }
}
