import { createHash } from 'node:crypto'
import { WebhookBodyParsedError } from '../errors.js'
import { parseShop, type Shop } from '../shop.js'
import type { AppSignatures } from './app-signatures.js'
import { readWebhookHeaders, type WebhookHeaders } from './webhook-headers.js'

/** Larger than any webhook of Shopify that we know of; whoever reads the body for us may stop there. */
export const MAX_WEBHOOK_BYTES = 8 * 1024 * 1024

/** A request as webhooks need it. */
export interface WebhookRequest {
  /** Names in lower case, as Node.js gives them. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  /** The bytes of the body as they came: those are what Shopify has signed. `undefined`: not at hand. */
  readonly rawBody: Uint8Array | undefined
  /** Whether a body parser has read the body before us. */
  readonly bodyWasParsed: boolean
}

/** A webhook that Shopify has signed for this app. */
export interface WebhookDelivery {
  /** As Shopify writes it: `app/uninstalled`, `orders/create`. Not signed. */
  readonly topic: string
  readonly shop: Shop
  /**
   * Whether the signed body names the shop. Where it does not, the shop is what the header says, and whoever gets hold of
   * one body can send it again in the name of another shop.
   */
  readonly shopIsSigned: boolean
  /** The same for every repetition of this delivery. Not signed. */
  readonly id: string
  /** The same for every subscription that hears of this event. Not signed. */
  readonly eventId: string | undefined
  /** When the event happened, in epoch milliseconds of Shopify's clock; `undefined`: not told. Not signed. */
  readonly triggeredAt: number | undefined
  /** The API version by which the payload is written. Not signed. */
  readonly apiVersion: string | undefined
  /** The body, parsed as JSON. */
  readonly payload: unknown
  readonly rawBody: Uint8Array
}

/** As Shopify writes it, such as `app/uninstalled` or `customer.tags_added`; `ProductVariant` among its Events. */
export const WEBHOOK_TOPIC = /^(?=.{1,128}$)(?:[a-z0-9_]+(?:[./][a-z0-9_]+)+|(?:[A-Z][a-z]+)+)$/

/** Where the signed body names the shop. @see Shopify: "Privacy law compliance", "Webhooks" (payloads) */
const SIGNED_SHOPS: ReadonlyMap<string, string> = new Map([
  ['app/uninstalled', 'myshopify_domain'],
  ['shop/update', 'myshopify_domain'],
  ['shop/redact', 'shop_domain'],
  ['customers/redact', 'shop_domain'],
  ['customers/data_request', 'shop_domain'],
])

/** Visible characters; a comma would stand between the values of a header that came twice. */
const ID = /^[!-+\--~]{1,512}$/
const VERSION = /^[a-z0-9-]{1,32}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/

/**
 * What a webhook says, once it has proved that Shopify has signed its body for this app. Needs no token and no store; does
 * no I/O. A webhook that is refused raises `webhook.refused`.
 *
 * @throws InvalidWebhookError `ERR_INVALID_WEBHOOK`
 * @throws WebhookBodyParsedError `ERR_WEBHOOK_BODY_PARSED`
 * @see Shopify: "Verify webhooks"; docs/shopify-protocol.md, "Webhooks"
 */
export function verifyWebhook(request: WebhookRequest, signatures: AppSignatures): WebhookDelivery {
  const { rawBody } = request
  if (rawBody === undefined && request.bodyWasParsed) throw new WebhookBodyParsedError()
  if (rawBody === undefined) throw signatures.refuseWebhook('malformed')
  if (rawBody.byteLength > MAX_WEBHOOK_BYTES) throw signatures.refuseWebhook('too-large')
  const headers = readWebhookHeaders(request.headers)
  if (headers === null) throw signatures.refuseWebhook('headers')
  if (!signatures.verifyWebhook(rawBody, headers.hmac)) throw signatures.refuseWebhook('signature')
  return read(headers, rawBody, signatures)
}

/** What a signed webhook says. */
function read(headers: WebhookHeaders, rawBody: Uint8Array, signatures: AppSignatures): WebhookDelivery {
  const { topic, eventId, triggeredAt, apiVersion } = headers
  if (topic === undefined || !WEBHOOK_TOPIC.test(topic)) throw signatures.refuseWebhook('headers')
  const { id = digest(topic, rawBody) } = headers
  if (!ID.test(id)) throw signatures.refuseWebhook('headers')
  const payload = parsed(rawBody)
  if (payload === undefined) throw signatures.refuseWebhook('malformed')
  const signedShop = SIGNED_SHOPS.get(topic)
  const shop = signedShop === undefined ? shopIn(headers.shop) : shopIn(fieldOf(payload, signedShop))
  if (shop === null) throw signatures.refuseWebhook('shop')
  if (headers.shop !== undefined && shopIn(headers.shop) !== shop) throw signatures.refuseWebhook('shop')
  return {
    ...{ topic, shop, shopIsSigned: signedShop !== undefined, id },
    eventId: eventId !== undefined && ID.test(eventId) ? eventId : undefined,
    triggeredAt: triggeredAt !== undefined && INSTANT.test(triggeredAt) ? instantOf(triggeredAt) : undefined,
    apiVersion: apiVersion !== undefined && VERSION.test(apiVersion) ? apiVersion : undefined,
    ...{ payload, rawBody },
  }
}

/** Names a webhook that has no id: what was sent again is the same to the byte. */
function digest(topic: string, rawBody: Uint8Array): string {
  return `sha256:${createHash('sha256').update(`${topic}\0`).update(rawBody).digest('hex')}`
}

/** `undefined`: no JSON. */
function parsed(rawBody: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(rawBody))
  } catch {
    return undefined
  }
}

/** Any JSON has fields or none. */
function fieldOf(payload: unknown, name: string): unknown {
  return (payload as Readonly<Record<string, unknown>> | null)?.[name]
}

function shopIn(value: unknown): Shop | null {
  try {
    return parseShop(value)
  } catch {
    return null
  }
}

function instantOf(text: string): number | undefined {
  const instant = Date.parse(text)
  return Number.isSafeInteger(instant) && instant >= 0 ? instant : undefined
}
