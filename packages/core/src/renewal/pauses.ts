import type { Shop } from '../shop.js'
import { leaseTimeout, patienceMs } from './patience.js'
import type { RowEar } from './row-news.js'
import type { RunContext } from './run-context.js'

/** Mean pause between two looks at a row that another process is renewing. */
const POLL_MS = 100
/** The same where the store announces writes: only for news that got lost. */
const POLL_BESIDE_NEWS_MS = 1_000

/** How one run waits for somebody else's: until there is news of the row, or it is time to look again; not for ever. */
export class Pauses {
  readonly #context: Pick<RunContext, 'clock' | 'durations' | 'news' | 'random'>
  readonly #shop: Shop
  readonly #ear: RowEar
  readonly #startedAt: number

  constructor(context: Pick<RunContext, 'clock' | 'durations' | 'news' | 'random'>, shop: Shop) {
    this.#context = context
    this.#shop = shop
    this.#ear = context.news.of(shop)
    this.#startedAt = context.clock.monotonic()
  }

  /** How long the run has lasted. */
  get elapsedMs(): number {
    return Math.round(this.#context.clock.monotonic() - this.#startedAt)
  }

  /** From here on news of the row ends the next pause. Called before it is read. */
  listen(): void {
    this.#ear.listen()
  }

  /** No longer than `atMostMs`. Rejects with `ERR_LEASE_TIMEOUT` once the run has lasted longer than anybody waits. */
  async next(atMostMs = Infinity): Promise<void> {
    const { clock, durations, news, random } = this.#context
    if (this.elapsedMs > patienceMs(durations)) throw leaseTimeout(this.#shop)
    const pollMs = news.isLive ? POLL_BESIDE_NEWS_MS : POLL_MS
    await clock.sleep(Math.min(Math.ceil(pollMs * (0.5 + random())), atMostMs), this.#ear.heard).catch(() => undefined)
  }

  /** The run has ended. */
  end(): void {
    this.#ear.end()
  }
}
