import {
  chooseRequestTokens,
  openRequest,
  type RequestAccess,
  type RequestTokens,
  type RequestTokenSource,
  type TokenManager,
} from '@shopify-tokens/core'
import type { NextFunction, Request, RequestHandler, Response } from 'express'
import { refuse } from './error-response.js'
import { noteInFront } from './in-front.js'
import {
  type EnvironmentTokens,
  type GivenTokens,
  type ManagedTokens,
  parseOptions,
  type RequestSettings,
  type ShopifyTokensOptions,
} from './options.js'
import { OwnRoutes } from './own-routes.js'
import { runRest } from './run-rest.js'
import { factsOf } from './shop-of.js'

/** The middleware that {@link shopifyTokens} makes. */
export interface ShopifyTokensMiddleware<Tokens extends RequestTokenSource = TokenManager> extends RequestHandler {
  /**
   * The source of tokens, once it can serve; requests wait for it by themselves. Rejects when the store cannot be opened:
   * requests are then answered with 503 and try again. May be left alone: it is never an unhandled rejection.
   */
  readonly ready: Promise<Tokens>
  /**
   * The same for what serves no shop's request: a promise only until the store is open. Rejects while it cannot be opened;
   * a later call tries again.
   */
  tokens(): Tokens | Promise<Tokens>
  /** Closes what the middleware has opened: the manager, as `TokenManager.close` says, and its store. Not a source that was given. */
  close(): Promise<void>
}

/**
 * Middleware that gives every request its shop's working Admin API token as `req.shopify`, and runs the rest of the
 * request with that shop at hand (`currentShop()`, `currentAccess()`).
 *
 * The shop comes from a verified session token, or from the app's own `shopOf`. A shop without a record, or with a dead
 * one, is acquired on the spot when there is a session token. Failures are answered as `application/problem+json`: 401
 * makes App Bridge fetch a new session token, 403 sends the merchant through authorization, 503 says when to come back.
 *
 * Without `tokens` or `store` the configuration comes from environment variables (`ENVIRONMENT_VARIABLES`), and the store
 * is opened at once, in the background; `@shopify-tokens/typeorm-store` must be installed then.
 *
 * ```ts
 * app.use(shopifyTokens())
 * app.get('/products', async (req, res) => {
 *   res.json(await req.shopify.graphql('{ products(first: 10) { nodes { title } } }'))
 * })
 * ```
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for a wrong option, and for missing environment variables, all at once.
 * @see Shopify: "Session tokens"
 */
export function shopifyTokens<Tokens extends RequestTokenSource>(
  options: GivenTokens<Tokens>,
): ShopifyTokensMiddleware<Tokens>
export function shopifyTokens(options?: ManagedTokens | EnvironmentTokens): ShopifyTokensMiddleware
export function shopifyTokens<Tokens extends RequestTokenSource>(
  options?: ShopifyTokensOptions<Tokens>,
): ShopifyTokensMiddleware<Tokens | TokenManager>
export function shopifyTokens(options: ShopifyTokensOptions = {}): ShopifyTokensMiddleware<RequestTokenSource> {
  const { settings, source } = parseOptions(options)
  // The one place that knows a database, and only when nothing else was given.
  const tokens = chooseRequestTokens(source, () => import('@shopify-tokens/typeorm-store/from-environment'))
  const ready = tokens.ready()
  ready.catch(() => undefined)
  const routes = new OwnRoutes()
  const middleware: RequestHandler = (request, response, next) => {
    routes.warnIfLate(request)
    void serve(tokens, settings, request, response, next)
  }
  routes.belongTo(middleware)
  return Object.assign(middleware, { ready, tokens: () => tokens.get(), close: () => tokens.close() })
}

async function serve(
  tokens: RequestTokens,
  settings: RequestSettings,
  request: Request,
  response: Response,
  next: NextFunction,
): Promise<void> {
  const gone = new AbortController()
  const onClose = (): void => {
    gone.abort()
  }
  response.once('close', onClose)
  // Somebody else may have answered in the meantime: a time-out, say.
  const isOver = (): boolean => gone.signal.aborted || response.writableEnded
  let access: RequestAccess
  try {
    access = await open(tokens, settings, request, gone.signal)
  } catch (error) {
    if (!isOver()) refuse(error, { settings, request, response, next })
    return
  } finally {
    response.off('close', onClose)
  }
  if (isOver()) return
  request.shopify = access
  noteInFront(request, { settings })
  runRest(access, request, next)
}

async function open(
  tokens: RequestTokens,
  { shopOf, lazy }: RequestSettings,
  request: Request,
  signal: AbortSignal,
): Promise<RequestAccess> {
  const shop = await shopOf?.(request)
  return openRequest(await tokens.get(), factsOf(request), { shop, lazy, signal })
}
