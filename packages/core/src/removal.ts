import { type ErrorCode, isShopifyTokenError } from './errors.js'
import { endlessConflict, MAX_CONFLICTS } from './renewal/endless-conflict.js'
import type { StoreCalls } from './renewal/store-calls.js'
import { judgeUninstall } from './renewal/uninstall-rule.js'
import { isServable, type RecordKey, type RemovedRecord, type TokenRecord } from './token.js'

/** What became of a shop of which an uninstall was told. */
export type UninstallOutcome = 'removed' | 'kept' | 'absent'

/** The news of an uninstall. Instants are epoch milliseconds of Shopify's clock. */
export interface Uninstall {
  /** When it happened; `undefined`: unknown. */
  readonly at: number | undefined
  /** What a tombstone says of it. */
  readonly removedAt: number
  /** Renews the shop's tokens although they may be fresh. Rejects when no new ones came of it. */
  readonly renew: () => Promise<unknown>
}

/** Puts a tombstone over whatever stands in the row. Resolves with whether there was anything to remove. */
export async function removeRecord(store: StoreCalls, key: RecordKey, removedAt: number): Promise<boolean> {
  const outcome = await remove(store, key, removedAt, (record) =>
    record === null || record.kind === 'removed' ? 'absent' : 'remove',
  )
  return outcome === 'removed'
}

/** Puts a tombstone over a shop's tokens if the app was uninstalled after they were granted. */
export async function removeUninstalled(
  store: StoreCalls,
  key: RecordKey,
  { at, removedAt, renew }: Uninstall,
): Promise<UninstallOutcome> {
  const outcome = await remove(store, key, removedAt, (record) => {
    if (!isServable(record)) return 'absent'
    const verdict = judgeUninstall(record, at)
    return verdict === 'keep' ? 'kept' : verdict
  })
  if (outcome !== 'ask') return outcome
  if (!(await isRefused(renew))) return 'kept'
  // The mark stands on what Shopify has refused. Tokens without one have come of a new installation since.
  return remove(store, key, removedAt, (record) => {
    if (!isServable(record)) return 'absent'
    return record.mark === null ? 'kept' : 'remove'
  })
}

/** The question could not be put, or its answer not be kept: that is for whoever told of the uninstall to try again. */
const NOT_ASKED: ReadonlySet<ErrorCode> = new Set([
  'ERR_STORE_UNAVAILABLE',
  'ERR_STORE_UNREADABLE',
  'ERR_ROTATION_NOT_STORED',
  'ERR_CLOSED',
])

/** Whether Shopify says that it has no more tokens for the shop. No answer says nothing. */
async function isRefused(renew: () => Promise<unknown>): Promise<boolean> {
  try {
    await renew()
    return false
  } catch (error) {
    if (!isShopifyTokenError(error) || NOT_ASKED.has(error.code)) throw error
    return error.code === 'ERR_REAUTHORIZATION_REQUIRED'
  }
}

/** Puts a tombstone in the place of exactly the row that was judged; one that has changed meanwhile is judged anew. */
async function remove<Otherwise extends string>(
  store: StoreCalls,
  key: RecordKey,
  removedAt: number,
  judge: (record: TokenRecord | null) => 'remove' | Otherwise,
): Promise<'removed' | Otherwise> {
  let { record, version } = await store.get(key)
  for (let tries = 1; tries <= MAX_CONFLICTS; tries++) {
    const verdict = judge(record)
    if (verdict !== 'remove') return verdict
    // Attempts stay: their runs are still under way, and find the tombstone when they come back.
    const attempts = record?.attempts ?? []
    const tombstone: RemovedRecord = { kind: 'removed', removedAt, attempts, mark: null, coolDown: null, sweepAt: null }
    const result = await store.put(key, tombstone, version)
    if (result.outcome === 'written') return 'removed'
    ;({ record, version } = result.present)
  }
  throw endlessConflict(key.shop)
}
