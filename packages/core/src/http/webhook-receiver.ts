import type { WebhookDelivery, WebhookRequest } from '../oauth/webhook.js'
import type { HttpReply } from './http-reply.js'
import type { ManagerSource } from './manager-source.js'

export interface WebhookOptions {
  /**
   * The app's own work by topic, as Shopify writes it: `app/uninstalled`, `orders/create`. Awaited; Shopify gives up
   * after five seconds and delivers again. May run more than once for one delivery, never at the same time.
   */
  readonly handlers?: Readonly<Record<string, (delivery: WebhookDelivery) => unknown>> | undefined
  /** Hears what a handler threw. Default: a process warning without the message, which may hold anything. */
  readonly onError?: ((error: unknown, delivery: WebhookDelivery) => unknown) | undefined
}

/** Answers webhooks. */
export class WebhookReceiver {
  /** @throws InvalidOptionError `ERR_INVALID_OPTION` */
  constructor(_tokens: ManagerSource, _options: WebhookOptions = {}) {
    // Filled next.
  }

  /** Resolves with the answer; never rejects. */
  receive(_request: WebhookRequest): Promise<HttpReply> {
    return Promise.resolve({ status: 501, headers: { 'content-type': 'text/plain' }, body: '' })
  }
}
