/** What the headers of a webhook say. None of it is signed. `undefined`: not told. */
export interface WebhookHeaders {
  readonly topic: string | undefined
  readonly shop: string | undefined
  readonly hmac: string | undefined
  readonly id: string | undefined
  readonly eventId: string | undefined
  readonly triggeredAt: string | undefined
  readonly apiVersion: string | undefined
}

const NAMES: Record<keyof WebhookHeaders, string> = {
  topic: 'topic',
  shop: 'shop-domain',
  hmac: 'hmac-sha256',
  id: 'webhook-id',
  eventId: 'event-id',
  triggeredAt: 'triggered-at',
  apiVersion: 'api-version',
}

/**
 * Reads the headers of a webhook, whichever of the two sets it carries. `null`: a header is given twice, or the sets
 * disagree, so that it is not known what is meant.
 *
 * @see Shopify: "Webhooks delivery structure", "Events delivery structure"
 */
export function readWebhookHeaders(headers: Readonly<Record<string, unknown>>): WebhookHeaders | null {
  const read: Partial<Record<string, string>> = {}
  for (const [field, name] of Object.entries(NAMES)) {
    const given = [headers[`x-shopify-${name}`], headers[`shopify-${name}`]].filter((value) => value !== undefined)
    const [value, other = value] = given
    if (value !== undefined && (typeof value !== 'string' || value !== other)) return null
    if (value !== '') read[field] = value
  }
  return read as unknown as WebhookHeaders
}
