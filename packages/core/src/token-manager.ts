import { setMaxListeners } from 'node:events'
import { LRUCache } from 'lru-cache'
import { createShopClient } from './admin/create-shop-client.js'
import type { ShopClient } from './admin/shop-client.js'
import { untilAborted } from './deadline.js'
import { isShopifyTokenError, RotationNotStoredError } from './errors.js'
import { EventBus, type TokenEventListener } from './events.js'
import { type SessionToken, SessionTokenVerifier } from './oauth/id-token.js'
import { parseOptions, type Settings, type TokenManagerOptions } from './options.js'
import { canServe, type Want } from './renewal/decide.js'
import { Gate } from './renewal/gate.js'
import { dueAt, isPausing } from './renewal/schedule.js'
import { ShopifyTime } from './renewal/shopify-time.js'
import type { Flight } from './renewal/single-flight.js'
import { StoreCalls } from './renewal/store-calls.js'
import { removeRecord } from './removal.js'
import { sealedStore } from './sealed-store.js'
import { fingerprint } from './secret.js'
import { parseShop, type Shop } from './shop.js'
import { AccessToken, type RecordKey, type ServableRecord, type TokenRecord } from './token.js'
import { type CachedToken, TokenCache } from './token-cache.js'
import type { TokenOptions, TokenSource } from './token-source.js'

/** Keeps a working token for every shop of one app. */
export interface TokenManager extends TokenSource {
  /**
   * A token that works now. From the cache without I/O while the token is fresh; inside the renewal window the current
   * token is the answer and the renewal runs behind; only without a usable token does the caller wait.
   *
   * Rejects with `ERR_REAUTHORIZATION_REQUIRED` when only the merchant's next visit brings a token, with
   * `ERR_COOLING_DOWN`, `ERR_TOKEN_ENDPOINT_UNAVAILABLE`, `ERR_TOKEN_RESPONSE_INVALID`, `ERR_LEASE_TIMEOUT` or
   * `ERR_STORE_UNAVAILABLE` when waiting helps, with `ERR_APP_MISCONFIGURED`, `ERR_SECRET_OUTDATED` or
   * `ERR_STORE_UNREADABLE` when an operator must act, and with `signal.reason` on an abort.
   */
  token(shop: Shop, options?: TokenOptions): Promise<AccessToken>
  /**
   * Exchanges the merchant's session token for a new pair although the present one may live: after a reinstallation,
   * or when scopes must grow. Retires every earlier refresh token of the shop, so for mere access use
   * `token(shop, { idToken })`, which acquires only when there is nothing to refresh.
   *
   * @see Shopify: "Implement token exchange"
   */
  acquire(
    shop: Shop,
    options: { readonly idToken: string; readonly signal?: AbortSignal | undefined },
  ): Promise<AccessToken>
  /** Renews now, whatever the clock and the cool-down say: for operators. */
  force(shop: Shop, options?: { readonly signal?: AbortSignal | undefined }): Promise<AccessToken>
  /**
   * Replaces the shop's tokens by a tombstone, which only an acquisition writes over. `at`: the instant of the event,
   * by Shopify's clock; default now. Resolves with whether there was anything to remove.
   */
  remove(shop: Shop, options?: { readonly at?: number | undefined }): Promise<boolean>
  /**
   * The shop's Admin API, for jobs and anything else outside a request. Does no I/O. `idToken`: the verified session token
   * of the merchant who is present, for every token that the client asks for.
   */
  forShop(shop: Shop, options?: { readonly idToken?: string | undefined }): ShopClient
  /**
   * Verifies an App Bridge session token. Rejects with `ERR_INVALID_SESSION_TOKEN`.
   *
   * @see Shopify: "Session tokens"
   */
  verifySessionToken(token: string): Promise<SessionToken>
  /** Adds a listener for events; the answer takes it away again. */
  subscribe(listener: TokenEventListener): () => void
  /**
   * Begins no new grant, lets running requests finish, and tries to store what Shopify has minted until the deadline
   * (milliseconds, default 8 000). Then rejects with `ERR_ROTATION_NOT_STORED`, naming the shops whose newest pair is
   * lost with this process. May be called again; cached tokens are still served.
   */
  close(options?: { readonly deadlineMs?: number | undefined }): Promise<void>
}

/**
 * Builds the manager. Does no I/O.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function createTokenManager(options: TokenManagerOptions): TokenManager {
  return new StoredTokenManager(parseOptions(options))
}

const CLOSE_DEADLINE_MS = 8_000
const DAY_MS = 86_400_000
/** Public apps' non-expiring tokens end here. @see Shopify changelog 2026-05-20 */
const NON_EXPIRING_END_AT = Date.UTC(2027, 0, 1)

class StoredTokenManager implements TokenManager {
  readonly #settings: Settings
  readonly #time: ShopifyTime
  readonly #events: EventBus
  readonly #store: StoreCalls
  readonly #cache: TokenCache
  readonly #gate: Gate
  readonly #sessionTokens: SessionTokenVerifier
  readonly #unstored = new Map<Shop, ServableRecord>()
  readonly #reads = new Map<Shop, Promise<ServableRecord | null>>()
  readonly #migrationAnnounced: LRUCache<Shop, number>
  readonly #closing = new AbortController()
  readonly #abandon = new AbortController()

  constructor(settings: Settings) {
    const { clientId, clientSecret, clientSecrets, clock, fetch, keyRing, store } = settings
    this.#settings = settings
    // Every run that pauses listens: hundreds in an outage, and no leak.
    setMaxListeners(Infinity, this.#closing.signal, this.#abandon.signal)
    this.#time = new ShopifyTime(clock)
    this.#events = new EventBus(() => this.#time.now())
    this.#time.reportTo(this.#events)
    if (settings.onEvent !== null) this.#events.subscribe(settings.onEvent)
    this.#store = new StoreCalls(keyRing === null ? store : sealedStore(store, keyRing), clock, settings.storeTimeoutMs)
    this.#cache = new TokenCache(settings.cacheSize, settings)
    this.#migrationAnnounced = new LRUCache({ max: settings.cacheSize })
    this.#sessionTokens = new SessionTokenVerifier({ clientId, clientSecrets, now: () => this.#time.now() })
    this.#gate = new Gate({
      durations: settings,
      endpoint: {
        ...{ clientId, clientSecret, clock, fetch },
        requestTimeoutMs: settings.requestTimeoutMs,
        maxRetryAfterMs: settings.maxCoolDownMs,
      },
      store: this.#store,
      lock: settings.lock,
      clock,
      time: this.#time,
      events: this.#events,
      random: settings.random,
      secretId: fingerprint(clientSecret.reveal()),
      knownSecretIds: new Set(clientSecrets.map((secret) => fingerprint(secret.reveal()))),
      requireExpiring: settings.requireExpiring,
      verifyIdToken: (idToken) => this.#sessionTokens.verify(idToken),
      unstored: this.#unstored,
      closing: this.#closing.signal,
      abandon: this.#abandon.signal,
    })
  }

  token(shop: Shop, options?: TokenOptions): Promise<AccessToken> {
    const cached = this.#cache.get(shop)
    if (cached === undefined || options?.rejected !== undefined || options?.signal?.aborted === true) {
      return this.#look(shop, options)
    }
    const now = this.#time.now()
    const monotonic = this.#settings.clock.monotonic()
    if (now > cached.usableUntil || monotonic >= cached.readBeforeUseAt) return this.#look(shop, options)
    if (now >= cached.renewAt && this.#settings.renewal === 'hybrid') this.#renewBehind(shop, options?.idToken)
    else if (monotonic >= cached.revalidateAt) this.#readBehind(shop, options?.idToken)
    return cached.promise
  }

  async acquire(
    shop: Shop,
    { idToken, signal }: { readonly idToken: string; readonly signal?: AbortSignal | undefined },
  ): Promise<AccessToken> {
    const flight = await this.#gate.alone(parseShop(shop), { trigger: 'forced', idToken, acquire: true })
    return this.#outcome(shop, flight, signal)
  }

  async force(shop: Shop, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<AccessToken> {
    const flight = await this.#gate.alone(parseShop(shop), { trigger: 'forced' })
    return this.#outcome(shop, flight, signal)
  }

  async remove(shop: Shop, { at = this.#time.now() }: { readonly at?: number | undefined } = {}): Promise<boolean> {
    const removed = await removeRecord(this.#store, this.#key(parseShop(shop)), at)
    this.#cache.delete(shop)
    if (removed) this.#events.emit({ type: 'shop.removed', shop, removedAt: at })
    return removed
  }

  forShop(shop: Shop, { idToken }: { readonly idToken?: string | undefined } = {}): ShopClient {
    return createShopClient(this, parseShop(shop), this.#settings, idToken)
  }

  verifySessionToken(token: string): Promise<SessionToken> {
    return this.#sessionTokens.verify(token)
  }

  subscribe(listener: TokenEventListener): () => void {
    return this.#events.subscribe(listener)
  }

  async close({ deadlineMs = CLOSE_DEADLINE_MS }: { readonly deadlineMs?: number | undefined } = {}): Promise<void> {
    this.#closing.abort()
    const inTime = new AbortController()
    const settled = this.#gate.settled().then(() => {
      inTime.abort()
    })
    await this.#settings.clock.sleep(deadlineMs, inTime.signal).catch(() => undefined)
    this.#abandon.abort()
    // What still runs is a request to Shopify, which ends with its own deadline.
    await settled
    if (this.#unstored.size > 0) throw new RotationNotStoredError([...this.#unstored.keys()])
  }

  /** The way of a token that the cache does not have, or that was refused. */
  async #look(untrusted: Shop, options: TokenOptions = {}): Promise<AccessToken> {
    const shop = parseShop(untrusted)
    const { idToken, rejected, signal } = options
    signal?.throwIfAborted()
    const want: Want = { trigger: rejected === undefined ? 'expired' : 'rejected', rejected, idToken }

    const unstored = this.#unstored.get(shop)
    if (unstored !== undefined && this.#canServe(unstored, want)) return this.#remember(shop, unstored).token

    if (rejected === undefined) {
      const stored = await untilAborted(this.#readOrKeep(shop), signal)
      if (stored instanceof AccessToken) return stored
      if (stored !== null) return this.#serve(shop, stored, idToken)
    }
    return this.#renewed(shop, want, signal)
  }

  /** Waits for the run under way or a new one. */
  async #renewed(shop: Shop, want: Want, signal: AbortSignal | undefined): Promise<AccessToken> {
    for (let turn = 1; ; turn++) {
      const { flight, joined } = this.#gate.share(shop, want)
      try {
        const token = await this.#outcome(shop, flight, signal)
        // A run that somebody else began says nothing of the token refused to this caller, unless it began since; and
        // one that cannot store its pair may have outlived it.
        const helps = token.value !== want.rejected && this.#time.now() < token.expiresAt
        if (!joined || helps || turn > 1) return token
      } catch (error) {
        // The run that was joined had no ID token, or another's that did not help; this caller's may.
        const mayHelp = joined && want.idToken !== undefined && isShopifyTokenError(error)
        if (!mayHelp || !ENDED_FOR_WANT_OF_ID_TOKEN.has(error.code)) throw error
        return this.#outcome(shop, await this.#gate.alone(shop, want), signal)
      }
      await untilAborted(this.#gate.end(shop, flight), signal)
    }
  }

  async #outcome(shop: Shop, flight: Flight<ServableRecord>, signal: AbortSignal | undefined): Promise<AccessToken> {
    try {
      return this.#remember(shop, await this.#gate.outcome(shop, flight, signal)).token
    } catch (error) {
      if (isShopifyTokenError(error) && error.code === 'ERR_REAUTHORIZATION_REQUIRED') this.#cache.delete(shop)
      throw error
    }
  }

  /** Serves a record just read, and renews it behind the request when it is due. */
  #serve(shop: Shop, record: ServableRecord, idToken: string | undefined): AccessToken {
    const { token, renewAt } = this.#remember(shop, record)
    if (record.mark !== null) this.#cache.delete(shop)
    const revivable = record.mark !== null && idToken !== undefined
    if (revivable || this.#time.now() >= renewAt) this.#renewBehind(shop, idToken)
    return token
  }

  #renewBehind(shop: Shop, idToken: string | undefined): void {
    if (this.#settings.renewal === 'lazy' || this.#closing.signal.aborted || this.#gate.isRunning(shop)) return
    const { flight } = this.#gate.share(shop, { trigger: 'ahead', idToken })
    const quietMs = this.#settings.coolDownMs
    this.#behind(
      flight.usable.then(
        (record) => {
          // Still due: the shop is cooling down, or another process is at it. Not every request needs to look.
          const now = this.#time.now()
          this.#remember(shop, record, Math.max(now + quietMs, coolDownEnd(record, now, this.#settings)))
        },
        // Told by events. The token at hand serves until its end.
        () => {
          this.#leaveAlone(shop)
        },
      ),
    )
  }

  #readBehind(shop: Shop, idToken: string | undefined): void {
    if (this.#reads.has(shop)) return
    this.#behind(
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

  #behind(work: Promise<void>): void {
    const { background } = this.#settings
    if (background === null) return
    try {
      const result = background(work)
      if (result instanceof Promise) result.catch(warnOfBackground)
    } catch (error) {
      warnOfBackground(error)
    }
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

  /** Reads the row, once for all who ask at the same time. `null`: nothing in it can be served. */
  #read(shop: Shop): Promise<ServableRecord | null> {
    const running = this.#reads.get(shop)
    if (running !== undefined) return running
    const read = this.#store
      .get(this.#key(shop))
      .then(({ record }) => (record !== null && this.#canServe(record, NOTHING_REFUSED) ? record : null))
      .finally(() => this.#reads.delete(shop))
    this.#reads.set(shop, read)
    return read
  }

  /** Tells once a day that a shop is still on a token that Shopify is about to refuse. */
  #announceMigration(shop: Shop): void {
    const now = this.#time.now()
    if (now < (this.#migrationAnnounced.get(shop) ?? -Infinity) + DAY_MS) return
    this.#migrationAnnounced.set(shop, now)
    const daysLeft = Math.max(0, Math.ceil((NON_EXPIRING_END_AT - now) / DAY_MS))
    this.#events.emit({ type: 'migration.due', shop, daysLeft })
  }

  #remember(shop: Shop, record: ServableRecord, quietUntil = -Infinity): CachedToken {
    if (record.kind === 'non-expiring') this.#announceMigration(shop)
    const dated = record.kind === 'expiring' ? { ...record, renewAt: dueAt(record, this.#time.now()) } : record
    return this.#cache.set(shop, dated, this.#settings.clock.monotonic(), quietUntil)
  }

  #canServe(record: TokenRecord | null, want: Want): record is ServableRecord {
    return canServe(record, want, { now: this.#time.now(), durations: this.#settings })
  }

  #key(shop: Shop): RecordKey {
    return { clientId: this.#settings.clientId, shop }
  }
}

const NOTHING_REFUSED: Want = { trigger: 'expired' }

const ENDED_FOR_WANT_OF_ID_TOKEN: ReadonlySet<string> = new Set([
  'ERR_REAUTHORIZATION_REQUIRED',
  'ERR_INVALID_SESSION_TOKEN',
])

/** The request whose host has no place for work behind it has its token all the same. */
function warnOfBackground(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`The option background threw (${kind}).`, 'ShopifyTokensWarning')
}

function coolDownEnd({ coolDown }: ServableRecord, now: number, settings: Settings): number {
  return coolDown?.scope === 'all' && isPausing(coolDown, now, settings) ? coolDown.until : -Infinity
}
