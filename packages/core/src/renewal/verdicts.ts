import { ReauthorizationRequiredError } from '../errors.js'
import type { Snapshot } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import {
  type ExpiringRecord,
  isServable,
  type ReauthorizationMark,
  type ServableRecord,
  type TokenRecord,
} from '../token.js'
import { coolDownAfter, coolDownAfterRejection } from './backoff.js'
import { canServe, type Want } from './decide.js'
import type { Inconclusive } from './failure.js'
import type { Announced, Row } from './row.js'
import type { RunContext } from './run-context.js'

/**
 * Marks the shop by compare-and-set on the row as read, and rejects with `ERR_REAUTHORIZATION_REQUIRED` unless its access
 * token serves on. `null`: the row has changed, look again.
 */
export async function mark(
  { durations, events, time }: RunContext,
  row: Row,
  shop: Shop,
  want: Want,
  snapshot: Snapshot,
  reason: ReauthorizationMark['reason'],
): Promise<ServableRecord | null> {
  const { record } = snapshot
  if (!isServable(record)) return null
  const now = time.now()
  const marked = {
    ...record,
    mark: { reason, at: record.mark?.at ?? now, triedAt: now },
    coolDown: null,
    attempts: row.withoutAnswered(record),
  }
  const result = await row.put(marked, snapshot.version)
  if (result.outcome === 'conflict') return null
  if (record.mark === null) events.emit({ type: 'reauthorization.required', shop, reason })
  // The access token lives on until its own end: only its renewal is over.
  if (canServe(marked, want, { now, durations })) return marked
  throw new ReauthorizationRequiredError(reason, { shop })
}

/**
 * Shopify's Admin API refuses new tokens too. Renewing costs pairs and brings nothing: pause it for this reason. `null`:
 * the row has changed, look again.
 */
export async function pauseRejected(
  { durations, events, time }: RunContext,
  row: Row,
  shop: Shop,
  snapshot: Snapshot,
  record: ExpiringRecord,
): Promise<ServableRecord | null> {
  const now = time.now()
  const pause = coolDownAfterRejection(record.coolDown, now, durations)
  const paused = { ...record, coolDown: pause, mintedForRejected: false }
  const result = await row.put(paused, snapshot.version)
  if (result.outcome === 'conflict') return null
  events.emit({ type: 'token.rejectedFresh', shop, coolDownMs: pause.until - now })
  return paused
}

/** Leaves a cool-down in the row, unless somebody else has brought a pair meanwhile. Resolves with the row as last known. */
export async function coolDown(
  { durations, time }: RunContext,
  row: Row,
  { record: before, version }: Announced,
  refusal: Inconclusive,
): Promise<{ readonly coolDownMs: number; readonly present: TokenRecord | null }> {
  const now = time.now()
  const pause = coolDownAfter(refusal, before.coolDown, now, durations)
  const present = await row.rewrite(before, version, (record) => ({
    ...record,
    coolDown: isRenewed(record, before) ? record.coolDown : pause,
    attempts: row.withoutAnswered(record),
  }))
  return { coolDownMs: pause.until - now, present }
}

function isRenewed(record: TokenRecord, before: TokenRecord): boolean {
  return record.kind === 'expiring' && before.kind === 'expiring' && record.refreshToken !== before.refreshToken
}
