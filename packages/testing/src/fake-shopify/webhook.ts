import { createHmac, randomUUID } from 'node:crypto'

/** Options of {@link FakeShopify.webhook}. */
export interface FakeWebhookOptions {
  /** What the body says. Default: what Shopify sends with the topics that concern tokens, `{ id: 1 }` with others. */
  readonly payload?: unknown
  /** `X-Shopify-Triggered-At` in epoch milliseconds; `null`: no such header. Default: this moment. */
  readonly triggeredAt?: number | null | undefined
  /** `X-Shopify-Webhook-Id`, the same in every delivery of one webhook. Default: a new one. */
  readonly webhookId?: string | undefined
  /** The client secret that signs. Default: the oldest active one, as Shopify signs. */
  readonly secret?: string | undefined
  /** Which of the two header sets: `X-Shopify-Topic`, `Shopify-Topic`, or both. Default `'prefixed'`. */
  readonly headers?: WebhookHeaderSet | undefined
}

/** @see "Webhooks" in docs/shopify-protocol.md */
export type WebhookHeaderSet = 'prefixed' | 'unprefixed' | 'both'

/** A webhook as Shopify posts it. */
export interface FakeWebhook {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** JSON; its bytes are what is signed. */
  readonly body: string
}

/** What Shopify knows when something happens to a shop. */
export interface WebhookFacts {
  readonly topic: string
  readonly shop: string
  /** The scopes that the shop has granted. */
  readonly scopes: readonly string[]
  readonly now: number
  /** The client secret that signs unless the options name another. */
  readonly secret: string
}

const API_VERSION = '2026-10'
const PREFIXES: Readonly<Record<WebhookHeaderSet, readonly string[]>> = {
  prefixed: ['x-shopify-'],
  unprefixed: ['shopify-'],
  both: ['x-shopify-', 'shopify-'],
}

/** Makes a webhook: only the body is signed, base64 HMAC-SHA256 with a client secret ("Webhooks" in docs/shopify-protocol.md). */
export function makeWebhook(facts: WebhookFacts, options: FakeWebhookOptions): FakeWebhook {
  const {
    payload = payloadOf(facts),
    triggeredAt = facts.now,
    webhookId = randomUUID(),
    secret = facts.secret,
  } = options
  const body = JSON.stringify(payload)
  const told = {
    topic: facts.topic,
    'hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
    'shop-domain': facts.shop,
    'api-version': API_VERSION,
    'webhook-id': webhookId,
    'event-id': randomUUID(),
    ...(triggeredAt === null ? {} : { 'triggered-at': new Date(triggeredAt).toISOString() }),
  }
  const prefixes = PREFIXES[options.headers ?? 'prefixed']
  const named = prefixes.flatMap((prefix) => Object.entries(told).map(([name, value]) => [prefix + name, value]))
  const headers = { 'content-type': 'application/json', 'user-agent': 'Shopify-Captain-Hook' }
  return { headers: { ...headers, ...(Object.fromEntries(named) as Record<string, string>) }, body }
}

/** @see Shopify pages "Webhooks" and "Privacy law compliance" */
function payloadOf({ topic, shop, scopes, now }: WebhookFacts): unknown {
  const name = shop.slice(0, shop.indexOf('.'))
  const redacted = { shop_id: 1, shop_domain: shop }
  const customer = { id: 1, email: 'customer@example.com', phone: null }
  switch (topic) {
    case 'app/uninstalled':
      return { id: 1, name, domain: shop, myshopify_domain: shop }
    case 'shop/redact':
      return redacted
    case 'customers/redact':
      return { ...redacted, customer, orders_to_redact: [] }
    case 'customers/data_request':
      return { ...redacted, customer, orders_requested: [], data_request: { id: 1 } }
    case 'app/scopes_update':
      return { id: 1, previous: scopes, current: scopes, updated_at: new Date(now).toISOString() }
    default:
      return { id: 1 }
  }
}
