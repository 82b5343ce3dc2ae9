import { errorReply, parseAuthPath, refuseUnknownOptions } from '@shopify-tokens/core'
import type { ErrorRequestHandler, NextFunction, Request, Response } from 'express'
import { inFrontOf } from './in-front.js'
import type { RequestSettings } from './options.js'
import { sendReply } from './send-reply.js'
import { factsOf } from './shop-of.js'

export interface ShopifyTokensErrorHandlerOptions {
  /** The app's path that begins authorization. Default `/auth`; behind `shopifyAuth()` that one's path counts. */
  readonly authPath?: string | undefined
}

/**
 * An error handler that answers this project's errors as {@link shopifyTokens} does, wherever in a handler they were
 * thrown: `graphql()` rejecting with `ERR_REAUTHORIZATION_REQUIRED` becomes 403 with the reauthorization headers, an
 * outage 503 with `Retry-After`. Other errors, and those that come after the headers were sent, go to the next handler.
 *
 * ```ts
 * app.use(shopifyTokens())
 * app.get('/products', …)
 * app.use(shopifyTokensErrorHandler())
 * ```
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function shopifyTokensErrorHandler(options: ShopifyTokensErrorHandlerOptions = {}): ErrorRequestHandler {
  refuseUnknownOptions(options, ['authPath'])
  const settings = { authPath: parseAuthPath(options.authPath), onError: 'answer' } as const
  return (error, request, response, next) => {
    refuse(error, { settings, request, response, next })
  }
}

interface Refused {
  readonly settings: Pick<RequestSettings, 'authPath' | 'onError'>
  readonly request: Request
  readonly response: Response
  readonly next: NextFunction
}

/** Answers an error of this project where that is wanted. Others, and those that come too late, go to the app. */
export function refuse(error: unknown, { settings, request, response, next }: Refused): void {
  const { auth } = inFrontOf(request)
  const { authPath, embedded } = auth ?? { authPath: settings.authPath }
  const options = { authPath, embedded, documents: auth !== undefined }
  const isOurs = settings.onError === 'answer' && !response.headersSent
  const reply = isOurs ? errorReply(error, factsOf(request), options) : null
  if (reply === null) next(error)
  else sendReply(response, reply)
}
