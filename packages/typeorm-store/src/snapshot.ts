import type { Shop, Snapshot, Version } from '@shopify-tokens/core'
import { CellReader, type Cells } from './cells.js'
import { toRecord } from './row.js'
import { NOW_COLUMN } from './statements.js'

/**
 * The row that a read has brought; without one its columns are NULL.
 *
 * @throws StoreUnreadableError `ERR_STORE_UNREADABLE`
 */
export function toSnapshot(cells: Cells, shop: Shop): Snapshot {
  const read = new CellReader(cells, shop)
  const now = read.integer(NOW_COLUMN)
  if (read.isNull('client_id')) return { record: null, version: 'absent', revision: 0, askedAt: null, now }
  const record = toRecord(cells, shop)
  return {
    record,
    version: read.text('version') as Version,
    revision: read.integer('revision'),
    askedAt: read.nullable('asked_at', (column) => read.integer(column)),
    now,
  }
}
