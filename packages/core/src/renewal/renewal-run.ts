import { ClosedError, isShopifyTokenError } from '../errors.js'
import type { Credential } from '../oauth/grants.js'
import type { Terminal } from '../oauth/refusal.js'
import type { MintedTokens } from '../oauth/token-response.js'
import type { Snapshot } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import { type ReauthorizationMark, type RecordKey, type ServableRecord, type TokenRecord } from '../token.js'
import { Admission } from './admission.js'
import { tellsOfMigration } from './begun-migration.js'
import { CredentialsAtHand } from './credentials-at-hand.js'
import { decide, othersUnderWay, type Presenting } from './decide.js'
import { type Inconclusive, reauthorizationRequired } from './failure.js'
import { keepPair } from './keep-pair.js'
import { mint } from './mint.js'
import { Pauses } from './pauses.js'
import { present, type Presented } from './present.js'
import { putOff } from './put-off.js'
import { type Announced, Row } from './row.js'
import type { RunContext } from './run-context.js'
import { tellKept } from './tell-kept.js'
import { giveUp, isOfShop, mark, MARK_REASONS, MIGRATION_REFUSED, pauseRejected } from './verdicts.js'
import { canServe, type Want } from './want.js'

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
  readonly #pauses: Pauses
  readonly #admission: Admission
  readonly #offer: (record: ServableRecord) => void
  readonly #credentials: CredentialsAtHand
  #want: Want
  /** The store's clock when the run began. */
  #beganAt: number | null = null
  #hasRenewed = false
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
    this.#pauses = new Pauses(context, shop)
    this.#admission = new Admission(context, key)
    this.#credentials = new CredentialsAtHand(context, key, want)
  }

  /** Whether the run has stored new tokens. */
  get hasRenewed(): boolean {
    return this.#hasRenewed
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
      this.#pauses.end()
      await this.#credentials.release()
      await this.#admission.release()
    }
  }

  /** Reads the row; from here on news of it ends the next pause. */
  async #look(): Promise<Snapshot> {
    this.#pauses.listen()
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
        else await this.#putOff(snapshot)
        return decision.record
      case 'fail':
        // Other failures leave the row to a later visit, or to another process.
        if (decision.error.code === 'ERR_REAUTHORIZATION_REQUIRED') await this.#putOff(snapshot)
        if (decision.error.code === 'ERR_SECRET_OUTDATED') this.#tellOutdated()
        throw decision.error
      case 'wait':
        return this.#pause()
      case 'mark':
        return (await this.#mark(snapshot, decision.reason)) ?? this.#pause()
      case 'pauseRejected':
        return (await pauseRejected(this.#context, this.#row, this.#shop, snapshot, decision.record)) ?? this.#pause()
      default:
        return this.#grant(snapshot, decision)
    }
  }

  async #grant(snapshot: Snapshot, decision: Presenting): Promise<ServableRecord | null> {
    if (!(await this.#admission.pass(this.#want))) return this.#pause()
    const credential = await this.#orFail(this.#credentials.of(decision))
    if (credential === null) {
      this.#want = { ...this.#want, scopes: undefined }
      return null
    }
    const announced = await this.#announce(snapshot, credential)
    // Somebody else wrote first, so somebody else may be renewing: look again in a moment.
    if (announced === null) return this.#pause()
    const presented = await this.#present(credential, announced)
    return this.#conclude(snapshot, announced, credential, presented)
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
    if (credential.grant === 'migration') return this.#afterRefusedMigration(read, credential, answer)
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

    this.#hasRenewed = true
    const keeping = { grant, durationMs: this.#pauses.elapsedMs, requests, requestId }
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

  /** The token on record is exchanged for nothing: neither are the pairs that earlier runs may have had for it. */
  async #afterRefusedMigration({ now, record }: Snapshot, { value }: Credential, { reason }: Terminal): Promise<null> {
    const settledBefore = (this.#beganAt ?? now) - this.#context.durations.lateRequestMs
    await this.#row.withdraw((attempt) => {
      return record !== null && attempt.at < settledBefore && tellsOfMigration(attempt, record)
    })
    this.#want = { ...this.#want, unexchangeable: { token: value, reason: MIGRATION_REFUSED[reason] } }
    return null
  }

  /** What the sweep has found and nothing is to be done for would be found by the next one too. */
  async #putOff(snapshot: Snapshot): Promise<void> {
    if (this.#want.trigger === 'keep-alive') await putOff(this.#context, this.#row, snapshot)
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
    await this.#refuseWhenClosing()
    await this.#orFail(this.#pauses.next())
    return null
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
}
