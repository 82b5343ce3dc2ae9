import {
  invalidOption,
  parseShop,
  type ScannedRow,
  type ScanQuery,
  type Shop,
  StoreUnreadableError,
} from '@shopify-tokens/core'
import { CellReader, type Cells } from './cells.js'
import type { Place } from './dialects/dialect.js'
import { inSession, type Reach, rowsOf } from './session.js'
import { toSnapshot } from './snapshot.js'
import type { ScanOrder, Statements } from './statements.js'
import { parsePageSize } from './store-options.js'

/** A row that was found, and whose it is; whether it can be understood is another matter. */
interface Found {
  readonly shop: Shop
  readonly cells: Cells
}

/** Before every row, whatever instant rows are ordered by. */
const FIRST: Place = { at: Number.MIN_SAFE_INTEGER, shop: '' }

/**
 * Visits the rows that match, as {@link TokenStore.scan} says. Each page comes on a connection that is given back before
 * its first row is yielded.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for a page size out of range, or `after` where `sweepBefore` is given.
 */
export async function* scanRows(
  reach: Reach,
  statements: Statements,
  query: ScanQuery,
): AsyncGenerator<ScannedRow, void, undefined> {
  const { after, clientId, kinds, sweepBefore } = query
  const isSweep = sweepBefore !== undefined
  const pages = new Pages(reach, statements, query)
  if (isSweep && after !== undefined) throw invalidOption('after', 'absent where sweepBefore is given', after)
  if (kinds?.length === 0) return

  const found = isSweep ? pages.byUrgency() : pages.inOrder('shop', { ...FIRST, shop: after ?? '' })
  for await (const { shop, cells } of found) {
    const snapshot = understood(cells, shop, query)
    if (snapshot !== null) yield { key: { clientId, shop }, ...snapshot }
  }
}

class Pages {
  readonly #reach: Reach
  readonly #statements: Statements
  readonly #query: ScanQuery
  readonly #size: number

  constructor(reach: Reach, statements: Statements, query: ScanQuery) {
    this.#reach = reach
    this.#statements = statements
    this.#query = query
    this.#size = parsePageSize(query.pageSize)
  }

  /**
   * What was asked for, then what is due. Remembers the names of the former: their visit may leave them due, and they
   * may be asked for again.
   */
  async *byUrgency(): AsyncGenerator<Found, void, undefined> {
    const asked = new Set<Shop>()
    for await (const row of this.inOrder('asked_at')) {
      if (asked.has(row.shop)) continue
      asked.add(row.shop)
      yield row
    }
    for await (const row of this.inOrder('sweep_at')) if (!asked.has(row.shop)) yield row
  }

  async *inOrder(order: ScanOrder, from: Place = FIRST): AsyncGenerator<Found, void, undefined> {
    for (let place = from; ;) {
      const statement = this.#statements.page(this.#query, order, place, this.#size)
      const page = await inSession(this.#reach, undefined, (run) => rowsOf(run, statement))
      for (const cells of page) {
        const shop = shopOf(cells)
        place = { shop, at: order === 'shop' ? 0 : new CellReader(cells, shop).integer(order) }
        yield { shop, cells }
      }
      if (page.length < this.#size) return
    }
  }
}

/** `null`: there is nothing to yield; a row that is not understood was told of. */
function understood(cells: Cells, shop: Shop, { onUnreadable }: ScanQuery): Omit<ScannedRow, 'key'> | null {
  try {
    const { record, ...snapshot } = toSnapshot(cells, shop)
    return record && { ...snapshot, record }
  } catch (error) {
    if (onUnreadable === undefined || !(error instanceof StoreUnreadableError)) throw error
    onUnreadable(error)
    return null
  }
}

function shopOf(cells: Cells): Shop {
  try {
    return parseShop(cells.shop)
  } catch {
    throw new StoreUnreadableError('A stored row is not understood: column shop is not a shop domain.')
  }
}
