import { untilAborted, withDeadline } from '../deadline.js'
import { isShopifyTokenError, StoreUnavailableError } from '../errors.js'
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
  let { after } = query
  for (let failures = 0; ;) {
    try {
      for await (const row of untilFailure(reach, { ...query, after }, signal)) {
        after = row.key.shop
        failures = 0
        yield row
      }
      return
    } catch (error) {
      signal.throwIfAborted()
      const unreadable = unreadableShop(error)
      if (unreadable !== null && unreadable > (after ?? '')) {
        after = unreadable
        yield { key: { clientId: query.clientId, shop: unreadable }, record: null }
        continue
      }
      failures += 1
      if (failures === MAX_FAILURES) throw asOurs(error)
      await reach.clock.sleep(FIRST_PAUSE_MS * 2 ** (failures - 1), signal)
    }
  }
}

async function* untilFailure(
  { store, clock, timeoutMs }: RowsReach,
  query: ScanQuery,
  signal: AbortSignal,
): AsyncGenerator<ScannedRow, void, undefined> {
  const rows = store.scan(query)[Symbol.asyncIterator]()
  try {
    for (;;) {
      const next = await untilAborted(
        withDeadline(clock, timeoutMs, () => rows.next()),
        signal,
      )
      if (next.done === true) return
      yield next.value
    }
  } finally {
    // Not awaited: a store that hangs would keep the caller here.
    rows.return?.().catch(() => undefined)
  }
}

/** The shop whose row the scan could not understand, if that ended it. */
function unreadableShop(error: unknown): Shop | null {
  if (!isShopifyTokenError(error) || error.code !== 'ERR_STORE_UNREADABLE') return null
  return isShop(error.shop) ? error.shop : null
}

function asOurs(error: unknown): unknown {
  if (isShopifyTokenError(error)) return error
  return new StoreUnavailableError('The token store failed while its rows were visited.', { cause: error })
}
