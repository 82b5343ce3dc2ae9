import { ClosedError, isShopifyTokenError } from '../errors.js'
import type { Credential } from '../oauth/grants.js'
import type { Terminal } from '../oauth/refusal.js'
import type { MintedTokens } from '../oauth/token-response.js'
import type { Snapshot } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import type { ReauthorizationMark, RecordKey, ServableRecord, TokenRecord } from '../token.js'
import { CredentialsAtHand } from './credentials-at-hand.js'
import { canServe, decide, othersUnderWay, type Want } from './decide.js'
import { type Inconclusive, reauthorizationRequired } from './failure.js'
import { keepPair } from './keep-pair.js'
import { LockHold } from './lock-hold.js'
import { mint } from './mint.js'
import { leaseTimeout, patienceMs } from './patience.js'
import { present, type Presented } from './present.js'
import { type Announced, Row } from './row.js'
import type { RowEar } from './row-news.js'
import type { RunContext } from './run-context.js'
import { tellKept } from './tell-kept.js'
import { giveUp, mark, MARK_REASONS, pauseRejected } from './verdicts.js'

/** Mean pause between two looks at a row that another process is renewing. */
const POLL_MS = 100
/** The same where the store announces writes: only for news that got lost. */
const POLL_BESIDE_NEWS_MS = 1_000

/**
 * One run of the gate for one shop: get, decide, announce the attempt, present the credential, put; on conflict merge
 * and put again. Nothing is presented without an attempt in the row, and nothing minted is let go.
 *
 * Steps that answer `null` mean: begin again at the row.
 */
export class RenewalRun {
  readonly #context: RunContext
  readonly #key: RecordKey
  readonly #shop: Shop
  readonly #row: Row
  readonly #lock: LockHold
  readonly #ear: RowEar
  readonly #offer: (record: ServableRecord) => void
  readonly #credentials: CredentialsAtHand
  readonly #startedAt: number
  #want: Want
  /** Whether the breaker has let the run through: waiting for somebody else afterwards does not cost it that. */
  #isAdmitted = false
  /** Whether it is the run's turn to replace the pair for want of scopes. */
  #mayGrow = false
  /** The store's clock when the run began. */
  #beganAt: number | null = null
  /** A stored pair whose lifetime is in doubt: what is served when renewing it once more fails. */
  #unconfirmed: ServableRecord | null = null

  /** `offer` hands out a pair that the store has not taken yet: callers need not wait for it. */
  constructor(context: RunContext, shop: Shop, want: Want, offer: (record: ServableRecord) => void) {
    const key = { clientId: context.endpoint.clientId, shop }
    this.#context = context
    this.#key = key
    this.#shop = shop
    this.#want = want
    this.#offer = offer
    this.#row = new Row(context, key)
    this.#lock = new LockHold(context, key)
    this.#credentials = new CredentialsAtHand(context, key, want)
    this.#ear = context.news.of(shop)
    this.#startedAt = context.clock.monotonic()
  }

  /** Resolves with the record to serve once nothing is left to do, or rejects with why there is none. */
  async execute(): Promise<ServableRecord> {
    try {
      for (;;) {
        const snapshot = await this.#look()
        this.#beganAt ??= snapshot.now
        const served = await this.#act(snapshot)
        if (served !== null) return served
      }
    } catch (error) {
      if (this.#unconfirmed !== null && isShopifyTokenError(error)) return this.#unconfirmed
      throw error
    } finally {
      this.#ear.end()
      await this.#credentials.release()
      await this.#lock.release()
    }
  }

  /** Reads the row; from here on news of it ends the next pause. */
  async #look(): Promise<Snapshot> {
    this.#ear.listen()
    const snapshot = await this.#row.get()
    this.#context.notices.met(this.#shop, snapshot.record)
    return snapshot
  }

  async #act(snapshot: Snapshot): Promise<ServableRecord | null> {
    const { durations, grant, knownSecretIds, time } = this.#context
    const facts = { ...this.#key, now: time.now(), durations, grant, knownSecretIds, own: this.#row.own }
    const decision = decide(snapshot, this.#want, facts)
    switch (decision.do) {
      case 'serve':
        if (decision.outdated) this.#tellOutdated()
        return decision.record
      case 'fail':
        if (decision.error.code === 'ERR_SECRET_OUTDATED') this.#tellOutdated()
        throw decision.error
      case 'wait':
        return this.#pause()
      case 'mark':
        return (await this.#mark(snapshot, 'access-token-rejected')) ?? this.#pause()
      case 'pauseRejected':
        return (await pauseRejected(this.#context, this.#row, this.#shop, snapshot, decision.record)) ?? this.#pause()
      case 'refresh':
        return this.#grant(snapshot, { grant: 'refresh', value: decision.record.refreshToken })
      case 'request':
        return this.#grant(snapshot, this.#own())
      case 'acquire':
        return this.#grant(snapshot, await this.#orFail(this.#credentials.acquisition()))
      case 'grow':
        return this.#grow(snapshot)
    }
  }

  async #grant(snapshot: Snapshot, credential: Credential): Promise<ServableRecord | null> {
    await this.#context.deployment.pass()
    this.#passBreaker()
    if (!(await this.#lock.take())) return this.#pause()
    const announced = await this.#announce(snapshot, credential)
    // Somebody else wrote first, so somebody else may be renewing: look again in a moment.
    if (announced === null) return this.#pause()
    const presented = await this.#present(credential, announced)
    return this.#conclude(snapshot, announced, credential, presented)
  }

  /** Replaces tokens that lack scopes, unless that was done a moment ago and has not helped. */
  async #grow(snapshot: Snapshot): Promise<ServableRecord | null> {
    const isRequested = snapshot.record?.kind === 'client-credentials'
    const credential = isRequested ? this.#own() : await this.#orFail(this.#credentials.idToken())
    this.#mayGrow ||= this.#context.grown.isDue(this.#shop)
    if (this.#mayGrow) return this.#grant(snapshot, credential)
    this.#want = { ...this.#want, scopes: undefined }
    return null
  }

  /** The app's own credentials, which go with every grant. */
  #own(): Credential {
    return { grant: 'client-credentials', value: this.#key.clientId }
  }

  async #announce(snapshot: Snapshot, credential: Credential): Promise<Announced | null> {
    const { clock, durations } = this.#context
    await this.#refuseWhenClosing()
    const announced = await this.#row.announce(snapshot, credential)
    if (announced === null) return null
    await this.#orFail(this.#credentials.spend(credential))
    const leaseLeft = durations.leaseMs - (clock.monotonic() - announced.at)
    if (leaseLeft > durations.requestTimeoutMs) return announced
    // The store was slow, or the process paused: others may take the shop over before Shopify has answered.
    await this.#row.withdraw()
    return null
  }

  async #present(credential: Credential, announced: Announced): Promise<Presented> {
    const presented = await present(this.#context, this.#row, this.#shop, credential, announced)
    if (presented.answer.outcome === 'terminal') this.#credentials.bury(credential)
    return presented
  }

  async #conclude(
    read: Snapshot,
    announced: Announced,
    credential: Credential,
    presented: Presented,
  ): Promise<ServableRecord | null> {
    const { answer, requestId } = presented
    if (answer.outcome === 'granted') return this.#keep(read, announced, credential, presented, answer.tokens)
    if (answer.outcome !== 'terminal') return this.#giveUp(announced, answer, requestId)
    if (credential.grant === 'refresh') return this.#afterTerminal(answer, read.record)
    await this.#row.withdraw()
    throw answer.reason === 'app-not-installed'
      ? reauthorizationRequired('app-not-installed', this.#key, requestId)
      : this.#credentials.refused(credential, requestId)
  }

  /** Stores what was minted, whatever it takes, and renews once more when the pair may be an older answer's replay. */
  async #keep(
    read: Snapshot,
    announced: Announced,
    credential: Credential,
    presented: Presented,
    tokens: MintedTokens,
  ): Promise<ServableRecord | null> {
    const { durations, time } = this.#context
    const { grant } = credential
    const { requestId, requests } = presented
    if (tokens.kind === 'non-expiring' && this.#context.requireExpiring) {
      return this.#giveUp(announced, { outcome: 'not-expiring' }, requestId)
    }

    const { record, doubtful } = mint(this.#context, this.#want, announced, credential, presented, tokens)
    const { lateRequestMs } = durations
    const settledBefore = (this.#beganAt ?? read.now) - lateRequestMs
    const minted = { record, grant, read: read.record, attemptIds: this.#row.own, settledBefore, lateRequestMs }
    const kept = await keepPair(this.#context, this.#row, this.#shop, announced, minted, this.#offer)
    if (kept === null && grant === 'client-credentials') {
      // Nothing is lost with the token; the row as it is now says what to do.
      await this.#row.withdraw()
      return null
    }
    if (kept === null) throw reauthorizationRequired('removed', this.#key)

    const keeping = { grant, durationMs: this.#elapsedMs(), requests, requestId }
    tellKept(this.#context, this.#shop, this.#want, kept, keeping)
    if (!doubtful) return kept.record

    this.#want = { trigger: 'confirm' }
    this.#unconfirmed = canServe(kept.record, this.#want, { now: time.now(), durations }) ? kept.record : null
    return null
  }

  /** A refresh token is dead. Try the row's others; then the ID token; then, if nobody else is trying, say so. */
  async #afterTerminal(terminal: Terminal, firstRead: TokenRecord | null): Promise<ServableRecord | null> {
    const { durations, time } = this.#context
    let { reason } = terminal
    for (;;) {
      const snapshot = await this.#look()
      const { record } = snapshot
      if (record?.kind !== 'expiring') {
        await this.#row.withdraw()
        return null
      }
      const renewedByOthers = firstRead?.kind === 'expiring' && record.refreshToken !== firstRead.refreshToken
      if (renewedByOthers && canServe(record, this.#want, { now: time.now(), durations })) {
        await this.#row.withdraw()
        return record
      }

      const credential = await this.#orFail(this.#credentials.next(record))
      if (credential !== null) {
        const announced = await this.#announce(snapshot, credential)
        if (announced === null) {
          await this.#pause()
          continue
        }
        const presented = await this.#present(credential, announced)
        const { answer } = presented
        if (!isOfShop(credential, answer)) return this.#conclude(snapshot, announced, credential, presented)
        ;({ reason } = answer)
      } else if (othersUnderWay(snapshot, this.#row.own, durations).length > 0) {
        await this.#row.withdraw()
        await this.#pause()
      } else {
        const marked = await this.#mark(snapshot, MARK_REASONS[reason])
        if (marked !== null) return marked
        await this.#pause()
      }
    }
  }

  #mark(snapshot: Snapshot, reason: ReauthorizationMark['reason']): Promise<ServableRecord | null> {
    return mark(this.#context, this.#row, this.#shop, this.#want, snapshot, reason)
  }

  #giveUp(announced: Announced, refusal: Inconclusive, requestId: string | undefined): Promise<ServableRecord> {
    return giveUp(this.#context, this.#row, this.#shop, this.#want, announced, refusal, requestId)
  }

  #tellOutdated(): void {
    const { events, outdated } = this.#context
    if (outdated.isDue(this.#shop)) events.emit({ type: 'secret.outdated', shop: this.#shop })
  }

  /** Waits for somebody else's run, but not for ever. Always `null`: look again. */
  async #pause(): Promise<null> {
    const { clock, durations, news, random } = this.#context
    await this.#refuseWhenClosing()
    if (this.#elapsedMs() > patienceMs(durations)) return this.#fail(leaseTimeout(this.#shop))
    const pollMs = news.isLive ? POLL_BESIDE_NEWS_MS : POLL_MS
    await clock.sleep(Math.ceil(pollMs * (0.5 + random())), this.#ear.heard).catch(() => undefined)
    return null
  }

  #passBreaker(): void {
    if (this.#isAdmitted || this.#want.trigger === 'forced') return
    this.#context.breaker.pass(this.#shop)
    this.#isAdmitted = true
  }

  async #refuseWhenClosing(): Promise<void> {
    if (this.#context.closing.aborted) await this.#fail(new ClosedError({ shop: this.#shop }))
  }

  async #orFail<T>(step: Promise<T>): Promise<T> {
    try {
      return await step
    } catch (error) {
      return this.#fail(error)
    }
  }

  /** An attempt whose request was answered would keep others from the shop, and have them doubt what it brought. */
  async #fail(error: unknown): Promise<never> {
    await this.#row.withdraw()
    throw error
  }

  #elapsedMs(): number {
    return Math.round(this.#context.clock.monotonic() - this.#startedAt)
  }
}

/** That a merchant's credential is dead says nothing of the shop; that the app is not installed does. */
function isOfShop({ grant }: Credential, answer: Presented['answer']): answer is Terminal {
  return answer.outcome === 'terminal' && (grant === 'refresh' || answer.reason === 'app-not-installed')
}
