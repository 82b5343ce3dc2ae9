import { errorAnswer, errorReply, isShopifyTokenError, type ShopifyTokenError } from '@shopify-tokens/core'
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, type Type } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { throwError } from 'rxjs'
import type { AuthRoutes } from './auth-routes.js'
import type { RequestSettings } from './module-options.js'
import { AUTH_ROUTES, REQUEST_SETTINGS } from './providers.js'
import { factsOf } from './request-of.js'
import { sendReply } from './send-reply.js'

/** `@Catch` compares by `instanceof`; the brand also knows errors that another copy of the package has made. */
const OUR_ERRORS = { [Symbol.hasInstance]: isShopifyTokenError } as unknown as Type<ShopifyTokenError>

/**
 * Answers this project's errors, whether the interceptor or a handler met them, and no others.
 *
 * - HTTP, on any platform: `application/problem+json`; 401 makes App Bridge fetch a new session token, 403 sends the
 *   merchant through authorization, 503 says when to come back. With the option `auth`, documents are sent where the
 *   trouble can be mended.
 * - GraphQL: an error with the code and the HTTP status in its `extensions`.
 * - Microservices, and the `exception` event of WebSockets: `{ status: 'error', message, code }`.
 *
 * The module puts it up for the whole application unless it is told not to (`exceptionFilter: false`); then
 * `@UseFilters(ShopifyTokensExceptionFilter)` does for one controller. No answer holds a stack or a secret.
 */
@Catch(OUR_ERRORS)
export class ShopifyTokensExceptionFilter implements ExceptionFilter<ShopifyTokenError> {
  readonly #adapters: HttpAdapterHost
  readonly #settings: RequestSettings
  readonly #routes: AuthRoutes | null

  constructor(
    @Inject(HttpAdapterHost) adapters: HttpAdapterHost,
    @Inject(REQUEST_SETTINGS) settings: RequestSettings,
    @Inject(AUTH_ROUTES) routes: AuthRoutes | null,
  ) {
    this.#adapters = adapters
    this.#settings = settings
    this.#routes = routes
  }

  catch(error: ShopifyTokenError, host: ArgumentsHost): unknown {
    const answer = errorAnswer(error, this.#settings)
    if (answer === null) throw error
    const { code, status, title } = answer.body
    const message = { status: 'error', message: title, code }
    switch (host.getType<string>()) {
      case 'http':
        this.#reply(error, host)
        return undefined
      case 'rpc':
        return throwError(() => message)
      case 'ws':
        tell(host.switchToWs().getClient(), message)
        return undefined
      default:
        throw Object.assign(new Error(title, { cause: error }), { extensions: { code, status } })
    }
  }

  #reply(error: ShopifyTokenError, host: ArgumentsHost): void {
    const auth = this.#routes?.flow
    const { authPath, embedded } = auth ?? { authPath: this.#settings.authPath }
    const reply = errorReply(error, factsOf(host), { authPath, embedded, documents: auth !== undefined })
    const adapter = this.#adapters.httpAdapter
    const response: unknown = host.switchToHttp().getResponse()
    if (reply === null) throw error
    if (adapter.isHeadersSent(response)) adapter.end(response)
    else sendReply(adapter, response, reply)
  }
}

/** As Nest's own filter does: `emit` of a native WebSocket would stay in this process. */
function tell(client: WebSocketClient, data: object): void {
  if (typeof client.readyState === 'number') client.send?.(JSON.stringify({ event: 'exception', data }))
  else client.emit?.('exception', data)
}

interface WebSocketClient {
  readonly readyState?: unknown
  send?(text: string): void
  emit?(event: string, data: object): void
}
