import { InvalidOptionError, type TokenManager, WebhookReceiver } from '@shopify-tokens/core'
import type { OnModuleInit } from '@nestjs/common'
import type { DiscoveryService } from '@nestjs/core'
import type { ShopifyTokensModuleExtras } from './module-options.js'
import { webhookHandlers } from './webhook-handlers.js'

/** Takes webhooks to the methods that `@ShopifyWebhook` marks. They are looked for when all providers are there. */
export class WebhookRoutes implements OnModuleInit {
  readonly #tokens: TokenManager
  readonly #extras: ShopifyTokensModuleExtras
  readonly #discovery: DiscoveryService
  #receiver: WebhookReceiver | undefined

  constructor(tokens: TokenManager, extras: ShopifyTokensModuleExtras, discovery: DiscoveryService) {
    this.#tokens = tokens
    this.#extras = extras
    this.#discovery = discovery
  }

  /** @throws InvalidOptionError `ERR_INVALID_OPTION` for a topic that is none, and for handlers that nothing would call. */
  onModuleInit(): void {
    const { webhooks, isGlobal = true } = this.#extras
    const handlers = webhookHandlers(this.#discovery, webhooks?.modules)
    if (webhooks !== undefined) {
      this.#receiver = new WebhookReceiver(this.#tokens, { handlers, onError: webhooks.onError })
    } else if (isGlobal && Object.keys(handlers).length > 0) {
      const why = '@ShopifyWebhook needs the option webhooks of ShopifyTokensModule, {} at least.'
      throw new InvalidOptionError(why, ['webhooks'])
    }
  }

  get receiver(): WebhookReceiver {
    if (this.#receiver !== undefined) return this.#receiver
    throw new TypeError('Webhooks are received once the application has been initialized.')
  }
}
