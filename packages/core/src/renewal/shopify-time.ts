import type { EventBus } from '../events.js'
import { parseDate } from '../oauth/token-endpoint.js'
import type { Clock } from '../ports/clock.js'
import type { Fetch } from '../ports/fetch.js'

/** Above this a clock is wrong, not merely imprecise. */
const SKEW_MS = 60_000
/** `Date` has whole seconds, and the answer travels: smaller differences teach nothing. */
const PRECISION_MS = 2_000
/** What one answer alone is believed. Whole hours are a wrong clock's, or a broken proxy's that answers for Shopify. */
const BELIEVED_MS = 15 * 60_000

/**
 * Shopify's time as far as this process knows it: the machine's wall clock, corrected by what the `Date` headers of
 * Shopify's answers say. Instants in records are of this time, so processes whose clocks differ agree on every expiry.
 */
export class ShopifyTime {
  readonly #clock: Clock
  #offsetMs = 0
  #isTold = false
  /** The last offset that was too large to be believed at once. */
  #claimedMs: number | null = null
  #events: EventBus | null = null

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Where to report a wrong clock. */
  reportTo(events: EventBus): void {
    this.#events = events
  }

  /** Epoch milliseconds. */
  now(): number {
    return this.#clock.now() + this.#offsetMs
  }

  /** Whether Shopify has told the time at all. Until then it is what the machine says. */
  get isTold(): boolean {
    return this.#isTold
  }

  /** By how much this process is ahead of Shopify if the last answer, which is not believed alone, was right. */
  get perhapsAheadMs(): number {
    return this.#claimedMs === null ? 0 : Math.max(0, this.#offsetMs - this.#claimedMs)
  }

  /** What an instant of the uncorrected wall clock was by Shopify's. */
  corrected(at: number): number {
    return at + this.#offsetMs
  }

  /** The instant in an answer's `Date`; `null`: there is none, or it is not believed. */
  confirmed(dateHeader: number | null, answeredAt: number): number | null {
    const isBelieved = dateHeader !== null && Math.abs(dateHeader - this.corrected(answeredAt)) <= SKEW_MS
    return isBelieved ? dateHeader : null
  }

  /**
   * `fetch`, whose answers teach the time too: a process whose shops are always renewed by others makes no token call,
   * and would take ended tokens for living ones again and again. An error page may come from something else than Shopify.
   */
  learningFrom(fetch: Fetch): Fetch {
    return async (input, init) => {
      const sentAt = this.#clock.now()
      const response = await fetch(input, init)
      if (response.status < 500) this.learn(parseDate(response.headers.get('date')), sentAt, this.#clock.now())
      return response
    }
  }

  /**
   * Learns from an answer: its `Date`, and when its request left and its head arrived by the uncorrected wall clock.
   *
   * A large step needs two answers that agree: instants go into records, so one wrong header that was believed would
   * make tokens look fresh, or cool-downs last, for years and in every process.
   */
  learn(dateHeader: number | null, sentAt: number, answeredAt: number): void {
    if (dateHeader === null) return
    // The header was cut to the second, somewhere between sending and arrival.
    const offset = dateHeader + 500 - (sentAt + answeredAt) / 2
    const near = (other: number | null, marginMs: number): boolean =>
      other !== null && Math.abs(offset - other) <= marginMs
    const believed = near(this.#offsetMs, BELIEVED_MS) || near(this.#claimedMs, SKEW_MS)
    this.#claimedMs = believed ? null : offset
    this.#isTold ||= believed
    if (!believed || near(this.#offsetMs, PRECISION_MS + (answeredAt - sentAt) / 2)) return
    const wasSkewed = Math.abs(this.#offsetMs) > SKEW_MS
    this.#offsetMs = Math.abs(offset) <= PRECISION_MS ? 0 : Math.round(offset)
    if (Math.abs(offset) > SKEW_MS && !wasSkewed) {
      this.#events?.emit({ type: 'clock.skewed', offsetMs: this.#offsetMs })
    }
  }
}
