import type { Durations } from '../durations.js'
import {
  type CoolDown,
  type ExpiringRecord,
  expiryOf,
  isRenewable,
  type ReauthorizationMark,
  type RenewableRecord,
  type ServableRecord,
  type TokenRecord,
} from '../token.js'
import { isMigrationBegun } from './begun-migration.js'

/**
 * - `fresh`: serve it.
 * - `due`: inside the renewal window; serve it, renew behind.
 * - `expired`: too little life is left to hand it out.
 */
export type Freshness = 'fresh' | 'due' | 'expired'

type Window = Pick<Durations, 'minRemainingMs'>

export function freshness(record: ServableRecord, now: number, { minRemainingMs }: Window): Freshness {
  if (now > usableUntil(record, { minRemainingMs })) return 'expired'
  return isRenewable(record) && now >= dueAt(record, now) ? 'due' : 'fresh'
}

/**
 * Until when the record's token is handed out. A token whose whole life is short is not kept back for that: at most an
 * eighth of its life counts as too little.
 */
export function usableUntil(record: ServableRecord, { minRemainingMs }: Window): number {
  const expiresAt = expiryOf(record)
  return expiresAt - Math.max(1, Math.min(minRemainingMs, (expiresAt - record.obtainedAt) / 8))
}

/**
 * From when on the record is due. One obtained in the future was written under a wrong clock, which says nothing of its
 * end: it is due now.
 */
export function dueAt({ obtainedAt, renewAt }: RenewableRecord, now: number): number {
  return isAhead(obtainedAt, now) ? Math.min(now, renewAt) : renewAt
}

/** Whether an instant that cannot be in the future is: only a clock that was wrong can have written it. */
export function isAhead(at: number, now: number): boolean {
  return at > now + FUTURE_MS
}

/** Clocks that are right differ by less. */
const FUTURE_MS = 60_000

/** Whether the record holds an access token with enough life left to be handed out. */
export function isUsable(record: TokenRecord | null, now: number, window: Window): record is ServableRecord {
  return record !== null && 'accessToken' in record && freshness(record, now, window) !== 'expired'
}

/**
 * When a new pair is due: ahead of its end, spread by up to a fifth of that head start so that shops installed in one
 * minute do not renew in one minute for ever. Decided once, by the run that stores the pair.
 */
export function renewAtOf(
  obtainedAt: number,
  expiresAt: number,
  { refreshAheadMs }: Pick<Durations, 'refreshAheadMs'>,
  random: () => number,
): number {
  const ahead = Math.min(refreshAheadMs, Math.max(0, expiresAt - obtainedAt) / 4)
  return Math.floor(expiresAt - ahead - random() * (ahead / 5))
}

/** When a pair was obtained and is due. */
type Due = Pick<ExpiringRecord, 'obtainedAt' | 'renewAt'>

/**
 * When `due` is due in another's place. An acquisition's request that was lost can still arrive, and ends every pair that
 * it meets: the look that is planned for then stays planned, whoever renews in between.
 */
export function keepingEarlyLook(
  due: Due,
  other: Due | null,
  { lateRequestMs }: Pick<Durations, 'lateRequestMs'>,
): number {
  const isPlanned =
    other !== null && other.renewAt > due.obtainedAt && other.renewAt <= other.obtainedAt + lateRequestMs
  return isPlanned ? Math.min(other.renewAt, due.renewAt) : due.renewAt
}

/** @see Shopify: "Offline access tokens" */
const DOCUMENTED_REFRESH_LIFETIME_MS = 90 * 86_400_000

/** Failures in a row after which it is no outage any more: most likely the shop is frozen, and stays so for weeks. */
const MANY_FAILURES = 12

/** When the keep-alive sweep should visit a row; computed with every write, so that one index finds what is due. */
export function sweepAtOf(record: TokenRecord, now: number, durations: Durations): number | null {
  const at = plannedSweepAt(record, now, durations)
  const { coolDown } = record
  const isPaused = coolDown !== null && coolDown.scope !== 'rejected' && isPausing(coolDown, now, durations)
  // A visit before its end would be in vain, and meet the row again and again.
  return at !== null && isPaused ? Math.max(at, coolDown.until + restMs(record, coolDown, now, durations)) : at
}

/** How much longer than requests the sweep leaves a shop alone that keeps failing: for a day in all, while there are weeks left. */
function restMs(
  record: TokenRecord,
  { failures }: CoolDown,
  now: number,
  { atRiskMs, markedRetryMs, maxCoolDownMs }: Durations,
): number {
  const isUrgent = record.kind === 'expiring' && record.refreshTokenExpiresAt - atRiskMs <= now + markedRetryMs
  return failures < MANY_FAILURES || isUrgent ? 0 : Math.max(0, markedRetryMs - maxCoolDownMs)
}

function plannedSweepAt(
  record: TokenRecord,
  now: number,
  { doubtMs, keepAliveMs, lateRequestMs, markedRetryMs }: Durations,
): number | null {
  if (record.kind === 'removed') return null
  const doubt = doubtSince(record, now)
  // A migration may have ended the token that is served: where nobody is told of its refusal, only the sweep mends that.
  const isServedInDoubt = record.kind === 'non-expiring' && isMigrationBegun(record)
  const settledBy = doubt === null ? null : doubt + (isServedInDoubt ? Math.min(doubtMs, lateRequestMs) : doubtMs)
  if (record.kind !== 'expiring') return settledBy
  if (record.mark !== null) {
    const next = Math.min(record.mark.triedAt, now) + markedRetryMs
    return Math.max(next, now) < endOf(record) ? next : null
  }
  const age = record.obtainedAt + keepAliveMs
  return settledBy === null ? age : Math.min(age, settledBy)
}

/**
 * Since when it is in doubt which candidate lives, or what an unanswered request has brought: only a later renewal
 * settles it. `null`: it is not. Counted from what is on record, so that no other write puts the visit off.
 */
function doubtSince(record: TokenRecord, now: number): number | null {
  const since = record.attempts.map(({ at }) => at)
  // They came with the pair, or a moment after it.
  if (record.kind === 'expiring' && record.alternates.length > 0) since.push(record.obtainedAt)
  return since.length === 0 ? null : Math.min(now, ...since)
}

/** Whether the keep-alive sweep finds the row by its age, its doubts or its mark. */
export function isSweepDue({ sweepAt }: TokenRecord, now: number): boolean {
  return sweepAt !== null && sweepAt <= now
}

/** Whether a shop that is due for the sweep is about to lose its last refresh token. */
export function isAtRisk(
  record: TokenRecord,
  now: number,
  { atRiskMs, keepAliveMs }: Durations,
): record is ExpiringRecord {
  if (record.kind !== 'expiring' || record.mark !== null) return false
  return record.refreshTokenExpiresAt - now <= atRiskMs && record.obtainedAt + keepAliveMs <= now
}

/** Whether a marked shop's candidates are due for their daily try. */
export function markIsStale(record: ExpiringRecord, now: number, { markedRetryMs }: Durations): boolean {
  return record.mark !== null && isTryDue(record.mark, now, { markedRetryMs }) && now < endOf(record)
}

/** Whether a marked shop may be tried again. */
export function isTryDue(
  { triedAt }: ReauthorizationMark,
  now: number,
  { markedRetryMs }: Pick<Durations, 'markedRetryMs'>,
): boolean {
  return now >= triedAt + markedRetryMs || isAhead(triedAt, now)
}

/** Whether nobody has renewed the pair on record for so long that Shopify has ended it. */
export function hasLapsed(record: TokenRecord, now: number): boolean {
  return record.kind === 'expiring' && now >= endOf(record)
}

/** When no refresh token of the record can live any more. An end that Shopify did not tell is recorded cautiously early; here the documented 90 days count. */
function endOf({ obtainedAt, refreshTokenExpiresAt }: ExpiringRecord): number {
  return Math.max(refreshTokenExpiresAt, obtainedAt + DOCUMENTED_REFRESH_LIFETIME_MS)
}

/** Whether a cool-down still holds. One that ends later than any can was written under a wrong clock, and does not. */
export function isPausing(
  { until }: CoolDown,
  now: number,
  { maxCoolDownMs }: Pick<Durations, 'maxCoolDownMs'>,
): boolean {
  return now < until && !isAhead(until - maxCoolDownMs, now)
}
