import { RotationNotStoredError } from '../errors.js'
import type { Snapshot, Version } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import { candidates, type Grant, type MintedRecord, type ServableRecord, type TokenRecord } from '../token.js'
import { retryDelayMs } from './backoff.js'
import { endlessConflict, MAX_CONFLICTS } from './endless-conflict.js'
import { isAcquisition, merge, type Minted } from './merge.js'
import { RETRY_BASE_MS } from './present.js'
import type { Announced, Row } from './row.js'
import type { RunContext } from './run-context.js'

/** Longest pause between two tries to store a pair: it is the only copy. */
const MAX_PAUSE_MS = 5_000
/** The same once the manager closes, when little time is left. */
const MAX_CLOSING_PAUSE_MS = 500

/** A pair that is in the row. */
export interface Kept {
  readonly record: MintedRecord
  /** What it took the place of; `null`: of nothing. */
  readonly replaced: TokenRecord | null
}

/**
 * Puts a minted pair until it is stored, merged with what others stored, or overtaken by a removal (`null`). From the
 * first failure on it is served from memory: `offer` hands it to the callers, and `unstored` to those who come later.
 *
 * Rejects with `ERR_ROTATION_NOT_STORED` only when the manager has closed and its deadline has passed, and the token is
 * not one that whoever comes next can request again.
 */
export async function keepPair(
  context: RunContext,
  row: Row,
  shop: Shop,
  announced: Announced,
  minted: Minted,
  offer: (record: ServableRecord) => void,
): Promise<Kept | null> {
  const kept = await putUntilTaken(context, row, shop, announced, minted, offer).catch((error: unknown) => {
    if (minted.grant === 'client-credentials') return { record: minted.record, replaced: null }
    throw error
  })
  context.unstored.delete(shop)
  return kept
}

async function putUntilTaken(
  context: RunContext,
  row: Row,
  shop: Shop,
  announced: Announced,
  minted: Minted,
  offer: (record: ServableRecord) => void,
): Promise<Kept | null> {
  const { events, unstored } = context
  let present: TokenRecord | null = announced.record
  let version: Version | 'absent' = announced.version
  let failures = 0
  for (let tries = 1; ; tries++) {
    const conflicted = version !== announced.version
    const merged = merge(minted, present, conflicted)
    if (merged.outcome === 'drop') return null
    // Our own write, whose answer was lost, or another's that brought the same.
    if (merged.outcome === 'stored') return { record: merged.record, replaced: announced.record }
    const record = row.scheduled(merged.record)
    try {
      const result = await row.put(record, version)
      if (result.outcome === 'written') {
        if (conflicted && record.kind === 'expiring') {
          events.emit({ type: 'rotation.merged', shop, candidates: candidates(record).length })
        }
        return { record, replaced: present }
      }
      ;({ record: present, version } = result.present)
      if (tries % MAX_CONFLICTS === 0) throw endlessConflict(shop)
    } catch (error) {
      unstored.set(shop, record)
      offer(record)
      // The put may have happened: the row is read before anything else is done.
      const snapshot = await reread(context, row, shop, minted.grant, failures, error)
      failures = snapshot.failures
      ;({ record: present, version } = snapshot)
    }
  }
}

/** Pauses, and reads the row as soon as the store answers again. */
async function reread(
  context: RunContext,
  row: Row,
  shop: Shop,
  grant: Grant,
  before: number,
  reason: unknown,
): Promise<Snapshot & { readonly failures: number }> {
  const { abandon, events } = context
  for (let failures = before + 1; ; failures++) {
    events.emit({ type: 'rotation.unstored', shop, tries: failures })
    await pauseBefore(context, grant, failures)
    if (abandon.aborted) throw new RotationNotStoredError([shop], { shop, cause: reason })
    try {
      return { ...(await row.get()), failures }
    } catch (error) {
      reason = error
    }
  }
}

/**
 * Pauses before the next try. Closing ends the pause, and acquisitions go first then: a lost one is mended only by the
 * merchant, a lost refresh by the next process.
 */
async function pauseBefore(
  { abandon, clock, closing, random }: RunContext,
  grant: Grant,
  failures: number,
): Promise<void> {
  const delay = retryDelayMs(failures, RETRY_BASE_MS, undefined, random)
  if (!closing.aborted) {
    const slept = await clock.sleep(Math.min(MAX_PAUSE_MS, delay), closing).then(
      () => true,
      () => false,
    )
    if (slept || isAcquisition(grant)) return
  }
  await clock.sleep(Math.min(MAX_CLOSING_PAUSE_MS, delay), abandon).catch(() => undefined)
}
