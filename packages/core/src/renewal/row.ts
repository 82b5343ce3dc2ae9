import { randomUUID } from 'node:crypto'
import type { Durations } from '../durations.js'
import { isShopifyTokenError } from '../errors.js'
import type { Credential } from '../oauth/grants.js'
import type { PutResult, Snapshot, Version } from '../ports/token-store.js'
import { fingerprint } from '../secret.js'
import type { Attempt, RecordKey, TokenRecord } from '../token.js'
import { isAcquisition } from './merge.js'
import type { RunContext } from './run-context.js'
import { sweepAtOf } from './schedule.js'

/** The row with a run's attempt in it, right before a credential is presented. */
export interface Announced {
  readonly record: TokenRecord
  readonly version: Version
  readonly attemptId: string
  /** Not after the attempt's own instant, monotonic: the lease counts from here. */
  readonly at: number
  /** Whether an earlier run had presented the same credential: then the answer may be a replay. */
  readonly presentedBefore: boolean
}

/** Writes that only spare others work are not worth more tries. */
const MAX_COURTESY_TRIES = 3

const EMPTY: TokenRecord = { kind: 'empty', attempts: [], mark: null, coolDown: null, sweepAt: null }

/** The row of one shop in the hands of one run, which knows its own attempts among those in it. */
export class Row {
  readonly #context: RunContext
  readonly #key: RecordKey
  readonly #own = new Set<string>()
  readonly #unanswered = new Set<string>()
  /** Others' attempts whose doubt has been told. */
  readonly #reported = new Set<string>()
  /** When the last read began: an attempt written on it carries the store's time of that read, not of its own write. */
  #readAt = 0

  constructor(context: RunContext, key: RecordKey) {
    this.#context = context
    this.#key = key
  }

  /** Ids of the attempts that the run has written. */
  get own(): ReadonlySet<string> {
    return this.#own
  }

  get(): Promise<Snapshot> {
    this.#readAt = this.#context.clock.monotonic()
    return this.#context.store.get(this.#key)
  }

  /** Compare-and-set, with `sweepAt` brought up to date. */
  put(record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    return this.#context.store.put(this.#key, this.scheduled(record), expected)
  }

  /** Compare-and-set whose answer, if it was lost, is looked for in the row. `null`: somebody else wrote first. */
  async putForSure(
    record: TokenRecord,
    expected: Version | 'absent',
    wasWritten: (present: TokenRecord) => boolean,
  ): Promise<Version | null> {
    try {
      const result = await this.put(record, expected)
      return result.outcome === 'written' ? result.version : null
    } catch (error) {
      if (!isShopifyTokenError(error) || error.code !== 'ERR_STORE_UNAVAILABLE') throw error
      // Perhaps written, and only the row can tell.
      const { record: present, version } = await this.get()
      const isThere = present !== null && wasWritten(present)
      if (!isThere || version === 'absent') throw error
      return version
    }
  }

  /** The record with the `sweepAt` that it is stored with. */
  scheduled<R extends TokenRecord>(record: R): R {
    const { durations, time } = this.#context
    const sweepAt = sweepAtOf(record, time.now(), durations)
    // An idle shop has no second chance: a needless visit is better than one that a wrong clock has put years ahead.
    return { ...record, sweepAt: sweepAt === null ? null : Math.max(0, sweepAt - time.perhapsAheadMs) }
  }

  /** Writes an attempt into the row. `null`: somebody else wrote first, and nothing may be sent. */
  async announce(snapshot: Snapshot, { grant, value }: Credential): Promise<Announced | null> {
    const { durations, events } = this.#context
    const at = this.#readAt
    const base = snapshot.record ?? EMPTY
    const credential = fingerprint(value)
    const attempt: Attempt = { id: randomUUID(), grant, credential, at: snapshot.now }
    const others = base.attempts.filter(({ id }) => !this.#own.has(id))
    const left = condensed(datedBy(this.withoutAnswered(base), snapshot.now), snapshot.now, durations)
    const announcement: TokenRecord = { ...base, attempts: [...left, attempt] }

    const wasWritten = (present: TokenRecord): boolean => present.attempts.some(({ id }) => id === attempt.id)
    const version = await this.putForSure(announcement, snapshot.version, wasWritten)
    if (version === null) return null
    this.#own.add(attempt.id)
    for (const other of others.filter(({ id }) => !this.#reported.has(id))) {
      this.#reported.add(other.id)
      const ageMs = snapshot.now - other.at
      events.emit({ type: 'grant.inDoubt', shop: this.#key.shop, grant: other.grant, ageMs })
    }
    const isPredecessor = grant === 'refresh' && base.kind === 'expiring' && base.predecessor === value
    const presentedBefore = isPredecessor || others.some((other) => other.credential === credential)
    return { record: announcement, version, attemptId: attempt.id, at, presentedBefore }
  }

  /** Notes that a request went out whose outcome nobody knows: its attempt stays in the row when the run ends. */
  leaveInDoubt({ attemptId }: Announced): void {
    this.#unanswered.add(attemptId)
  }

  /** Takes the run's own attempts out of the row, those in doubt excepted; with them others' that `isOver` says are. */
  async withdraw(isOver: (attempt: Attempt) => boolean = () => false): Promise<void> {
    if ([...this.#own].every((id) => this.#unanswered.has(id))) return
    try {
      const { record, version } = await this.get()
      if (record === null || version === 'absent') return
      const left = (row: TokenRecord): readonly Attempt[] => this.withoutAnswered(row).filter((one) => !isOver(one))
      if (left(record).length === record.attempts.length) return
      await this.rewrite(record, version, (row) => ({ ...row, attempts: left(row) }))
    } catch (error) {
      // The attempt ages by itself; the run's own outcome matters more than this courtesy.
      if (!isShopifyTokenError(error)) throw error
    }
  }

  /** A write that spares others work and may be left undone. Resolves with the row as last known. */
  async rewrite(
    record: TokenRecord,
    version: Version,
    change: (record: TokenRecord) => TokenRecord,
  ): Promise<TokenRecord | null> {
    let row = record
    let expected = version
    for (let n = 1; n <= MAX_COURTESY_TRIES; n++) {
      try {
        const next = this.scheduled(change(row))
        const result = await this.put(next, expected)
        if (result.outcome === 'written') return next
        const { present } = result
        if (present.record === null || present.version === 'absent') return null
        row = present.record
        expected = present.version
      } catch (error) {
        if (!isShopifyTokenError(error)) throw error
        return row
      }
    }
    return row
  }

  /** The attempts of a row that stay when this run withdraws its own: others', and own ones in doubt. */
  withoutAnswered(record: TokenRecord): readonly Attempt[] {
    return record.attempts.filter(({ id }) => !this.#own.has(id) || this.#unanswered.has(id))
  }
}

/** An attempt from the future is a clock set back. It ages from here on: no put would ever find it to be over. */
function datedBy(attempts: readonly Attempt[], now: number): readonly Attempt[] {
  return attempts.map((attempt) => (attempt.at > now ? { ...attempt, at: now } : attempt))
}

/**
 * Runs that had no answer each leave an attempt, and a long outage has many. Once no request of theirs can be on its way
 * any more, the newest tells all: that its credential was presented, or that some acquisition is in doubt.
 */
function condensed(
  attempts: readonly Attempt[],
  now: number,
  { lateRequestMs }: Pick<Durations, 'lateRequestMs'>,
): readonly Attempt[] {
  const told = new Set<string>()
  return attempts
    .toReversed()
    .filter(({ at, credential, grant }) => {
      if (now - at <= lateRequestMs) return true
      const doubt = isAcquisition(grant) ? 'acquisition' : `${grant} ${credential}`
      return !told.has(doubt) && told.add(doubt)
    })
    .toReversed()
}
