import type { Credential } from '../oauth/grants.js'
import type { Terminal } from '../oauth/refusal.js'
import type { GrantAnswer } from '../oauth/token-endpoint.js'
import type { Snapshot } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import {
  expiryOf,
  isServable,
  type ReauthorizationMark,
  type RenewableRecord,
  type ServableRecord,
  type TokenRecord,
} from '../token.js'
import { coolDownAfter, coolDownAfterRejection } from './backoff.js'
import { failureOf, type Inconclusive, reauthorizationRequired } from './failure.js'
import type { Announced, Row } from './row.js'
import type { RunContext } from './run-context.js'
import { hasLapsed, isAtRisk } from './schedule.js'
import { canServe, type Want, wantsNewPair } from './want.js'

/** What a terminal answer to a migration says of the shop. */
export const MIGRATION_REFUSED = {
  'credential-dead': 'access-token-rejected',
  'app-not-installed': 'app-not-installed',
} as const satisfies Record<Terminal['reason'], ReauthorizationMark['reason']>

/** What a terminal answer to a refresh says of the shop. */
export const MARK_REASONS = {
  'credential-dead': 'refresh-token-rejected',
  'app-not-installed': 'app-not-installed',
} as const satisfies Record<Terminal['reason'], ReauthorizationMark['reason']>

/** That a merchant's credential is dead says nothing of the shop; that the app is not installed does. */
export function isOfShop({ grant }: Credential, answer: GrantAnswer): answer is Terminal {
  return answer.outcome === 'terminal' && (grant === 'refresh' || answer.reason === 'app-not-installed')
}

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
  const { durations, events, fleet, notices, secretId, time } = context
  const { record, version } = snapshot
  if (!isServable(record) || version === 'absent') return null
  const now = time.now()
  // That Shopify ends what has come to its end raises no suspicion, however many shops nobody has kept alive.
  if (record.mark === null && !hasLapsed(record, now) && !fleet.dies(shop)) {
    return giveUp(context, row, shop, want, { record, version }, { outcome: 'suspect' })
  }
  const marked = {
    ...record,
    // The tokens are over, whichever secret minted them; one that nobody configures any more would keep the merchant out.
    secretId,
    mark: { reason, at: record.mark?.at ?? now, triedAt: now, notifiedAt: record.mark?.notifiedAt ?? null },
    // Whose operators were told that the shop is stuck, they are also told when it works again.
    coolDown: record.coolDown?.stuck === true ? { ...record.coolDown, until: now } : null,
    attempts: row.withoutAnswered(record),
  }
  const written = await row.putForSure(marked, version, (present) => present.mark?.triedAt === now)
  if (written === null) return null
  if (record.mark === null && want.uninstalled !== true) {
    events.emit({ type: 'reauthorization.required', shop, reason })
    notices.entered(shop, marked.mark)
  }
  // The access token lives on until its own end: only its renewal is over.
  if (!wantsNewPair(want) && canServe(marked, want, { now, durations })) return marked
  throw reauthorizationRequired(reason, { clientId: context.endpoint.clientId, shop })
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
  record: RenewableRecord,
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
  { atRisk, durations, endpoint, events, time }: RunContext,
  row: Row,
  shop: Shop,
  want: Want,
  { record: before, version }: Pick<Announced, 'record' | 'version'>,
  refusal: Inconclusive,
  requestId?: string,
): Promise<ServableRecord> {
  const now = time.now()
  const expiredForMs = isServable(before) ? now - expiryOf(before) : -Infinity
  // A shop that needs its merchant is no longer the operators' to mend.
  const isStuck = before.mark === null && expiredForMs >= durations.escalateAfterMs
  let pause = coolDownAfter(refusal, before.coolDown, now, durations)
  let replaced = before
  const present = await row.rewrite(before, version, (record) => {
    replaced = record
    pause = { ...pause, stuck: isStuck || record.coolDown?.stuck === true }
    const coolDown = isAnother(record, before) ? record.coolDown : pause
    return { ...record, coolDown, attempts: row.withoutAnswered(record) }
  })
  const coolDownMs = pause.until - now
  const error = failureOf(refusal, { clientId: endpoint.clientId, shop }, { requestId, retryAfterMs: coolDownMs })
  events.emit({ type: 'renewal.failed', shop, code: error.code, coolDownMs, requestId })
  // Told by the one whose write says so: once, however many processes try.
  const isNews = isStuck && replaced.coolDown?.stuck !== true && present?.coolDown === pause
  if (isNews) events.emit({ type: 'renewal.stuck', shop, expiredForMs, code: error.code })
  if (pause.failures > 1 && isAtRisk(before, now, durations) && atRisk.isDue(shop)) {
    events.emit({ type: 'shop.atRisk', shop, endsAt: before.refreshTokenExpiresAt, failures: pause.failures })
  }
  if (!wantsNewPair(want) && canServe(present, want, { now: time.now(), durations })) return present
  throw error
}

/** Whether somebody has replaced what the run failed to renew: with other tokens, or with a tombstone. */
function isAnother(record: TokenRecord, before: TokenRecord): boolean {
  if (record.kind === 'expiring' && before.kind === 'expiring') return record.refreshToken !== before.refreshToken
  const bothServe = isServable(record) && isServable(before) && record.kind === before.kind
  return bothServe ? record.accessToken !== before.accessToken : record.kind !== before.kind
}
