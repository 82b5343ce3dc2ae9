import type { ServerResponse } from 'node:http'
import { errorAnswer, type HttpAnswer, parseAuthPath, refuseUnknownOptions } from '@shopify-tokens/core'
import type { ErrorRequestHandler } from 'express'

export interface ShopifyTokensErrorHandlerOptions {
  /** The app's path that begins authorization. Default `/auth`. */
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
  const authPath = parseAuthPath(options.authPath)
  return (error, _request, response, next) => {
    const answer = response.headersSent ? null : errorAnswer(error, { authPath })
    if (answer === null) next(error)
    else sendAnswer(response, answer)
  }
}

/** Sends an answer as `application/problem+json`. */
export function sendAnswer(response: ServerResponse, { status, headers, body }: HttpAnswer): void {
  response.statusCode = status
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, together(response, name, value))
  response.setHeader('content-type', 'application/problem+json')
  response.end(JSON.stringify(body))
}

/** What the app's CORS middleware exposes stays exposed. */
function together(response: ServerResponse, name: string, value: string): string {
  const present = name === 'access-control-expose-headers' ? response.getHeader(name) : undefined
  return present === undefined ? value : `${String(present)}, ${value}`
}
