import type { Credential } from '../oauth/grants.js'
import { type Exchange, presentCredential } from '../oauth/token-endpoint.js'
import type { Shop } from '../shop.js'
import { retryDelayMs } from './backoff.js'
import type { Announced, Row } from './row.js'
import type { RunContext } from './run-context.js'

/** First cap of the jittered pause between two requests. */
export const RETRY_BASE_MS = 200

export interface Presented extends Exchange {
  /** How many requests were sent. */
  readonly requests: number
}

/**
 * Presents an announced credential until the answer is worth acting on, the retry budget is spent, the lease would not
 * outlast another request, or the manager closes. A lost answer is repeated with the same credential
 * (R8 in docs/shopify-protocol.md), unless it is an authorization code.
 */
export async function present(
  context: RunContext,
  row: Row,
  shop: Shop,
  credential: Credential,
  announced: Announced,
): Promise<Presented> {
  const { breaker, clock, closing, durations, endpoint, events, fleet, random, time } = context
  for (let requests = 1; ; requests++) {
    const exchange = await presentCredential(endpoint, shop, credential)
    const { answer, requestId } = exchange
    // An error page may come from something in front of Shopify, and with it the time.
    if (answer.outcome !== 'transient') time.learn(exchange.dateHeader, exchange.sentAt, exchange.answeredAt)
    if (answer.outcome === 'unavailable' && !answer.understood) {
      events.emit({ type: 'answer.unknown', shop, status: answer.status, error: answer.error, requestId })
    }
    if (answer.outcome === 'granted') fleet.lives(shop)
    if (answer.outcome !== 'transient') {
      // What nobody understands may come from something in front of Shopify.
      if (answer.outcome !== 'unavailable' || answer.understood) breaker.succeeded()
      return { ...exchange, requests }
    }
    if (answer.status === undefined || answer.status >= 400) breaker.failed(shop)
    if (!answer.conclusive) row.leaveInDoubt(announced)
    // A second answer to a code would be a refusal, whatever became of the first.
    if (credential.grant === 'code') return { ...exchange, requests }

    const delay = retryDelayMs(requests, RETRY_BASE_MS, answer.retryAfterMs, random)
    const spent = clock.monotonic() - announced.at + delay
    const leaseLeft = durations.leaseMs - spent
    if (spent > durations.retryBudgetMs || leaseLeft <= durations.requestTimeoutMs) return { ...exchange, requests }
    const slept = await clock.sleep(delay, closing).then(
      () => true,
      () => false,
    )
    if (!slept) return { ...exchange, requests }
  }
}
