import type { Readable } from 'node:stream'
import { type ParsedBody, rawBodyOf } from '@shopify-tokens/core'
import { Inject, Post, Req, Res } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import { WithoutShopify } from './decorators.js'
import type { HttpRequest } from './request-of.js'
import { sendReply } from './send-reply.js'
import { WebhookRoutes } from './webhook-routes.js'

/** A request with the body that a parser, if there is one, has left. */
type WebhookPost = HttpRequest & ParsedBody & (Readable | { readonly raw: Readable })

/** Where webhooks arrive. The module makes a controller of it when the option `webhooks` is given. */
@WithoutShopify()
export class ShopifyWebhooksController {
  readonly #routes: WebhookRoutes
  readonly #adapters: HttpAdapterHost

  constructor(@Inject(WebhookRoutes) routes: WebhookRoutes, @Inject(HttpAdapterHost) adapters: HttpAdapterHost) {
    this.#routes = routes
    this.#adapters = adapters
  }

  // Below it too, as in /webhooks/app/uninstalled. No wildcard is written the same on every platform.
  @Post(['', ':above', ':above/:below'])
  async receive(@Req() request: WebhookPost, @Res() response: unknown): Promise<void> {
    const body = await rawBodyOf('raw' in request ? request.raw : request, request)
    const reply = await this.#routes.receiver.receive({ headers: request.headers ?? {}, ...body })
    sendReply(this.#adapters.httpAdapter, response, reply)
  }
}
