import { untilAborted } from '../deadline.js'
import { isShopifyTokenError, ScopeMissingError } from '../errors.js'
import type { EventBus } from '../events.js'
import type { Settings } from '../options.js'
import { canServe, type Want } from '../renewal/want.js'
import type { Gate } from '../renewal/gate.js'
import { dueAt } from '../renewal/schedule.js'
import { restOf } from '../renewal/rest.js'
import type { RowNews } from '../renewal/row-news.js'
import type { ShopifyTime } from '../renewal/shopify-time.js'
import type { Flight } from '../renewal/single-flight.js'
import type { StoreCalls } from '../renewal/store-calls.js'
import { areGranted, missingScopes, parseScopes } from '../scopes.js'
import { parseShop, type Shop } from '../shop.js'
import { AccessToken, isRenewable, type ServableRecord, type TokenRecord } from '../token.js'
import type { TokenOptions } from '../token-source.js'
import { runBehind } from './behind.js'
import { MigrationNotice } from './migration-notice.js'
import { RowReads } from './row-reads.js'
import { SharedRuns } from './shared-runs.js'
import { type CachedToken, TokenCache } from './token-cache.js'

/** What serving needs of the manager beside its settings. */
export interface ServingParts {
  readonly store: StoreCalls
  readonly gate: Gate
  readonly time: ShopifyTime
  readonly events: EventBus
  readonly news: RowNews
  /** Minted pairs that the store has not taken yet. */
  readonly unstored: ReadonlyMap<Shop, ServableRecord>
  readonly closing: AbortSignal
}

/**
 * The way of a token into a request: from the cache without I/O, else from the store, else through the gate. No request
 * fails or waits because of a renewal while a token with some life left is at hand or readable.
 */
export class Serving {
  readonly #settings: Settings
  readonly #rows: RowReads
  readonly #gate: Gate
  readonly #runs: SharedRuns
  readonly #time: ShopifyTime
  readonly #news: RowNews
  readonly #unstored: ReadonlyMap<Shop, ServableRecord>
  readonly #closing: AbortSignal
  readonly #cache: TokenCache
  readonly #notice: MigrationNotice

  constructor(settings: Settings, { closing, events, gate, news, store, time, unstored }: ServingParts) {
    this.#settings = settings
    this.#rows = new RowReads(store, settings.clientId)
    this.#gate = gate
    this.#runs = new SharedRuns(gate, time, (...run) => this.outcome(...run))
    this.#time = time
    this.#news = news
    this.#unstored = unstored
    this.#closing = closing
    this.#cache = new TokenCache(settings.cacheSize, settings)
    this.#notice = new MigrationNotice(settings.cacheSize, settings.clock, time, events)
  }

  token(shop: Shop, options?: TokenOptions): Promise<AccessToken> {
    if (options?.scopes !== undefined) return this.#withScopes(shop, options)
    const cached = this.#cache.get(shop)
    if (cached === undefined || options?.rejected !== undefined || options?.signal?.aborted === true) {
      return this.#look(shop, options)
    }
    const now = this.#time.now()
    const monotonic = this.#settings.clock.monotonic()
    if (now > cached.usableUntil || monotonic >= cached.readBeforeUseAt) return this.#look(shop, options)
    if (now >= cached.renewAt && this.#settings.renewal !== 'lazy') this.#renewBehind(shop, options?.idToken)
    else if (monotonic >= cached.revalidateAt) this.#readBehind(shop, options?.idToken)
    return cached.promise
  }

  /** Another process has written the shop's row. */
  outdate(shop: Shop): void {
    this.#rows.outdate(shop)
    this.#cache.outdate(shop)
  }

  /** Forgets a shop whose record has ended. */
  forget(shop: Shop): void {
    this.#rows.outdate(shop)
    this.#cache.delete(shop)
  }

  /** The way of a token that the cache does not have, or that was refused. */
  async #look(untrusted: Shop, options: TokenOptions = {}): Promise<AccessToken> {
    const shop = parseShop(untrusted)
    const { idToken, rejected, rejectedAs, signal } = options
    signal?.throwIfAborted()
    this.#news.begin()
    const trigger = rejected === undefined ? 'expired' : 'rejected'
    const want: Want = { trigger, rejected, idToken, migrate: rejectedAs === 'non-expiring' }

    const unstored = this.#unstored.get(shop)
    if (unstored !== undefined && this.#canServe(unstored, want)) return this.#remember(shop, unstored).token

    if (rejected === undefined) {
      const stored = await untilAborted(this.#readOrKeep(shop), signal)
      if (stored instanceof AccessToken) return stored
      if (stored !== null) return this.#serve(shop, stored, idToken)
    }
    return this.#runs.token(shop, want, signal)
  }

  /** The way of a token that must carry scopes: the row may have what the cache lacks, and the merchant what the row lacks. */
  async #withScopes(untrusted: Shop, { scopes, ...options }: TokenOptions): Promise<AccessToken> {
    const required = parseScopes(scopes)
    const atHand = await this.token(untrusted, options)
    if (areGranted(atHand.scopes, required)) return atHand
    const { shop } = atHand
    if (this.#unstored.has(shop)) throw lacking(atHand, required)

    const { idToken, signal } = options
    // The answer of a read that is under way already may be older than what the merchant has just granted.
    this.#rows.outdate(shop)
    const record = await untilAborted(this.#read(shop), signal)
    if (record !== null) {
      const stored = this.#serve(shop, record, idToken)
      if (areGranted(stored.scopes, required)) return stored
      if (idToken === undefined && record.kind !== 'client-credentials') throw lacking(stored, required)
    }
    const renewed = await this.#runs.token(shop, { trigger: 'expired', idToken, scopes: required }, signal)
    if (areGranted(renewed.scopes, required)) return renewed
    throw lacking(renewed, required)
  }

  /** The token that a run brings, at hand for those who come after. */
  async outcome(shop: Shop, flight: Flight<ServableRecord>, signal: AbortSignal | undefined): Promise<AccessToken> {
    try {
      return this.#remember(shop, await this.#gate.outcome(shop, flight, signal)).token
    } catch (error) {
      if (isReauthorization(error)) this.#cache.delete(shop)
      throw error
    }
  }

  /** Serves a record just read, and renews it behind the request when it is due. */
  #serve(shop: Shop, record: ServableRecord, idToken: string | undefined): AccessToken {
    const { token, renewAt } = this.#remember(shop, record)
    const revivable = record.mark !== null && idToken !== undefined
    if (revivable || this.#time.now() >= renewAt) this.#renewBehind(shop, idToken)
    return token
  }

  #renewBehind(shop: Shop, idToken: string | undefined): void {
    if (this.#settings.renewal === 'lazy' || this.#closing.aborted || this.#gate.isRunning(shop)) return
    const { flight } = this.#gate.share(shop, { trigger: 'ahead', idToken })
    const quietMs = this.#settings.coolDownMs
    const served = flight.usable.then(
      (record) => {
        // Still due: the shop is cooling down, or another process is at it. Not every request needs to look.
        const now = this.#time.now()
        this.#remember(shop, record, Math.max(now + quietMs, restOf(record, now, this.#settings)?.until ?? -Infinity))
      },
      // Told by events. The token at hand serves until its end, unless the row says that it has ended.
      (error: unknown) => {
        if (isReauthorization(error)) this.#cache.delete(shop)
        else this.#leaveAlone(shop)
      },
    )
    // A host that freezes what it was not told of shall not freeze a pair on its way to the store, or a question.
    runBehind(
      this.#settings.background,
      served.then(() => flight.settled),
    )
  }

  #readBehind(shop: Shop, idToken: string | undefined): void {
    if (this.#rows.isUnderWay(shop)) return
    runBehind(
      this.#settings.background,
      this.#read(shop).then(
        (record) => {
          if (record === null) this.#cache.delete(shop)
          else this.#serve(shop, record, idToken)
        },
        // The store is away: the token at hand serves until its end.
        () => {
          this.#leaveAlone(shop)
        },
      ),
    )
  }

  /** Looking behind a request has failed; the requests of the next moments need not fail to look as well. */
  #leaveAlone(shop: Shop): void {
    this.#cache.leaveAlone(shop, this.#time.now(), this.#settings.clock.monotonic(), this.#settings.coolDownMs)
  }

  /** Reads the row; when that fails, a token at hand that has not ended is better than an error. */
  async #readOrKeep(shop: Shop): Promise<ServableRecord | AccessToken | null> {
    try {
      return await this.#read(shop)
    } catch (error) {
      const cached = this.#cache.get(shop)
      if (cached === undefined || this.#time.now() > cached.usableUntil) throw error
      return cached.token
    }
  }

  /** Reads the row. `null`: nothing in it can be served. */
  async #read(shop: Shop): Promise<ServableRecord | null> {
    const record = await this.#rows.read(shop)
    return this.#canServe(record, NOTHING_REFUSED) ? record : null
  }

  /** Keeps a record's token at hand. `quietUntil`: no renewal behind a request begins before this instant. */
  #remember(shop: Shop, record: ServableRecord, quietUntil = -Infinity): CachedToken {
    if (record.kind === 'non-expiring') this.#notice.give(shop)
    const dated = isRenewable(record) ? { ...record, renewAt: dueAt(record, this.#time.now()) } : record
    return this.#cache.set(shop, dated, this.#settings.clock.monotonic(), quietUntil)
  }

  #canServe(record: TokenRecord | null, want: Want): record is ServableRecord {
    return canServe(record, want, { now: this.#time.now(), durations: this.#settings })
  }
}

const NOTHING_REFUSED: Want = { trigger: 'expired' }

function lacking({ shop, scopes }: AccessToken, required: readonly string[]): ScopeMissingError {
  return new ScopeMissingError(missingScopes(scopes, required), { shop, granted: scopes })
}

function isReauthorization(error: unknown): boolean {
  return isShopifyTokenError(error) && error.code === 'ERR_REAUTHORIZATION_REQUIRED'
}
