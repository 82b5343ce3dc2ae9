import { errorAnswer, type HttpAnswer, isShopifyTokenError, type ShopifyTokenError } from '@shopify-tokens/core'
import { type ArgumentsHost, Catch, type ExceptionFilter, Inject, type Type } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { throwError } from 'rxjs'
import type { RequestSettings } from './module-options.js'
import { REQUEST_SETTINGS } from './providers.js'

/** `@Catch` compares by `instanceof`; the brand also knows errors that another copy of the package has made. */
const OUR_ERRORS = { [Symbol.hasInstance]: isShopifyTokenError } as unknown as Type<ShopifyTokenError>

/**
 * Answers this project's errors, whether the interceptor or a handler met them, and no others.
 *
 * - HTTP, on any platform: `application/problem+json`; 401 makes App Bridge fetch a new session token, 403 sends the
 *   merchant through authorization, 503 says when to come back.
 * - GraphQL: an error with the code and the HTTP status in its `extensions`.
 * - Microservices, and the `exception` event of WebSockets: `{ status: 'error', message, code }`.
 *
 * The module puts it up for the whole application unless it is told not to (`exceptionFilter: false`); then
 * `@UseFilters(ShopifyTokensExceptionFilter)` does for one controller. No answer holds a stack or a secret.
 */
@Catch(OUR_ERRORS)
export class ShopifyTokensExceptionFilter implements ExceptionFilter<ShopifyTokenError> {
  readonly #adapters: HttpAdapterHost
  readonly #authPath: string

  constructor(
    @Inject(HttpAdapterHost) adapters: HttpAdapterHost,
    @Inject(REQUEST_SETTINGS) { authPath }: RequestSettings,
  ) {
    this.#adapters = adapters
    this.#authPath = authPath
  }

  catch(error: ShopifyTokenError, host: ArgumentsHost): unknown {
    const answer = errorAnswer(error, { authPath: this.#authPath })
    if (answer === null) throw error
    const { code, status, title } = answer.body
    const message = { status: 'error', message: title, code }
    switch (host.getType<string>()) {
      case 'http':
        this.#reply(answer, host.switchToHttp().getResponse())
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

  #reply({ status, headers, body }: HttpAnswer, response: unknown): void {
    const adapter = this.#adapters.httpAdapter
    if (adapter.isHeadersSent(response)) {
      adapter.end(response)
      return
    }
    for (const [name, value] of Object.entries(headers)) {
      adapter.setHeader(response, name, name === EXPOSED ? this.#together(response, value) : value)
    }
    adapter.setHeader(response, 'content-type', 'application/problem+json')
    adapter.reply(response, JSON.stringify(body), status)
  }

  /** What the application's CORS settings expose stays exposed. */
  #together(response: unknown, value: string): string {
    const present: unknown = this.#adapters.httpAdapter.getHeader(response, EXPOSED)
    return typeof present === 'string' ? `${present}, ${value}` : value
  }
}

const EXPOSED = 'access-control-expose-headers'

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
