import type { Shop } from '../shop.js'

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
  /** The same for every repetition of a delivery. */
  readonly id: string
  /** When the event happened, in epoch milliseconds of Shopify's clock; `undefined`: not told. Not signed. */
  readonly triggeredAt: number | undefined
  /** The API version by which the payload is written. Not signed. */
  readonly apiVersion: string | undefined
  /** The body, parsed as JSON. */
  readonly payload: unknown
  readonly rawBody: Uint8Array
}
