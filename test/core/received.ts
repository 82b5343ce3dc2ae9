import type { HttpReply, TokenManager, WebhookOptions, WebhookRequest } from '@shopify-tokens/core'
import { WebhookReceiver } from '@shopify-tokens/core'
import type { FakeWebhook } from '@shopify-tokens/testing'

/** A webhook as a framework hands it on, with headers changed, or taken out by `undefined`. */
export function requestOf(
  { headers, body }: FakeWebhook,
  changed: Readonly<Record<string, string | undefined>> = {},
): WebhookRequest {
  return { headers: { ...headers, ...changed }, rawBody: Buffer.from(body), bodyWasParsed: false }
}

/** The answer to one webhook, by a process of its own. */
export function received(
  tokens: TokenManager,
  webhook: FakeWebhook,
  handlers: WebhookOptions['handlers'] = {},
): Promise<HttpReply> {
  return new WebhookReceiver(tokens, { handlers, onError: () => undefined }).receive(requestOf(webhook))
}
