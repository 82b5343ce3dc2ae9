import type { Request, RequestHandler } from 'express'
import { type InFront, inFrontOf } from './in-front.js'
import { pathOf } from './shop-of.js'

const OWN_ROUTES = Symbol('@shopify-tokens/express own routes')

interface RoutedMiddleware {
  [OWN_ROUTES]?: OwnRoutes
}

/**
 * The routes that were made for one middleware, and belong in front of it: merchants and webhooks come without a session
 * token, so behind it all of them would be refused, and nobody would be told why.
 */
export class OwnRoutes {
  readonly #paths = new Map<string, keyof InFront>()

  belongTo(middleware: RequestHandler & RoutedMiddleware): void {
    middleware[OWN_ROUTES] = this
  }

  add(path: string, kind: keyof InFront): void {
    this.#paths.set(path, kind)
  }

  /** Tells, once for each of them, of routes that a request for them has not passed on its way to the middleware. */
  warnIfLate(request: Request): void {
    for (const [path, kind] of this.#paths) {
      if (inFrontOf(request)[kind] !== undefined || !`${pathOf(request)}/`.startsWith(`${path}/`)) continue
      this.#paths.delete(path)
      process.emitWarning(
        `A request for ${path} has reached shopifyTokens(): mount shopifyAuth() and shopifyWebhooks() in front of it.`,
        'ShopifyTokensWarning',
      )
    }
  }
}

/** Those of what `shopifyTokens()` has made. */
export function ownRoutesOf(tokens: object): OwnRoutes | undefined {
  return (tokens as RoutedMiddleware)[OWN_ROUTES]
}
