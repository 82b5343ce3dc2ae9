import { parseRoutePath, rawBodyOf, WebhookReceiver, type WebhookOptions } from '@shopify-tokens/core'
import type { RequestHandler } from 'express'
import { noteInFront } from './in-front.js'
import { managerSource, type RoutesOptions } from './manager-source.js'
import { ownRoutesOf } from './own-routes.js'
import { sendOrGoOn } from './send-reply.js'
import { pathOf } from './shop-of.js'

/** What {@link shopifyWebhooks} takes. Unknown keys are refused. */
export interface ShopifyWebhooksOptions extends WebhookOptions, RoutesOptions {
  /** The whole path at which webhooks arrive; they may also arrive below it. Default `/webhooks`. */
  readonly path?: string | undefined
}

/**
 * Answers the webhooks that Shopify POSTs to `path` and below: verified, each delivery once, and without a token. All
 * other requests go on. A shop that has uninstalled the app loses its tokens by itself; `handlers` do the app's own work.
 *
 * Mount it in front of body parsers, because Shopify signs the bytes of the body, and in front of {@link shopifyTokens},
 * because webhooks carry no session token. Behind a parser it takes the bytes from `req.rawBody`, where a `verify`
 * function may keep them, or from `req.body`, where `express.raw()` leaves them; else it answers 500 and explains
 * (`ERR_WEBHOOK_BODY_PARSED`).
 *
 * ```ts
 * app.use(shopifyWebhooks({
 *   tokens: shopify,
 *   handlers: { 'app/uninstalled': ({ shop }) => accounts.end(shop) },
 * }))
 * ```
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 * @see Shopify: "Verify webhook deliveries"
 */
export function shopifyWebhooks({ tokens, path, ...options }: ShopifyWebhooksOptions): RequestHandler {
  const receiver = new WebhookReceiver(managerSource(tokens), options)
  const at = parseRoutePath('path', path ?? '/webhooks').replace(/\/$/, '')
  ownRoutesOf(tokens)?.add(at, 'webhooks')
  return (request, response, next) => {
    noteInFront(request, { webhooks: true })
    if (request.method !== 'POST' || !`${pathOf(request)}/`.startsWith(`${at}/`)) {
      next()
      return
    }
    const { headers } = request
    const coming = rawBodyOf(request, request).then((body) => receiver.receive({ headers, ...body }))
    sendOrGoOn(coming, response, next)
  }
}
