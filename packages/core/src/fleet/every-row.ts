import { untilAborted, withDeadline } from '../deadline.js'
import { isShopifyTokenError, type StoreUnreadableError, StoreUnavailableError } from '../errors.js'
import type { Clock } from '../ports/clock.js'
import type { ScannedRow, ScanQuery, TokenStore } from '../ports/token-store.js'
import { isShop, type Shop } from '../shop.js'
import type { RecordKey } from '../token.js'

/** A row that the store cannot understand: an operator's matter, and no reason to leave out the rows behind it. */
export interface UnreadableRow {
  readonly key: RecordKey
  readonly record: null
}

/** How often in a row the store may fail before the visit ends. */
const MAX_FAILURES = 5
const FIRST_PAUSE_MS = 1_000

/** How to reach the rows. */
export interface RowsReach {
  /** The store as it lies: sealed values stay sealed, for nothing here needs them open. */
  readonly store: TokenStore
  readonly clock: Clock
  /** How long the store may take for one row, and with the first of each page for the page. */
  readonly timeoutMs: number
}

/**
 * Visits the rows that match, a page at a time, for work that takes hours: when the store fails in between, it goes on
 * behind the last row that it had. Rejects with `ERR_STORE_UNAVAILABLE` when that does not help for a quarter of a
 * minute, and with `signal.reason` on an abort.
 */
export async function* everyRow(
  reach: RowsReach,
  query: ScanQuery,
  signal: AbortSignal,
): AsyncGenerator<ScannedRow | UnreadableRow, void, undefined> {
  const progress = query.sweepBefore === undefined ? new ProgressByShop(query) : new ProgressOfSweep(query)
  for (let failures = 0; ;) {
    try {
      for await (const row of untilFailure(reach, progress.rest, signal)) {
        if (!progress.isNew(row.key.shop)) continue
        failures = 0
        yield row
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      failures += 1
      if (failures === MAX_FAILURES) throw asOurs(error)
      await reach.clock.sleep(FIRST_PAUSE_MS * 2 ** (failures - 1), signal)
    }
  }
}

/** What has been visited of a scan in the order of the shops: all up to the last one. */
class ProgressByShop {
  rest: ScanQuery

  constructor(query: ScanQuery) {
    this.rest = query
  }

  isNew(shop: Shop): boolean {
    this.rest = { ...this.rest, after: shop }
    return true
  }
}

/**
 * What has been visited of a sweep. It begins again with what is most urgent, and that includes rows whose visit changed
 * nothing; so their names are kept: some ten megabytes for 100 000 due shops, and for most sweeps next to nothing.
 */
class ProgressOfSweep {
  readonly rest: ScanQuery
  readonly #visited = new Set<Shop>()

  constructor(query: ScanQuery) {
    this.rest = query
  }

  isNew(shop: Shop): boolean {
    if (this.#visited.has(shop)) return false
    this.#visited.add(shop)
    return true
  }
}

async function* untilFailure(
  { store, clock, timeoutMs }: RowsReach,
  query: ScanQuery,
  signal: AbortSignal,
): AsyncGenerator<ScannedRow | UnreadableRow, void, undefined> {
  const unreadable: UnreadableRow[] = []
  const onUnreadable = (error: StoreUnreadableError): void => {
    // Without a name there is nothing to report, and no way past it.
    if (!isShop(error.shop)) throw error
    unreadable.push({ key: { clientId: query.clientId, shop: error.shop }, record: null })
  }
  const rows = store.scan({ ...query, onUnreadable })[Symbol.asyncIterator]()
  try {
    for (;;) {
      const [next] = await Promise.allSettled([
        untilAborted(
          withDeadline(clock, timeoutMs, () => rows.next()),
          signal,
        ),
      ])
      yield* unreadable.splice(0)
      if (next.status === 'rejected') throw next.reason
      if (next.value.done === true) return
      yield next.value.value
    }
  } finally {
    // Not awaited: a store that hangs would keep the caller here.
    rows.return?.().catch(() => undefined)
  }
}

function asOurs(error: unknown): unknown {
  if (isShopifyTokenError(error)) return error
  return new StoreUnavailableError('The token store failed while its rows were visited.', { cause: error })
}
