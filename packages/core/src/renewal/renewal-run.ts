import { randomUUID } from 'node:crypto'
import type { Durations } from '../durations.js'
import {
  type AnyShopifyTokenError,
  ClosedError,
  InvalidSessionTokenError,
  isShopifyTokenError,
  LeaseTimeoutError,
  ReauthorizationRequiredError,
  RotationNotStoredError,
  TokenEndpointError,
} from '../errors.js'
import type { EventBus } from '../events.js'
import type { Credential } from '../oauth/grants.js'
import type { SessionToken } from '../oauth/id-token.js'
import type { Refusal, Terminal } from '../oauth/refusal.js'
import { type Exchange, presentCredential, type TokenEndpoint } from '../oauth/token-endpoint.js'
import type { MintedTokens } from '../oauth/token-response.js'
import type { Clock } from '../ports/clock.js'
import { isHeld, type Lease, type Lock } from '../ports/lock.js'
import type { Snapshot, Version } from '../ports/token-store.js'
import { fingerprint } from '../secret.js'
import type { Shop } from '../shop.js'
import {
  type Attempt,
  candidates,
  type ExpiringRecord,
  isServable,
  type RecordKey,
  type ServableRecord,
  type TokenRecord,
} from '../token.js'
import { coolDownAfter, coolDownAfterRejection, retryDelayMs } from './backoff.js'
import { canServe, decide, type Facts, othersUnderWay, type Want } from './decide.js'
import { merge } from './merge.js'
import { type Minting, newRecord } from './new-record.js'
import { sweepAtOf } from './schedule.js'
import type { ShopifyTime } from './shopify-time.js'
import type { StoreCalls } from './store-calls.js'

/** What a run needs from its surroundings. */
export interface RunContext {
  readonly durations: Durations
  readonly endpoint: TokenEndpoint
  readonly store: StoreCalls
  readonly lock: Lock | null
  readonly clock: Clock
  readonly time: ShopifyTime
  readonly events: EventBus
  readonly random: () => number
  readonly secretId: string
  readonly knownSecretIds: ReadonlySet<string>
  readonly requireExpiring: boolean
  readonly verifyIdToken: (idToken: string) => Promise<SessionToken>
  /** Pairs that Shopify has minted and the store has not taken yet: the only copies there are. */
  readonly unstored: Map<Shop, ServableRecord>
  /** Aborts when the manager begins to close: no new grants, no repetitions. */
  readonly closing: AbortSignal
  /** Aborts when closing has taken too long: unstored pairs are given up. */
  readonly abandon: AbortSignal
}

/** The row with this run's attempt in it, right before a credential is presented. */
interface Announced {
  readonly record: TokenRecord
  readonly version: Version
  /** When the attempt was begun, monotonic: the lease counts from here. */
  readonly at: number
  readonly attemptId: string
  /** Whether an earlier run had presented the same credential without reporting back. */
  readonly presentedBefore: boolean
}

/** Life that an ID token must have left to be worth sending. */
const ID_TOKEN_MARGIN_MS = 10_000
/** How much longer than a lease a run waits for others before it gives up. */
const WAIT_MARGIN_MS = 2_000
/** Mean pause between two looks at a row that another process is renewing. */
const POLL_MS = 100
/** First cap of the jittered pause between two requests. */
const RETRY_BASE_MS = 200
/** Longest pause between two tries to store a pair: it is the only copy. */
const MAX_STORE_PAUSE_MS = 5_000
/** Writes that only spare others work are not worth more tries. */
const MAX_COURTESY_TRIES = 3

/**
 * One run of the gate for one shop: get, decide, announce the attempt, present the credential, put; on conflict merge
 * and put again. Nothing is presented without an attempt in the row, and nothing minted is let go.
 */
export class RenewalRun {
  readonly #context: RunContext
  readonly #key: RecordKey
  readonly #shop: Shop
  #want: Want
  readonly #offer: (record: ServableRecord) => void

  /** Ids of the attempts this run has written; those whose requests were all answered may be withdrawn. */
  readonly #own = new Set<string>()
  readonly #unanswered = new Set<string>()
  readonly #presented = new Set<string>()
  /** The store's clock when the run began. */
  #beganAt: number | null = null
  #requests = 0
  #lease: Lease | null = null
  readonly #startedAt: number

  /** `offer` hands out a pair that the store has not taken yet: callers need not wait for it. */
  constructor(context: RunContext, shop: Shop, want: Want, offer: (record: ServableRecord) => void) {
    this.#context = context
    this.#shop = shop
    this.#key = { clientId: context.endpoint.clientId, shop }
    this.#want = want
    this.#offer = offer
    this.#startedAt = context.clock.monotonic()
  }

  /** Resolves with the record to serve once nothing is left to do, or rejects with why there is none. */
  async execute(): Promise<ServableRecord> {
    try {
      for (;;) {
        const snapshot = await this.#get()
        const served = await this.#act(snapshot)
        if (served !== null) return served
      }
    } finally {
      await this.#releaseLock()
    }
  }

  /** `null`: begin again at the row. */
  async #act(snapshot: Snapshot): Promise<ServableRecord | null> {
    const { events } = this.#context
    const decision = decide(snapshot, this.#want, this.#facts())
    switch (decision.do) {
      case 'serve':
        this.#reportOutdated(decision.record)
        return decision.record
      case 'fail':
        if (decision.error.code === 'ERR_SECRET_OUTDATED') events.emit({ type: 'secret.outdated', shop: this.#shop })
        throw decision.error
      case 'wait':
        return this.#pause()
      case 'mark':
        return this.#mark(snapshot, 'access-token-rejected')
      case 'pauseRejected':
        return this.#pauseRejected(snapshot, decision.record)
      case 'refresh':
        return this.#grant(snapshot, { grant: 'refresh', value: decision.record.refreshToken })
      case 'acquire':
        return this.#grant(snapshot, { grant: 'id-token', value: await this.#usableIdToken() })
    }
  }

  async #grant(snapshot: Snapshot, credential: Credential): Promise<ServableRecord | null> {
    if (this.#context.closing.aborted) throw new ClosedError({ shop: this.#shop })
    if (!(await this.#takeLock())) return this.#pause()
    const announced = await this.#announce(snapshot, credential)
    if (announced === null) return null
    const exchange = await this.#exchange(announced, credential)
    return this.#conclude(snapshot, announced, credential, exchange)
  }

  async #conclude(
    read: Snapshot,
    announced: Announced,
    credential: Credential,
    exchange: Exchange,
  ): Promise<ServableRecord | null> {
    const { answer } = exchange
    if (answer.outcome === 'granted') return this.#keep(read, announced, credential, exchange, answer.tokens)
    if (answer.outcome !== 'terminal') return this.#giveUp(announced, answer, exchange.requestId)
    if (credential.grant === 'refresh') return this.#afterTerminal(answer, read.record)
    await this.#withdraw()
    throw answer.reason === 'app-not-installed'
      ? new ReauthorizationRequiredError('app-not-installed', { shop: this.#shop, requestId: exchange.requestId })
      : new InvalidSessionTokenError('expired', { shop: this.#shop, requestId: exchange.requestId })
  }

  /** Writes the attempt into the row. `null`: somebody else wrote first, nothing was sent. */
  async #announce(snapshot: Snapshot, { grant, value }: Credential): Promise<Announced | null> {
    const { clock, durations, events, time } = this.#context
    const base: TokenRecord = snapshot.record ?? EMPTY
    const credential = fingerprint(value)
    const at = clock.monotonic()
    const attempt: Attempt = { id: randomUUID(), grant, credential, at: snapshot.now }
    const others = base.attempts.filter(({ id }) => !this.#own.has(id))
    for (const other of others) {
      events.emit({ type: 'grant.inDoubt', shop: this.#shop, grant: other.grant, ageMs: snapshot.now - other.at })
    }
    const kept = base.attempts.filter(({ id }) => !this.#own.has(id) || this.#unanswered.has(id))
    const record = withSweep({ ...base, attempts: [...kept, attempt] }, time.now(), durations)

    const version = await this.#putAttempt(record, snapshot.version, attempt.id)
    if (version === null) return null
    this.#own.add(attempt.id)
    const presentedBefore =
      others.some((other) => other.credential === credential) ||
      (grant === 'refresh' && base.kind === 'expiring' && base.predecessor === value)
    return { record, version, at, attemptId: attempt.id, presentedBefore }
  }

  async #putAttempt(record: TokenRecord, expected: Version | 'absent', attemptId: string): Promise<Version | null> {
    const { store } = this.#context
    try {
      const result = await store.put(this.#key, record, expected)
      return result.outcome === 'written' ? result.version : null
    } catch (error) {
      if (!isUnknown(error)) throw error
      // Perhaps written. Only the row can tell, and without an attempt in it nothing may be sent.
      const { record: present, version } = await store.get(this.#key)
      const written = present?.attempts.some(({ id }) => id === attemptId) === true
      if (!written || version === 'absent') throw error
      return version
    }
  }

  /** Presents the credential until the answer is worth acting on, the budget is spent or the lease runs out. */
  async #exchange(announced: Announced, credential: Credential): Promise<Exchange> {
    const { clock, closing, durations, endpoint, events, random, time } = this.#context
    const { leaseMs, requestTimeoutMs, retryBudgetMs } = durations
    this.#presented.add(credential.value)
    for (let n = 1; ; n++) {
      const exchange = await presentCredential(endpoint, this.#shop, credential)
      this.#requests++
      time.learn(exchange.dateHeader, exchange.sentAt, exchange.answeredAt)
      const { answer } = exchange
      if (answer.outcome === 'unavailable' && !answer.understood) {
        const { status, error } = answer
        events.emit({ type: 'answer.unknown', shop: this.#shop, status, error, requestId: exchange.requestId })
      }
      if (answer.outcome !== 'transient') return exchange
      if (!answer.conclusive) this.#unanswered.add(announced.attemptId)

      const delay = retryDelayMs(n, RETRY_BASE_MS, answer.retryAfterMs, random)
      const spentThen = clock.monotonic() - announced.at + delay
      if (closing.aborted || spentThen > retryBudgetMs || leaseMs - spentThen <= requestTimeoutMs) return exchange
      const slept = await clock.sleep(delay, closing).then(
        () => true,
        () => false,
      )
      if (!slept) return exchange
    }
  }

  /** Stores what was minted, whatever it takes, and renews once more when the pair may be an older answer's replay. */
  async #keep(
    read: Snapshot,
    announced: Announced,
    credential: Credential,
    exchange: Exchange,
    tokens: MintedTokens,
  ): Promise<ServableRecord | null> {
    const { clock, durations, events, random, requireExpiring, time } = this.#context
    const { grant } = credential
    if (tokens.kind === 'non-expiring' && requireExpiring) {
      await this.#withdraw()
      throw new TokenEndpointError(
        'ERR_TOKEN_RESPONSE_INVALID',
        'Asked for an expiring token, Shopify answered with one that never expires, and requireExpiring is set.',
        { shop: this.#shop, requestId: exchange.requestId },
      )
    }
    const { trigger } = this.#want
    const base = announced.record
    const previous = isServable(base) ? base : null
    const minting: Minting = {
      grant,
      presented: credential.value,
      sentAt: time.corrected(exchange.sentAt),
      confirmedAt: exchange.dateHeader ?? time.corrected(exchange.answeredAt),
      requests: this.#requests,
      secretId: this.#context.secretId,
      previousScopes: previous?.scopes ?? [],
      forRejected: trigger === 'rejected',
      replayPossible: announced.presentedBefore,
      coolDown: trigger === 'rejected' && base.coolDown?.scope === 'rejected' ? base.coolDown : null,
    }
    const minted = newRecord(tokens, minting, durations, random)
    const again = minted.doubtful && trigger === 'confirm'
    const record = again
      ? { ...minted.record, coolDown: coolDownAfter(NO_LIFETIME, base.coolDown, time.now(), durations) }
      : minted.record

    const stored = await this.#store(read, announced, grant, record)
    if (stored === null) return this.#removedMeanwhile()

    const detail = {
      shop: this.#shop,
      durationMs: Math.round(clock.monotonic() - this.#startedAt),
      requests: this.#requests,
      expiresAt: stored.kind === 'expiring' ? stored.expiresAt : Infinity,
      requestId: exchange.requestId,
    }
    events.emit(
      grant === 'refresh'
        ? { type: 'token.rotated', trigger, ...detail }
        : { type: 'token.acquired', grant, ...detail },
    )
    if (stored.kind === 'non-expiring') events.emit({ type: 'token.notExpiring', shop: this.#shop, grant })
    if (previous !== null && previous.mark !== null) events.emit({ type: 'reauthorization.cleared', shop: this.#shop })
    if (!minted.doubtful || again) return stored

    this.#want = { trigger: 'confirm' }
    this.#requests = 0
    return null
  }

  /**
   * Puts a minted pair until it is stored, merged or overtaken by a removal; meanwhile it is served from memory.
   * `null`: the app was removed.
   */
  async #store(
    read: Snapshot,
    announced: Announced,
    grant: Credential['grant'],
    mine: ServableRecord & { kind: 'expiring' | 'non-expiring' },
  ): Promise<ServableRecord | null> {
    const { durations, events, store, time, unstored } = this.#context
    const minted = {
      record: mine,
      grant,
      read: read.record,
      attemptIds: this.#own,
      settledBefore: (this.#beganAt ?? read.now) - durations.lateRequestMs,
    }
    let present: TokenRecord | null = announced.record
    let version: Version | 'absent' = announced.version
    for (let tries = 1; ;) {
      const merged = merge(minted, present, version !== announced.version)
      if (merged.outcome === 'drop') {
        unstored.delete(this.#shop)
        return null
      }
      if (merged.outcome === 'stored') {
        unstored.delete(this.#shop)
        return merged.record
      }
      const record = withSweep(merged.record, time.now(), durations)
      try {
        const result = await store.put(this.#key, record, version)
        if (result.outcome === 'written') {
          unstored.delete(this.#shop)
          if (version !== announced.version) {
            events.emit({ type: 'rotation.merged', shop: this.#shop, candidates: candidates(record).length })
          }
          return record
        }
        present = result.present.record
        version = result.present.version
      } catch (error) {
        const row = await this.#afterFailedPut(error, record, tries++)
        present = row.record
        version = row.version
      }
    }
  }

  /** Serves the pair from memory, and re-reads before anything else: the put may have happened. */
  async #afterFailedPut(error: unknown, record: ServableRecord, tries: number): Promise<Snapshot> {
    const { clock, abandon, events, random, store, unstored } = this.#context
    unstored.set(this.#shop, record)
    this.#offer(record)
    for (let n = tries; ; n++) {
      events.emit({ type: 'rotation.unstored', shop: this.#shop, tries: n })
      const pause = Math.min(MAX_STORE_PAUSE_MS, retryDelayMs(n, RETRY_BASE_MS, undefined, random))
      await clock.sleep(pause, abandon).catch(() => undefined)
      if (abandon.aborted) throw new RotationNotStoredError([this.#shop], { shop: this.#shop, cause: error })
      try {
        return await store.get(this.#key)
      } catch (failure) {
        error = failure
      }
    }
  }

  /** A refresh token is dead. Try the row's others; then the ID token; then, if nobody else is trying, say so. */
  async #afterTerminal(terminal: Terminal, firstRead: TokenRecord | null): Promise<ServableRecord | null> {
    const { durations, store, time } = this.#context
    let reason: 'refresh-token-rejected' | 'app-not-installed' = REASONS[terminal.reason]
    for (;;) {
      const snapshot = await store.get(this.#key)
      const { record } = snapshot
      if (record?.kind === 'removed') {
        await this.#withdraw()
        return this.#removedMeanwhile()
      }
      if (record?.kind !== 'expiring') {
        await this.#withdraw()
        return null
      }
      const renewedByOthers = firstRead?.kind === 'expiring' && record.refreshToken !== firstRead.refreshToken
      if (renewedByOthers && canServe(record, this.#want, { now: time.now(), durations })) {
        await this.#withdraw()
        return record
      }

      const next = candidates(record).find((token) => !this.#presented.has(token))
      const credential: Credential | null =
        next !== undefined
          ? { grant: 'refresh', value: next }
          : this.#want.idToken !== undefined
            ? { grant: 'id-token', value: await this.#usableIdToken() }
            : null
      if (credential !== null) {
        if (this.#context.closing.aborted) {
          await this.#withdraw()
          throw new ClosedError({ shop: this.#shop })
        }
        const announced = await this.#announce(snapshot, credential)
        if (announced === null) continue
        const exchange = await this.#exchange(announced, credential)
        if (exchange.answer.outcome === 'terminal' && credential.grant === 'refresh') {
          reason = REASONS[exchange.answer.reason]
          continue
        }
        return this.#conclude(snapshot, announced, credential, exchange)
      }

      if (othersUnderWay(snapshot, this.#own, durations).length > 0) {
        await this.#withdraw()
        await this.#pause()
        continue
      }
      const marked = await this.#mark(snapshot, reason)
      if (marked !== null) return marked
    }
  }

  /** Marks the shop by compare-and-set on the row as read. `null`: the row has changed, look again. */
  async #mark(
    snapshot: Snapshot,
    reason: 'refresh-token-rejected' | 'app-not-installed' | 'access-token-rejected',
  ): Promise<ServableRecord | null> {
    const { durations, events, store, time } = this.#context
    const { record } = snapshot
    if (!isServable(record)) return null
    const now = time.now()
    const mark = { reason, at: record.mark?.at ?? now, triedAt: now }
    const next = withSweep({ ...record, mark, coolDown: null, attempts: this.#answeredRemoved(record) }, now, durations)
    const result = await store.put(this.#key, next, snapshot.version)
    if (result.outcome === 'conflict') return null
    if (record.mark === null) events.emit({ type: 'reauthorization.required', shop: this.#shop, reason })
    if (canServe(next, this.#want, { now, durations }) && this.#want.trigger === 'ahead') return next
    throw new ReauthorizationRequiredError(reason, { shop: this.#shop })
  }

  /** Shopify's Admin API refuses new tokens too. Renewing costs pairs and brings nothing: pause it for this reason. */
  async #pauseRejected(snapshot: Snapshot, record: ExpiringRecord): Promise<ServableRecord | null> {
    const { durations, events, store, time } = this.#context
    const now = time.now()
    const coolDown = coolDownAfterRejection(record.coolDown, now, durations)
    const result = await store.put(this.#key, { ...record, coolDown, mintedForRejected: false }, snapshot.version)
    if (result.outcome === 'conflict') return null
    events.emit({ type: 'token.rejectedFresh', shop: this.#shop, coolDownMs: coolDown.until - now })
    return { ...record, coolDown, mintedForRejected: false }
  }

  /** No pair, no verdict: leave a cool-down in the row, keep the tokens, and serve them while they live. */
  async #giveUp(
    announced: Announced,
    refusal: Exclude<Refusal, Terminal>,
    requestId: string | undefined,
  ): Promise<ServableRecord | null> {
    const { durations, events, time } = this.#context
    const coolDown = coolDownAfter(refusal, announced.record.coolDown, time.now(), durations)
    const present = await this.#rewrite(announced.record, announced.version, (record) => ({
      ...record,
      coolDown: renewedSince(record, announced.record) ? record.coolDown : coolDown,
      attempts: this.#answeredRemoved(record),
    }))
    const coolDownMs = coolDown.until - time.now()
    const error = errorOf(refusal, { shop: this.#shop, requestId, retryAfterMs: coolDownMs })
    events.emit({ type: 'renewal.failed', shop: this.#shop, code: error.code, coolDownMs, requestId })
    if (canServe(present, this.#want, { now: time.now(), durations })) return present
    throw error
  }

  /** Takes the run's own attempts out of the row, those with an unanswered request excepted. */
  async #withdraw(): Promise<void> {
    const { store } = this.#context
    const withdrawable = [...this.#own].some((id) => !this.#unanswered.has(id))
    if (!withdrawable) return
    try {
      const { record, version } = await store.get(this.#key)
      if (record === null || version === 'absent') return
      if (this.#answeredRemoved(record).length === record.attempts.length) return
      await this.#rewrite(record, version, (row) => ({ ...row, attempts: this.#answeredRemoved(row) }))
    } catch (error) {
      // The attempt ages by itself; the run's own outcome matters more than this courtesy.
      if (!isShopifyTokenError(error)) throw error
    }
  }

  /** A write that spares others work and may be left undone. Answers the row as last known. */
  async #rewrite(
    record: TokenRecord,
    version: Version,
    change: (record: TokenRecord) => TokenRecord,
  ): Promise<TokenRecord | null> {
    const { durations, store, time } = this.#context
    let row: TokenRecord = record
    let expected: Version = version
    for (let n = 1; n <= MAX_COURTESY_TRIES; n++) {
      try {
        const next = withSweep(change(row), time.now(), durations)
        const result = await store.put(this.#key, next, expected)
        if (result.outcome === 'written') return next
        const { present } = result
        if (present.record === null || present.version === 'absent') return present.record
        row = present.record
        expected = present.version
      } catch (error) {
        if (!isShopifyTokenError(error)) throw error
        return row
      }
    }
    return row
  }

  #answeredRemoved(record: TokenRecord): readonly Attempt[] {
    return record.attempts.filter(({ id }) => !this.#own.has(id) || this.#unanswered.has(id))
  }

  async #get(): Promise<Snapshot> {
    const snapshot = await this.#context.store.get(this.#key)
    this.#beganAt ??= snapshot.now
    return snapshot
  }

  /** Waits a moment for somebody else's run, but not for ever. Always `null`: look again. */
  async #pause(): Promise<null> {
    const { clock, closing, durations, random } = this.#context
    if (closing.aborted) throw new ClosedError({ shop: this.#shop })
    if (clock.monotonic() - this.#startedAt > durations.leaseMs + WAIT_MARGIN_MS) {
      throw new LeaseTimeoutError('Another run has been renewing this shop for longer than a lease may last.', {
        shop: this.#shop,
        retryAfterMs: WAIT_MARGIN_MS,
      })
    }
    await clock.sleep(Math.ceil(POLL_MS * (0.5 + random())), closing).catch(() => undefined)
    return null
  }

  async #usableIdToken(): Promise<string> {
    const idToken = this.#want.idToken ?? ''
    try {
      const { shop, expiresAt } = await this.#context.verifyIdToken(idToken)
      if (shop !== this.#shop) throw new InvalidSessionTokenError('shop')
      if (expiresAt - this.#context.time.now() < ID_TOKEN_MARGIN_MS) throw new InvalidSessionTokenError('expired')
      return idToken
    } catch (error) {
      await this.#withdraw()
      throw error
    }
  }

  async #takeLock(): Promise<boolean> {
    const { durations, events, lock } = this.#context
    if (lock === null || this.#lease !== null) return true
    try {
      const answer = await lock.tryAcquire(`${this.#key.clientId}:${this.#shop}`, durations.leaseMs)
      if (isHeld(answer)) return false
      this.#lease = answer
    } catch {
      events.emit({ type: 'lock.unavailable' })
    }
    return true
  }

  async #releaseLock(): Promise<void> {
    try {
      await this.#lease?.release()
    } catch {
      // The lease ends by itself.
      this.#context.events.emit({ type: 'lock.unavailable' })
    }
  }

  #removedMeanwhile(): never {
    throw new ReauthorizationRequiredError('removed', { shop: this.#shop })
  }

  #reportOutdated(record: ServableRecord): void {
    const { events, knownSecretIds } = this.#context
    if (record.kind === 'static' || knownSecretIds.has(record.secretId)) return
    events.emit({ type: 'secret.outdated', shop: this.#shop })
  }

  #facts(): Facts {
    const { durations, knownSecretIds, time } = this.#context
    return { shop: this.#shop, now: time.now(), durations, knownSecretIds, own: this.#own }
  }
}

const EMPTY: TokenRecord = { kind: 'empty', attempts: [], mark: null, coolDown: null, sweepAt: null }

/** A pair twice without a credible lifetime is treated like an outage: served, and left alone for a while. */
const NO_LIFETIME = { outcome: 'transient', status: 200, retryAfterMs: undefined, conclusive: true } as const

const REASONS = {
  'credential-dead': 'refresh-token-rejected',
  'app-not-installed': 'app-not-installed',
} as const satisfies Record<Terminal['reason'], string>

function withSweep<R extends TokenRecord>(record: R, now: number, durations: Durations): R {
  return { ...record, sweepAt: sweepAtOf(record, now, durations) }
}

function renewedSince(record: TokenRecord, before: TokenRecord): boolean {
  return record.kind === 'expiring' && before.kind === 'expiring' && record.refreshToken !== before.refreshToken
}

/** Unknown outcome, as opposed to a definite refusal of the store to take the value. */
function isUnknown(error: unknown): boolean {
  return isShopifyTokenError(error) && error.code === 'ERR_STORE_UNAVAILABLE'
}

function errorOf(
  refusal: Exclude<Refusal, Terminal>,
  details: { shop: Shop; requestId: string | undefined; retryAfterMs: number },
): AnyShopifyTokenError {
  const { status } = refusal
  switch (refusal.outcome) {
    case 'misconfigured':
      return new TokenEndpointError(
        'ERR_APP_MISCONFIGURED',
        'Shopify does not accept the client id and secret; compare both with the app in the Partner Dashboard.',
        { ...details, status },
      )
    case 'unavailable':
      return new TokenEndpointError(
        'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
        `The shop's token endpoint answered ${String(status)}; its tokens are kept.`,
        { ...details, status },
      )
    case 'transient':
      return refusal.status !== undefined && refusal.status < 300
        ? new TokenEndpointError(
            'ERR_TOKEN_RESPONSE_INVALID',
            'The token endpoint answered without the tokens due; the stored ones are kept.',
            { ...details, status },
          )
        : new TokenEndpointError(
            'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
            status === undefined
              ? 'The token endpoint did not answer; the tokens are kept.'
              : `The token endpoint answered ${String(status)}; the tokens are kept.`,
            { ...details, status },
          )
  }
}
