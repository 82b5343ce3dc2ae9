import { ReauthorizationRequiredError } from '../errors.js'
import type { Snapshot } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import {
  type ExpiringRecord,
  expiryOf,
  isServable,
  type ReauthorizationMark,
  type ServableRecord,
  type TokenRecord,
} from '../token.js'
import { coolDownAfter, coolDownAfterRejection } from './backoff.js'
import { canServe, type Want } from './decide.js'
import { failureOf, type Inconclusive } from './failure.js'
import type { Announced, Row } from './row.js'
import type { RunContext } from './run-context.js'

/**
 * Marks the shop by compare-and-set on the row as read, and rejects with `ERR_REAUTHORIZATION_REQUIRED` unless its access
 * token serves on. `null`: the row has changed, look again.
 */
export async function mark(
  context: RunContext,
  row: Row,
  shop: Shop,
  want: Want,
  snapshot: Snapshot,
  reason: ReauthorizationMark['reason'],
): Promise<ServableRecord | null> {
  const { durations, events, fleet, time } = context
  const { record, version } = snapshot
  if (!isServable(record) || version === 'absent') return null
  if (record.mark === null && !fleet.dies(shop)) {
    return giveUp(context, row, shop, want, { record, version }, { outcome: 'suspect' })
  }
  const now = time.now()
  const marked = {
    ...record,
    mark: { reason, at: record.mark?.at ?? now, triedAt: now },
    coolDown: null,
    attempts: row.withoutAnswered(record),
  }
  const result = await row.put(marked, version)
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

/**
 * No pair, no verdict: leaves a cool-down in the row, unless somebody else has brought a pair meanwhile, and keeps the
 * tokens. Who only wants a token that works is served while the old one lives; others are told.
 */
export async function giveUp(
  { durations, events, time }: RunContext,
  row: Row,
  shop: Shop,
  want: Want,
  { record: before, version }: Pick<Announced, 'record' | 'version'>,
  refusal: Inconclusive,
  requestId?: string,
): Promise<ServableRecord> {
  const now = time.now()
  const expiredForMs = isServable(before) ? now - expiryOf(before) : -Infinity
  const pause = {
    ...coolDownAfter(refusal, before.coolDown, now, durations),
    stuck: before.coolDown?.stuck === true || expiredForMs >= durations.escalateAfterMs,
  }
  const present = await row.rewrite(before, version, (record) => ({
    ...record,
    coolDown: isRenewed(record, before) ? record.coolDown : pause,
    attempts: row.withoutAnswered(record),
  }))
  const coolDownMs = pause.until - now
  const error = failureOf(refusal, { shop, requestId, retryAfterMs: coolDownMs })
  events.emit({ type: 'renewal.failed', shop, code: error.code, coolDownMs, requestId })
  // Told by the one whose write says so: once, however many processes try.
  const isNews = pause.stuck && before.coolDown?.stuck !== true && present?.coolDown === pause
  if (isNews) events.emit({ type: 'renewal.stuck', shop, expiredForMs, code: error.code })
  if (want.trigger !== 'forced' && canServe(present, want, { now: time.now(), durations })) return present
  throw error
}

function isRenewed(record: TokenRecord, before: TokenRecord): boolean {
  return record.kind === 'expiring' && before.kind === 'expiring' && record.refreshToken !== before.refreshToken
}
