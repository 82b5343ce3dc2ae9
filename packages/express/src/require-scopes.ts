import { invalidOption, NoContextError, parseScopes, type RequestAccess } from '@shopify-tokens/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { refuse } from './error-response.js'
import { inFrontOf } from './in-front.js'

/** A handler that leaves the parameters of a route to the handlers behind it: `req.params` keeps its type there. */
export type ScopesCheck = <Params>(request: Request<Params>, response: Response, next: NextFunction) => void

/**
 * Lets requests through whose shop has granted these scopes; `write_` implies `read_`. What is granted costs nothing. A
 * scope that the row does not have either is asked of Shopify, with the request's session token; when the merchant has to
 * grant it, documents are sent to authorization, and other requests answered with 403 `ERR_SCOPE_MISSING` and its
 * address.
 *
 * Behind {@link shopifyTokens} only; elsewhere requests end with `ERR_NO_CONTEXT`.
 *
 * ```ts
 * app.post('/products', requireScopes('write_products'), async (req, res) => { … })
 * ```
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for what is no scope, and without any.
 * @see Shopify: "Shopify API access scopes"
 */
export function requireScopes(...scopes: readonly string[]): ScopesCheck {
  const required = parseScopes(scopes)
  if (required.length === 0) throw invalidOption('scopes', 'at least one scope', undefined)
  const check: RequestHandler = (request, response, next) => {
    const { settings } = inFrontOf(request)
    const shopify = request.shopify as RequestAccess | undefined
    if (settings === undefined || shopify === undefined) {
      next(new NoContextError('request'))
      return
    }
    const isOver = (): boolean => response.destroyed || response.writableEnded
    shopify.requireScopes(...required).then(
      () => {
        if (!isOver()) next()
      },
      (error: unknown) => {
        if (!isOver()) refuse(error, { settings, request, response, next })
      },
    )
  }
  return check as ScopesCheck
}
