import { runInRequest } from '@shopify-tokens/core'
import { type CallHandler, type ExecutionContext, Inject, Injectable, type NestInterceptor } from '@nestjs/common'
import { Reflector } from '@nestjs/core'
import { Observable } from 'rxjs'
import { WITHOUT_SHOPIFY } from './providers.js'
import { RequestOpener } from './request-opener.js'

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
  readonly #requests: RequestOpener
  readonly #reflector: Reflector

  constructor(@Inject(RequestOpener) requests: RequestOpener, @Inject(Reflector) reflector: Reflector) {
    this.#requests = requests
    this.#reflector = reflector
  }

  async intercept(context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    if (this.#isExempt(context)) return next.handle()
    const access = await this.#requests.open(context)
    // Nest calls the handler on subscription, so that is what has to happen in the context.
    return new Observable((subscriber) => runInRequest(access, () => next.handle().subscribe(subscriber)))
  }

  #isExempt(context: ExecutionContext): boolean {
    const marked = [context.getHandler(), context.getClass()]
    return this.#reflector.getAllAndOverride<true | undefined>(WITHOUT_SHOPIFY, marked) === true
  }
}
