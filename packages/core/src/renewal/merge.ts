import type { Attempt, ExpiringRecord, Grant, MintedRecord, NonExpiringRecord, TokenRecord } from '../token.js'
import { candidates, isServable } from '../token.js'
import { keepingEarlyLook } from './schedule.js'
import { mayBeAfterRemoval } from './uninstall-rule.js'

/** What a run has to store, and what it knew when it asked for it. */
export interface Minted {
  /** The new record as it would stand without a conflict, but for attempts. */
  readonly record: MintedRecord
  readonly grant: Grant
  /** The row as it was read before the POST that succeeded. Never renewed, however often the put conflicts. */
  readonly read: TokenRecord | null
  /** The run's own attempts; they leave the row with the put. */
  readonly attemptIds: ReadonlySet<string>
  /** Attempts begun before this instant of the store's clock are over, however late their requests arrived. */
  readonly settledBefore: number
  /** How late a request can arrive. */
  readonly lateRequestMs: number
}

/** What to do with the row. */
export type Merge =
  /** Put this record. */
  | { readonly outcome: 'put'; readonly record: MintedRecord }
  /** The row has what we minted, or as good, already, and nothing in it needs to change. */
  | { readonly outcome: 'stored'; readonly record: MintedRecord }
  /** The app was removed meanwhile: the pair dies with it. Or a token that can be requested again met another grant's. */
  | { readonly outcome: 'drop' }

/** More candidates than this are never kept. */
const MAX_CANDIDATES = 8

/**
 * Joins a minted pair with the row that stands where it should go. `conflicted`: the row is no longer the one that
 * holds our attempt.
 *
 * Which of two pairs was minted last cannot be known, and "keep the later one" orphans shops. So nothing that may live
 * is dropped: the row keeps both pairs' refresh tokens as candidates, until a refresh shows which one lives.
 */
export function merge(minted: Minted, present: TokenRecord | null, conflicted: boolean): Merge {
  const { record } = minted
  const attempts = remainingAttempts(minted, present)
  if (!conflicted) return { outcome: 'put', record: { ...record, attempts } }

  if (present?.kind === 'removed') {
    const acquiredAfter = isAcquisition(minted.grant) && mayBeAfterRemoval(record.confirmedAt, present.removedAt)
    return acquiredAfter ? { outcome: 'put', record: { ...record, attempts } } : { outcome: 'drop' }
  }
  if (record.kind === 'client-credentials' && isServable(present) && present.kind !== record.kind) {
    return { outcome: 'drop' }
  }
  const holder = holderOf(minted, present)
  if (holder !== null) {
    // Our own write, whose answer was lost: the pause that came with the pair still holds.
    const coolDown = holder.accessToken === record.accessToken ? record.coolDown : null
    const pausesAsMinted = holder.coolDown?.until === coolDown?.until
    const clean = holder.mark === null && pausesAsMinted && holder.attempts.length === attempts.length
    return clean
      ? { outcome: 'stored', record: holder }
      : { outcome: 'put', record: { ...holder, mark: null, coolDown, attempts } }
  }
  if (record.kind !== 'expiring' || present?.kind !== 'expiring') {
    return { outcome: 'put', record: { ...record, attempts } }
  }
  return { outcome: 'put', record: { ...joined(minted, record, present), attempts } }
}

/** The present row, if it holds what `record` would bring, in any place, or what serves as well. */
function holderOf({ grant, read, record }: Minted, present: TokenRecord | null): MintedRecord | null {
  switch (record.kind) {
    case 'expiring':
      if (present?.kind === 'expiring') return candidates(present).includes(record.refreshToken) ? present : null
      // A merchant brought it meanwhile, which may have ended what we bring; but nothing has ended that token since.
      return present?.kind === 'non-expiring' && !isSameToken(present, read) ? present : null
    case 'non-expiring':
      // Asked for a pair, and got none: others were luckier.
      if (grant === 'migration' && present?.kind === 'expiring') return present
      return present?.kind === 'non-expiring' && present.accessToken === record.accessToken ? present : null
    case 'client-credentials':
      return present?.kind === 'client-credentials' && present.expiresAt >= record.expiresAt ? present : null
  }
}

function isSameToken(present: NonExpiringRecord, read: TokenRecord | null): boolean {
  return read?.kind === 'non-expiring' && read.accessToken === present.accessToken
}

function joined(minted: Minted, mine: ExpiringRecord, present: ExpiringRecord): ExpiringRecord {
  const read = candidates(minted.read)
  const isNew = (token: string): boolean => !read.includes(token)
  const leads = isAcquisition(minted.grant) || !isNew(present.refreshToken)

  const predecessor = mine.predecessor
  const kept = new Set([
    ...(leads ? [present.refreshToken] : []),
    ...present.alternates,
    ...(present.predecessor === null ? [] : [present.predecessor]),
  ])
  const alternates = [...kept].filter((token) => isNew(token) && token !== predecessor)
  if (!leads) alternates.push(mine.refreshToken)

  const lead = leads ? mine : present
  return {
    ...lead,
    renewAt: keepingEarlyLook(lead, leads ? present : mine, minted),
    alternates: bounded(alternates, present.alternates, predecessor),
    predecessor,
    mark: null,
    coolDown: null,
  }
}

/** Beyond the limit, the alternates that have been in the row for longest go. */
function bounded(alternates: readonly string[], longest: readonly string[], predecessor: string | null): string[] {
  const room = MAX_CANDIDATES - (predecessor === null ? 1 : 2)
  const byAge = [...alternates].sort((a, b) => age(longest, b) - age(longest, a))
  const leaving = new Set(byAge.slice(0, Math.max(0, alternates.length - room)))
  return alternates.filter((token) => !leaving.has(token))
}

/** Longest in the row first: earlier places of the present alternates are older, everything else is new. */
function age(longest: readonly string[], token: string): number {
  const place = longest.indexOf(token)
  return place === -1 ? 0 : longest.length - place
}

function remainingAttempts({ attemptIds, settledBefore }: Minted, present: TokenRecord | null): readonly Attempt[] {
  return (present?.attempts ?? []).filter(({ id, at }) => !attemptIds.has(id) && at >= settledBefore)
}

/** Whether the grant ends every earlier refresh token of the shop at once. */
export function isAcquisition(grant: Grant): boolean {
  return grant === 'id-token' || grant === 'code'
}
