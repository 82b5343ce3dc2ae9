import { ClosedError, RenewalElsewhereError } from '../errors.js'
import type { Snapshot } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import { expiryOf, isServable, type RecordKey, type ServableRecord } from '../token.js'
import { othersUnderWay } from './decide.js'
import { reauthorizationRequired } from './failure.js'
import { Pauses } from './pauses.js'
import { type Rest, restError, restOf } from './rest.js'
import type { RunContext } from './run-context.js'
import { type Freshness, freshness } from './schedule.js'
import type { Want } from './want.js'

/**
 * What takes the place of a run where another process renews (`renewal: 'never'`): reads the row, asks for a token that is
 * due or over, and waits a while for one that is over. Never calls Shopify, and writes nothing but the question.
 */
export class ElsewhereRun {
  /** Nothing here mints. */
  readonly hasRenewed = false
  readonly #context: RunContext
  readonly #key: RecordKey
  readonly #want: Want
  readonly #offer: (record: ServableRecord) => void
  readonly #pauses: Pauses
  /** The row as it was last seen with the question in it. */
  #asked: Snapshot | null = null

  /** `offer` hands out a token before the question is put: callers need not wait for that. */
  constructor(context: RunContext, shop: Shop, want: Want, offer: (record: ServableRecord) => void) {
    this.#context = context
    this.#key = { clientId: context.endpoint.clientId, shop }
    this.#want = want
    this.#offer = offer
    this.#pauses = new Pauses(context, shop)
  }

  /** Resolves with the record to serve, or rejects with why there is none. */
  async execute(): Promise<ServableRecord> {
    try {
      for (;;) {
        this.#pauses.listen()
        const snapshot = await this.#context.store.get(this.#key)
        const record = this.#servable(snapshot)
        const state = this.#freshness(snapshot, record)
        this.#refuseMarked(record, state)
        if (state !== 'expired' || this.#isVouchedFor(snapshot, record)) {
          // The token serves, whatever becomes of the question.
          this.#offer(record)
          if (state === 'due') await this.#ask(snapshot, record)
          return record
        }
        const leftMs = this.#patienceMs(snapshot, record)
        await this.#ask(snapshot, record)
        await this.#pauses.next(leftMs)
      }
    } finally {
      this.#pauses.end()
    }
  }

  #servable({ record }: Snapshot): ServableRecord {
    if (isServable(record)) return record
    throw reauthorizationRequired(record?.kind === 'removed' ? 'removed' : 'not-installed', this.#key)
  }

  /**
   * Whoever never calls Shopify may never learn its time, and the machine's clock may be wrong. The store's is a second
   * opinion: a token is due, or over, when both say so or, once Shopify has refused it, when either does.
   */
  #freshness(snapshot: Snapshot, record: ServableRecord): Freshness {
    const { durations, time } = this.#context
    const own = freshness(record, time.now(), durations)
    if (time.isTold) return own
    const both = [own, freshness(record, snapshot.now, durations)]
    const byUrgency = this.#isRefused(record) ? MOST_URGENT_FIRST : LEAST_URGENT_FIRST
    return byUrgency.find((state) => both.includes(state)) ?? own
  }

  /** A cool-down is over when either clock says so: the question does no harm. */
  #restOf(snapshot: Snapshot, record: ServableRecord): { readonly rest: Rest | null; readonly now: number } {
    const { durations, time } = this.#context
    const now = time.isTold ? time.now() : Math.max(time.now(), snapshot.now)
    return { rest: restOf(record, now, durations), now }
  }

  #isRefused({ accessToken }: ServableRecord): boolean {
    return accessToken === this.#want.rejected
  }

  /** A refused token of a shop that is not marked is served: why it was refused, nobody can find out from here. */
  #refuseMarked(record: ServableRecord, state: Freshness): void {
    if (record.mark === null || (state !== 'expired' && !this.#isRefused(record))) return
    throw reauthorizationRequired(record.mark.reason, this.#key)
  }

  /**
   * Whether whoever was asked has looked, and found nothing to renew: the row was written, and nothing in it is new. They
   * know Shopify's time; by clocks that are ahead here and at the store, the token of every renewal would be over at once.
   */
  #isVouchedFor({ askedAt, version }: Snapshot, record: ServableRecord): boolean {
    const { time } = this.#context
    if (this.#asked === null || askedAt !== null || version === this.#asked.version) return false
    // Who knows Shopify's time here needs nobody's word for an end that has come.
    if (time.isTold && time.now() >= expiryOf(record)) return false
    const { accessToken, attempts, coolDown } = record
    const before = this.#asked.record
    if (!isServable(before) || before.accessToken !== accessToken) return false
    const known = new Set(before.attempts.map(({ id }) => id))
    return before.coolDown?.until === coolDown?.until && attempts.every(({ id }) => known.has(id))
  }

  /** How long the caller goes on waiting. Rejects when that is of no use. */
  #patienceMs(snapshot: Snapshot, record: ServableRecord): number {
    const { closing, durations } = this.#context
    const { shop } = this.#key
    if (closing.aborted) throw new ClosedError({ shop })
    const leftMs = durations.waitMs - this.#pauses.elapsedMs
    const { now, rest } = this.#restOf(snapshot, record)
    if (rest !== null && rest.until - now > leftMs) throw restError(rest, shop, now)
    if (leftMs <= 0) throw new RenewalElsewhereError({ shop, retryAfterMs: ASK_AGAIN_MS })
    return leftMs
  }

  /** Asks another process to renew, unless it has been asked, is at it, or could do nothing at present. */
  async #ask(snapshot: Snapshot, record: ServableRecord): Promise<void> {
    const { closing, durations, store } = this.#context
    if (snapshot.askedAt !== null) this.#asked = snapshot
    if (snapshot.askedAt !== null || closing.aborted || record.mark !== null) return
    if (this.#restOf(snapshot, record).rest !== null) return
    if (othersUnderWay(snapshot, NOBODY, durations).length > 0) return
    await store.ask(this.#key)
    this.#asked = snapshot
  }
}

const LEAST_URGENT_FIRST: readonly Freshness[] = ['fresh', 'due', 'expired']
const MOST_URGENT_FIRST: readonly Freshness[] = ['expired', 'due', 'fresh']
/** A renewer looks for what it was asked for every few seconds. */
const ASK_AGAIN_MS = 2_000
/** Whose attempts count as one's own: this run makes none. */
const NOBODY: ReadonlySet<string> = new Set()
