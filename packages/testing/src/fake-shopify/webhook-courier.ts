import type { FakeWebhook } from './webhook.js'

/** How {@link FakeShopify.deliverWebhook} delivers. */
export interface DeliveryOptions {
  /** How often a delivery that failed is repeated. Default 0; Shopify repeats 8 times, over four hours. */
  readonly retries?: number | undefined
  /** How long the app has for its answer, in milliseconds. Default 5 000, as Shopify gives it. */
  readonly timeoutMs?: number | undefined
}

/** The app's answer to one delivery: its status, `null` when none came in time. */
export type DeliveryStatus = number | null

const PATIENCE_MS = 5000

/**
 * Posts a webhook, and posts it again, the same bytes at once, until an answer is 2xx or the retries are used up.
 * Resolves with what each delivery brought. A redirect is a failure and is not followed. Rejects with a `TypeError` when
 * `url` is none.
 *
 * @see Shopify page "Troubleshooting webhooks"; changelog of 2024-09-10 ("Updates to webhook retry mechanism")
 */
export async function deliverWebhook(
  send: typeof globalThis.fetch,
  url: string,
  { headers, body }: FakeWebhook,
  { retries = 0, timeoutMs = PATIENCE_MS }: DeliveryOptions,
): Promise<DeliveryStatus[]> {
  const address = new URL(url)
  const statuses: DeliveryStatus[] = []
  do {
    statuses.push(await delivered(send, address, { method: 'POST', headers, body, redirect: 'manual' }, timeoutMs))
  } while (!succeeded(statuses.at(-1)) && statuses.length <= retries)
  return statuses
}

async function delivered(
  send: typeof globalThis.fetch,
  address: URL,
  init: RequestInit,
  timeoutMs: number,
): Promise<DeliveryStatus> {
  try {
    const response = await send(address, { ...init, signal: AbortSignal.timeout(timeoutMs) })
    await response.arrayBuffer()
    return response.status
  } catch {
    return null
  }
}

function succeeded(status: DeliveryStatus | undefined): boolean {
  return typeof status === 'number' && status >= 200 && status < 300
}
