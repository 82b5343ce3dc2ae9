/** How a delivery may be named: what comes from outside is shortened to this before it gets here. */
export const DELIVERY_ID = /^[!-~]{1,128}$/

/** Names something that an app has been given once and must do once: a webhook, an authorization code. */
export interface DeliveryKey {
  readonly clientId: string
  /** 1 to 128 printable ASCII characters without spaces; two that differ in their case are two. */
  readonly id: string
}

/**
 * - `run`: nobody has finished it and nobody is at it; `claim` proves that it is the caller's now.
 * - `running`: somebody has begun less than a lease ago and has not come back.
 * - `done`: somebody has finished it; for good.
 */
export type DeliveryState =
  { readonly outcome: 'run'; readonly claim: string } | { readonly outcome: 'running' } | { readonly outcome: 'done' }

/**
 * Remembers what has been done, so that what comes twice is done once, by whichever process. Written for the people who
 * implement it; `tokenStoreContract` in `@shopify-tokens/testing` checks every sentence below.
 *
 * An entry need not be kept for more than 30 days: Shopify repeats a webhook for four hours. Every call ends within a
 * bounded time, and rejects with `ERR_STORE_UNAVAILABLE` when the backend does not answer: the outcome is unknown then.
 *
 * @see Shopify: "Troubleshooting webhooks" (retries)
 */
export interface DeliveryLog {
  /**
   * Claims the delivery for `leaseMs` milliseconds of the backend's clock, in one compare-and-set: of many callers one is
   * answered `run`. A claim whose lease is over belongs to a run that was interrupted, and the next caller gets it.
   */
  begin(delivery: DeliveryKey, leaseMs: number): Promise<DeliveryState>
  /** The work is done: every later {@link begin} answers `done`, also when somebody else has claimed it meanwhile. */
  finish(delivery: DeliveryKey, claim: string): Promise<void>
  /** The work has failed: the next {@link begin} answers `run`. Does nothing when the claim is somebody else's by now. */
  release(delivery: DeliveryKey, claim: string): Promise<void>
}
