import type { Durations } from '../durations.js'
import { TokenEndpointError } from '../errors.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { Shop } from '../shop.js'

/** So many different shops must fail, for each is a host of its own: one that is broken says nothing of the others. */
const MIN_SHOPS = 10

/**
 * Keeps a fleet from calling a token endpoint that is down for everybody. It opens when ten different shops failed and
 * none succeeded within the window; from then on one run at a time is let through, and the first success closes it.
 */
export class Breaker {
  readonly #clock: Clock
  readonly #events: EventBus
  readonly #durations: Pick<Durations, 'breakerWindowMs' | 'breakerPauseMs'>
  /** When each shop last failed, oldest first. Monotonic, like every instant here. */
  readonly #failedAt = new Map<Shop, number>()
  #succeededAt = -Infinity
  #openedAt: number | null = null
  #nextProbeAt = 0

  constructor(clock: Clock, events: EventBus, durations: Pick<Durations, 'breakerWindowMs' | 'breakerPauseMs'>) {
    this.#clock = clock
    this.#events = events
    this.#durations = durations
  }

  /**
   * Throws `ERR_TOKEN_ENDPOINT_UNAVAILABLE` while the breaker is open, except once in each pause: that run is the one
   * that tries.
   */
  pass(shop: Shop): void {
    if (this.#openedAt === null) return
    const now = this.#clock.monotonic()
    if (now < this.#nextProbeAt) {
      throw new TokenEndpointError(
        'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
        'The token endpoint fails for all shops; calling it pauses for a moment.',
        { shop, retryAfterMs: this.#nextProbeAt - now },
      )
    }
    this.#nextProbeAt = now + this.#durations.breakerPauseMs
  }

  /** Shopify gave an answer that is one: the endpoint is up. */
  succeeded(): void {
    this.#succeededAt = this.#clock.monotonic()
    this.#failedAt.clear()
    if (this.#openedAt === null) return
    const openForMs = Math.round(this.#succeededAt - this.#openedAt)
    this.#openedAt = null
    this.#events.emit({ type: 'breaker.closed', openForMs })
  }

  /** No answer, a 5xx or a 429. */
  failed(shop: Shop): void {
    if (this.#openedAt !== null) return
    const now = this.#clock.monotonic()
    const windowBegan = now - this.#durations.breakerWindowMs
    this.#failedAt.delete(shop)
    this.#failedAt.set(shop, now)
    for (const [failed, at] of this.#failedAt) {
      if (at > windowBegan) break
      this.#failedAt.delete(failed)
    }
    if (this.#failedAt.size < MIN_SHOPS || this.#succeededAt > windowBegan) return
    this.#openedAt = now
    this.#nextProbeAt = now + this.#durations.breakerPauseMs
    this.#events.emit({ type: 'breaker.opened', shops: this.#failedAt.size })
    this.#failedAt.clear()
  }
}
