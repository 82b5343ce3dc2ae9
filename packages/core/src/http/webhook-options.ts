import { invalidOption, refuseUnknownOptions } from '../option-checks.js'
import { WEBHOOK_TOPIC, type WebhookDelivery } from '../oauth/webhook.js'

/** The app's own work for a webhook. */
export type WebhookHandler = (delivery: WebhookDelivery) => unknown

/** What an app does about webhooks. Unknown keys are refused. */
export interface WebhookOptions {
  /**
   * The app's own work by topic, as Shopify writes it: `app/uninstalled`, `orders/create`. It is awaited, and the answer
   * is 200 once it has ended. Shopify waits for five seconds and then sends the webhook again, so put long work into a
   * queue. At least once: it runs again after it has failed, or when its process has died.
   */
  readonly handlers?: Readonly<Record<string, WebhookHandler>> | undefined
  /**
   * Hears why a webhook was not done, so that Shopify sends it again: what its handler threw, or an error of ours. Default: a
   * process warning that names the topic and the error, without its message, which may hold anything.
   */
  readonly onError?: ((error: unknown, delivery: WebhookDelivery) => unknown) | undefined
}

/** {@link WebhookOptions} after they have been checked. */
export interface WebhookSettings {
  readonly handlers: ReadonlyMap<string, WebhookHandler>
  readonly onError: (error: unknown, delivery: WebhookDelivery) => unknown
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` */
export function parseWebhookOptions(options: WebhookOptions): WebhookSettings {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('options', 'an object', options)
  refuseUnknownOptions(options, ['handlers', 'onError'])
  const { handlers = {}, onError = warn } = options
  if (typeof handlers !== 'object' || (handlers as unknown) === null) {
    throw invalidOption('handlers', 'an object of functions by topic', handlers)
  }
  if (typeof onError !== 'function') throw invalidOption('onError', 'a function', onError)
  for (const [topic, handler] of Object.entries(handlers)) {
    if (!WEBHOOK_TOPIC.test(topic)) throw invalidOption('handlers', 'keyed by topics such as app/uninstalled', topic)
    if (typeof handler !== 'function') throw invalidOption(`handlers['${topic}']`, 'a function', handler)
  }
  return { handlers: new Map(Object.entries(handlers)), onError }
}

function warn(error: unknown, { topic }: WebhookDelivery): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`A webhook was not done (${kind}) on ${topic}; Shopify sends it again.`, 'ShopifyTokensWarning')
}
