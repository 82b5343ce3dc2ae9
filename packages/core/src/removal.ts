import { endlessConflict, MAX_CONFLICTS } from './renewal/endless-conflict.js'
import type { StoreCalls } from './renewal/store-calls.js'
import type { RecordKey, RemovedRecord } from './token.js'

/** Puts a tombstone over whatever stands in the row. Resolves with whether there was anything to remove. */
export async function removeRecord(store: StoreCalls, key: RecordKey, removedAt: number): Promise<boolean> {
  let { record, version } = await store.get(key)
  for (let tries = 1; tries <= MAX_CONFLICTS; tries++) {
    if (record === null || record.kind === 'removed') return false
    // Attempts stay: their runs are still under way, and find the tombstone when they come back.
    const { attempts } = record
    const tombstone: RemovedRecord = { kind: 'removed', removedAt, attempts, mark: null, coolDown: null, sweepAt: null }
    const result = await store.put(key, tombstone, version)
    if (result.outcome === 'written') return true
    ;({ record, version } = result.present)
  }
  throw endlessConflict(key.shop)
}
