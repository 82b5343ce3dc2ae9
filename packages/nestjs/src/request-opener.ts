import { openRequest, type RequestAccess } from '@shopify-tokens/core'
import { type ExecutionContext, HttpException, Inject, Injectable } from '@nestjs/common'
import type { RequestSettings } from './module-options.js'
import { REQUEST_SETTINGS } from './providers.js'
import { callOf, factsOf, responseOf } from './request-of.js'
import { ShopifyTokens } from './shopify-tokens.js'

/** Finds the shop of a call and a token that works: once, whether a guard or an interceptor asks first. */
@Injectable()
export class RequestOpener {
  readonly #tokens: ShopifyTokens
  readonly #settings: RequestSettings
  readonly #opened = new WeakMap<object, Promise<RequestAccess>>()

  constructor(@Inject(ShopifyTokens) tokens: ShopifyTokens, @Inject(REQUEST_SETTINGS) settings: RequestSettings) {
    this.#tokens = tokens
    this.#settings = settings
  }

  open(context: ExecutionContext): Promise<RequestAccess> {
    const call = callOf(context)
    const opened = call === undefined ? undefined : this.#opened.get(call)
    if (opened !== undefined) return opened
    const opening = this.#open(context)
    if (call !== undefined) this.#opened.set(call, opening)
    return opening
  }

  async #open(context: ExecutionContext): Promise<RequestAccess> {
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
