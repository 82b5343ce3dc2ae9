import { ClosedError, CoolingDownError, isShopifyTokenError, RenewalElsewhereError } from '../errors.js'
import type { Snapshot } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import { isServable, type RecordKey, type ServableRecord, type TokenRecord } from '../token.js'
import { canServe, type Want } from './decide.js'
import { reauthorizationRequired } from './failure.js'
import { Pauses } from './pauses.js'
import type { RunContext } from './run-context.js'
import { freshness, isPausing } from './schedule.js'

/**
 * What takes the place of a run where another process renews (`renewal: 'never'`): reads the row, asks for a token that is
 * due or over, and waits a while for one that is over. Never calls Shopify, and writes nothing but the question.
 */
export class ElsewhereRun {
  readonly #context: RunContext
  readonly #key: RecordKey
  readonly #want: Want
  readonly #pauses: Pauses

  constructor(context: RunContext, shop: Shop, want: Want) {
    this.#context = context
    this.#key = { clientId: context.endpoint.clientId, shop }
    this.#want = want
    this.#pauses = new Pauses(context, shop)
  }

  /** Resolves with the record to serve, or rejects with why there is none. */
  async execute(): Promise<ServableRecord> {
    try {
      for (;;) {
        this.#pauses.listen()
        const snapshot = await this.#context.store.get(this.#key)
        const record = this.#checked(snapshot.record)
        if (await this.#serves(snapshot, record)) return record
        await this.#wait(record)
      }
    } finally {
      this.#pauses.end()
    }
  }

  /** Rejects when nobody's renewal would help. */
  #checked(record: TokenRecord | null): ServableRecord {
    if (!isServable(record)) {
      throw reauthorizationRequired(record?.kind === 'removed' ? 'removed' : 'not-installed', this.#key)
    }
    if (record.mark !== null && !this.#canServe(record)) throw reauthorizationRequired(record.mark.reason, this.#key)
    return record
  }

  /** Asks for what another process has to renew. A refused token is served too: that it was, nobody can be told from here. */
  async #serves(snapshot: Snapshot, record: ServableRecord): Promise<boolean> {
    const { durations, time } = this.#context
    const state = freshness(record, time.now(), durations)
    if (state === 'expired') {
      await this.#ask(snapshot)
      return false
    }
    // The token serves, whatever becomes of the question.
    if (state === 'due') await this.#ask(snapshot).catch(passOver)
    return true
  }

  async #ask({ askedAt }: Snapshot): Promise<void> {
    if (askedAt === null) await this.#context.store.ask(this.#key)
  }

  async #wait({ coolDown }: ServableRecord): Promise<void> {
    const { closing, durations, time } = this.#context
    const { shop } = this.#key
    if (closing.aborted) throw new ClosedError({ shop })
    const now = time.now()
    const leftMs = durations.waitMs - this.#pauses.elapsedMs
    const isPaused = coolDown !== null && coolDown.scope !== 'rejected' && isPausing(coolDown, now, durations)
    if (isPaused && coolDown.until - now > leftMs) {
      throw new CoolingDownError('A recent renewal of this shop failed; the next one has to wait.', {
        shop,
        retryAfterMs: coolDown.until - now,
      })
    }
    if (leftMs <= 0) throw new RenewalElsewhereError({ shop, retryAfterMs: ASK_AGAIN_MS })
    await this.#pauses.next()
  }

  #canServe(record: TokenRecord): boolean {
    return canServe(record, this.#want, { now: this.#context.time.now(), durations: this.#context.durations })
  }
}

/** A renewer looks for what it was asked for every few seconds. */
const ASK_AGAIN_MS = 2_000

function passOver(error: unknown): void {
  if (!isShopifyTokenError(error)) throw error
}
