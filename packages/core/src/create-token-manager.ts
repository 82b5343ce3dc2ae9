import { setMaxListeners } from 'node:events'
import { type AcquireOptions, parseAcquireOptions } from './acquire-options.js'
import { createShopClient } from './admin/create-shop-client.js'
import type { ShopClient } from './admin/shop-client.js'
import { untilAborted, withDeadline } from './deadline.js'
import { InvalidOptionError, RenewalElsewhereError, RotationNotStoredError } from './errors.js'
import { EventBus, type TokenEventListener } from './events.js'
import { MemoryDeliveryLog } from './memory/memory-delivery-log.js'
import type { AppSignatures } from './oauth/app-signatures.js'
import type { SessionToken, SessionTokenVerifier } from './oauth/id-token.js'
import { wholeNumberOption } from './option-checks.js'
import { parseOptions, type Settings, type TokenManagerOptions } from './options.js'
import type { DeliveryLog } from './ports/delivery-log.js'
import type { ShopsQuery, ShopState } from './keep-alive/shop-state.js'
import type { KeepAliveOptions, SweepOptions, SweepReport } from './keep-alive/sweep-options.js'
import { Sweeps } from './keep-alive/sweeps.js'
import type { RowsReach } from './fleet/every-row.js'
import { Breaker } from './renewal/breaker.js'
import type { Want } from './renewal/want.js'
import { DeploymentCheck } from './renewal/deployment-check.js'
import { FleetWatch } from './renewal/fleet-watch.js'
import { Gate } from './renewal/gate.js'
import { Notices } from './renewal/notices.js'
import { Reminder } from './renewal/reminder.js'
import type { Flight } from './renewal/single-flight.js'
import { RowNews } from './renewal/row-news.js'
import { ShopifyTime } from './renewal/shopify-time.js'
import { StoreCalls } from './renewal/store-calls.js'
import { removeRecord, removeUninstalled, type UninstallOutcome } from './removal.js'
import { sealedStore } from './sealed-store.js'
import { parseRepinOptions, type RepinOptions, type RepinReport } from './secret-rotation/repin-options.js'
import { RepinRun } from './secret-rotation/repin-run.js'
import { fingerprint } from './secret.js'
import { runBehind } from './serving/behind.js'
import { Serving } from './serving/serving.js'
import { parseShop, type Shop } from './shop.js'
import type { AccessToken, RecordKey, ServableRecord } from './token.js'
import type { TokenManager } from './token-manager.js'
import type { TokenOptions } from './token-source.js'
import { watchedSessionTokens, watchedSignatures } from './watched-verifiers.js'

/**
 * Builds the manager. Does no I/O.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function createTokenManager(options: TokenManagerOptions): TokenManager {
  return new StoredTokenManager(parseOptions(options))
}

const CLOSE_DEADLINE_MS = 8_000
const MAX_CLOSE_DEADLINE_MS = 3_600_000
/** Processes with older and newer secrets run side by side for as long as a deployment takes. */
const OUTDATED_EVERY_MS = 3_600_000
const AT_RISK_EVERY_MS = 86_400_000
/** Each acquisition retires the shop's refresh tokens; one that brings no more scopes is not made again by the next request. */
const GROW_EVERY_MS = 60_000
const NOTHING_TO_ACQUIRE =
  'Option grant says that tokens come by client credentials: a session token or a code brings none.'
const RENEWS_ELSEWHERE =
  "Option renewal (SHOPIFY_TOKENS_RENEWAL) is 'never': this process only reads. Call this in one that renews."
const NO_DEPLOYMENT_ID = 'Option deploymentId is missing: without a name there is nothing to adopt.'

class StoredTokenManager implements TokenManager {
  readonly signatures: AppSignatures
  readonly deliveries: DeliveryLog
  readonly #settings: Settings
  readonly #time: ShopifyTime
  readonly #events: EventBus
  readonly #store: StoreCalls
  readonly #deployment: DeploymentCheck
  readonly #news: RowNews
  readonly #notices: Notices
  readonly #gate: Gate
  readonly #serving: Serving
  readonly #sweeps: Sweeps
  readonly #sessionTokens: SessionTokenVerifier
  readonly #unstored = new Map<Shop, ServableRecord>()
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
    const sealed = keyRing === null ? store : sealedStore(store, keyRing)
    this.#store = new StoreCalls(sealed, clientId, clock, settings.storeTimeoutMs, this.#events)
    this.deliveries = this.#store.deliveries ?? new MemoryDeliveryLog({ clock })
    this.#deployment = new DeploymentCheck(this.#store, clock, this.#events, settings, settings.deploymentId)
    this.#news = new RowNews(store, clientId, this.#closing.signal, (shop) => {
      this.#serving.outdate(shop)
    })
    const credentials = { clientId, clientSecrets, now: () => this.#time.now() }
    this.#sessionTokens = watchedSessionTokens(credentials, this.#events)
    this.signatures = watchedSignatures(credentials, this.#events)
    this.#notices = new Notices({
      ...{ notify: settings.notify, clientId, store: this.#store, clock, time: this.#time, events: this.#events },
      ...{ shops: settings.cacheSize, abandon: this.#abandon.signal },
      behind: (work) => {
        runBehind(settings.background, work)
      },
    })
    this.#gate = new Gate({
      durations: settings,
      endpoint: {
        ...{ clientId, clientSecret, clock, fetch },
        requestTimeoutMs: settings.requestTimeoutMs,
        maxRetryAfterMs: settings.maxCoolDownMs,
      },
      store: this.#store,
      deliveries: this.deliveries,
      lock: settings.lock,
      deployment: this.#deployment,
      breaker: new Breaker(clock, this.#events, settings),
      fleet: new FleetWatch(clock, this.#events, settings),
      notices: this.#notices,
      news: this.#news,
      outdated: new Reminder(settings.cacheSize, OUTDATED_EVERY_MS, clock),
      atRisk: new Reminder(settings.cacheSize, AT_RISK_EVERY_MS, clock),
      grown: new Reminder(settings.cacheSize, GROW_EVERY_MS, clock),
      clock,
      time: this.#time,
      events: this.#events,
      random: settings.random,
      secretId: fingerprint(clientSecret.reveal()),
      knownSecretIds: new Set(clientSecrets.map((secret) => fingerprint(secret.reveal()))),
      grant: settings.grant,
      requireExpiring: settings.requireExpiring,
      renewsElsewhere: settings.renewal === 'never',
      verifyIdToken: (idToken) => this.#sessionTokens.verify(idToken),
      unstored: this.#unstored,
      closing: this.#closing.signal,
      abandon: this.#abandon.signal,
    })
    this.#serving = new Serving(settings, {
      ...{ store: this.#store, gate: this.#gate, time: this.#time, events: this.#events },
      ...{ news: this.#news, unstored: this.#unstored, closing: this.#closing.signal },
    })
    this.#sweeps = new Sweeps({
      ...{ clientId, clock, durations: settings, random: settings.random },
      ...{ time: this.#time, events: this.#events, closing: this.#closing.signal },
      rows: this.#rows(),
      renewIfDue: (shop, signal) => this.#renewIfDue(shop, signal),
    })
  }

  token(shop: Shop, options?: TokenOptions): Promise<AccessToken> {
    return this.#serving.token(shop, this.#takesMerchants ? options : withoutMerchant(options))
  }

  async acquire(untrusted: Shop, options: AcquireOptions): Promise<AccessToken> {
    this.#refuseElsewhere()
    if (this.#settings.grant !== null) throw new InvalidOptionError(NOTHING_TO_ACQUIRE, ['grant'])
    const shop = parseShop(untrusted)
    const { signal, ...brought } = parseAcquireOptions(options)
    signal?.throwIfAborted()
    return this.#alone(shop, { trigger: 'forced', acquire: true, ...brought }, signal)
  }

  async force(untrusted: Shop, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<AccessToken> {
    this.#refuseElsewhere()
    return this.#alone(parseShop(untrusted), { trigger: 'forced' }, signal)
  }

  async migrate(untrusted: Shop, { signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<AccessToken> {
    this.#refuseElsewhere()
    return this.#alone(parseShop(untrusted), { trigger: 'expired', migrate: true }, signal)
  }

  async renewIfDue(
    untrusted: Shop,
    { signal }: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<'renewed' | 'not-due'> {
    this.#refuseElsewhere()
    return this.#renewIfDue(parseShop(untrusted), signal)
  }

  async sweep(options: SweepOptions = {}): Promise<SweepReport> {
    this.#refuseElsewhere()
    return this.#sweeps.sweep(options)
  }

  startKeepAlive(options: KeepAliveOptions = {}): void {
    this.#refuseElsewhere()
    this.#sweeps.start(options)
  }

  shops(query: ShopsQuery = {}): AsyncIterable<ShopState> {
    return this.#sweeps.shops(query)
  }

  async remove(
    untrusted: Shop,
    { at = this.#time.now() }: { readonly at?: number | undefined } = {},
  ): Promise<boolean> {
    const shop = parseShop(untrusted)
    wholeNumberOption('at', at, 0, Number.MAX_SAFE_INTEGER)
    return this.#removing(shop, at, removeRecord(this.#store, this.#key(shop), at), true)
  }

  async removeIfUninstalled(
    untrusted: Shop,
    { at }: { readonly at?: number | undefined } = {},
  ): Promise<UninstallOutcome> {
    const shop = parseShop(untrusted)
    const removedAt = wholeNumberOption('at', at ?? this.#time.now(), 0, Number.MAX_SAFE_INTEGER)
    const uninstall = { at, removedAt, renew: () => this.#askShopify(shop) }
    return this.#removing(shop, removedAt, removeUninstalled(this.#store, this.#key(shop), uninstall), 'removed')
  }

  async repinAll(options: RepinOptions = {}): Promise<RepinReport> {
    this.#refuseElsewhere()
    const { clientId, clientSecret } = this.#settings
    const parts = {
      ...{ clientId, secretId: fingerprint(clientSecret.reveal()), durations: this.#settings },
      ...{ store: this.#store, time: this.#time, closing: this.#closing.signal },
      rows: this.#rows(),
      renew: (shop: Shop, signal: AbortSignal) => this.#renewIntoStore(shop, signal),
    }
    return new RepinRun(parts, parseRepinOptions(options)).execute()
  }

  async adoptDeployment(): Promise<boolean> {
    if (this.#settings.deploymentId === null) throw new InvalidOptionError(NO_DEPLOYMENT_ID, ['deploymentId'])
    return this.#deployment.adopt()
  }

  forShop(shop: Shop, { idToken }: { readonly idToken?: string | undefined } = {}): ShopClient {
    const { apiVersion, fetch } = this.#settings
    return createShopClient(this, parseShop(shop), { apiVersion, fetch: this.#time.learningFrom(fetch) }, idToken)
  }

  verifySessionToken(token: string): Promise<SessionToken> {
    return this.#sessionTokens.verify(token)
  }

  subscribe(listener: TokenEventListener): () => void {
    return this.#events.subscribe(listener)
  }

  async close({ deadlineMs = CLOSE_DEADLINE_MS }: { readonly deadlineMs?: number | undefined } = {}): Promise<void> {
    wholeNumberOption('deadlineMs', deadlineMs, 0, MAX_CLOSE_DEADLINE_MS)
    this.#closing.abort()
    const inTime = new AbortController()
    const settled = this.#settled().then(() => {
      inTime.abort()
    })
    await this.#settings.clock.sleep(deadlineMs, inTime.signal).catch(() => undefined)
    this.#abandon.abort()
    // What still runs is a request to Shopify or to the store, which ends with its own deadline.
    await settled
    // Nothing depends on its end, and a connection that hangs must not hold the process.
    const { clock, storeTimeoutMs } = this.#settings
    await withDeadline(clock, storeTimeoutMs, () => this.#news.end()).catch(() => undefined)
    if (this.#unstored.size > 0) throw new RotationNotStoredError([...this.#unstored.keys()])
  }

  /** Tells of a removal. Whatever came of the row, the token at hand is read again before it is served. */
  async #removing<T>(shop: Shop, removedAt: number, removing: Promise<T>, done: T): Promise<T> {
    try {
      const outcome = await removing
      if (outcome === done) this.#events.emit({ type: 'shop.removed', shop, removedAt })
      return outcome
    } finally {
      this.#serving.forget(shop)
    }
  }

  /** Runs first: their ends may be news. */
  async #settled(): Promise<void> {
    await this.#gate.settled()
    await this.#notices.settled()
  }

  async #alone(shop: Shop, want: Want, signal?: AbortSignal): Promise<AccessToken> {
    return this.#serving.outcome(shop, await this.#gate.alone(shop, want), signal)
  }

  async #renewIntoStore(shop: Shop, signal: AbortSignal): Promise<void> {
    await this.#storedBy(shop, await this.#gate.alone(shop, { trigger: 'forced' }), signal)
  }

  async #renewIfDue(shop: Shop, signal: AbortSignal | undefined): Promise<'renewed' | 'not-due'> {
    // Not shared: a run under way may be about something else, and find that the token serves.
    const flight = await untilAborted(this.#gate.alone(shop, { trigger: 'keep-alive' }), signal)
    await this.#storedBy(shop, flight, signal)
    return flight.hasRenewed() ? 'renewed' : 'not-due'
  }

  /** Leaves the cache to the shops that somebody asks for. */
  async #storedBy(shop: Shop, flight: Flight<ServableRecord>, signal: AbortSignal | undefined): Promise<void> {
    await this.#gate.outcome(shop, flight, signal)
    await untilAborted(this.#gate.end(shop, flight), signal)
    this.#serving.outdate(shop)
  }

  /** A renewal whose refusal proves that the app was uninstalled. */
  async #askShopify(shop: Shop): Promise<void> {
    if (this.#settings.renewal === 'never') throw new RenewalElsewhereError({ shop })
    await this.#alone(shop, { trigger: 'forced', uninstalled: true })
  }

  /** A merchant who is there changes nothing where the app asks with its own credentials, or another process renews. */
  get #takesMerchants(): boolean {
    return this.#settings.grant === null && this.#settings.renewal !== 'never'
  }

  #refuseElsewhere(): void {
    if (this.#settings.renewal === 'never') throw new InvalidOptionError(RENEWS_ELSEWHERE, ['renewal'])
  }

  /** The store as it lies: whoever visits many rows needs no sealed value of them. */
  #rows(): RowsReach {
    const { clock, store, storeTimeoutMs } = this.#settings
    return { store, clock, timeoutMs: storeTimeoutMs }
  }

  #key(shop: Shop): RecordKey {
    return { clientId: this.#settings.clientId, shop }
  }
}

function withoutMerchant(options: TokenOptions | undefined): TokenOptions | undefined {
  return options?.idToken === undefined ? options : { ...options, idToken: undefined }
}
