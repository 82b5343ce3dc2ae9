import { openRequest, type RequestAccess, runInRequest } from '@shopify-tokens/core'
import {
  type CallHandler,
  type ExecutionContext,
  HttpException,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { Observable } from 'rxjs'
import type { RequestSettings } from './module-options.js'
import { REQUEST_SETTINGS, WITHOUT_SHOPIFY } from './providers.js'
import { factsOf, responseOf } from './request-of.js'
import { ShopifyTokens } from './shopify-tokens.js'

/**
 * Finds the shop of a request and a token that works before the handler runs, and runs the handler with that shop at
 * hand: for `@ShopifyAccess()`, `@CurrentShop()`, and `currentShop()` and `currentAccess()` in anything that the handler
 * calls or awaits.
 *
 * ```ts
 * @UseInterceptors(ShopifyTokenInterceptor) // one controller
 * { provide: APP_INTERCEPTOR, useExisting: ShopifyTokenInterceptor } // all of them, but for `@WithoutShopify()`
 * ```
 *
 * Rejects with the errors of `TokenManager.token`, with `ERR_INVALID_SESSION_TOKEN` and with `ERR_INVALID_SHOP`; the
 * module's exception filter answers them. A client that goes away ends its wait, and never a renewal.
 */
@Injectable()
export class ShopifyTokenInterceptor implements NestInterceptor {
  readonly #tokens: ShopifyTokens
  readonly #settings: RequestSettings
  readonly #reflector: Reflector

  constructor(
    @Inject(ShopifyTokens) tokens: ShopifyTokens,
    @Inject(REQUEST_SETTINGS) settings: RequestSettings,
    @Inject(Reflector) reflector: Reflector,
  ) {
    this.#tokens = tokens
    this.#settings = settings
    this.#reflector = reflector
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (this.#isExempt(context)) return next.handle()
    const access = await this.#access(context)
    // Nest calls the handler on subscription, so that is what has to happen in the context.
    return new Observable((subscriber) => runInRequest(access, () => next.handle().subscribe(subscriber)))
  }

  #isExempt(context: ExecutionContext): boolean {
    const marked = [context.getHandler(), context.getClass()]
    return this.#reflector.getAllAndOverride<true | undefined>(WITHOUT_SHOPIFY, marked) === true
  }

  async #access(context: ExecutionContext): Promise<RequestAccess> {
    const response = responseOf(context)
    const gone = new AbortController()
    const onClose = (): void => {
      gone.abort(new ClientGone())
    }
    response?.once('close', onClose)
    try {
      const { shopOf, lazy } = this.#settings
      const shop = await shopOf?.(context)
      const access = await openRequest(this.#tokens, factsOf(context), { shop, lazy, signal: gone.signal })
      gone.signal.throwIfAborted()
      return access
    } finally {
      response?.off('close', onClose)
    }
  }
}

/** Nobody will read the answer; interceptors that count still need one. Nest reports no HTTP exception as a failure. */
class ClientGone extends HttpException {
  constructor() {
    super('Client Closed Request', 499)
  }
}
