import { randomUUID } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { isShopHost } from './addresses.js'
import type { ShopRestriction } from './admin-api.js'
import { AdminApi } from './admin-api.js'
import type { AppRegistration } from './authorization.js'
import type { Hold, HoldOptions } from './barrier.js'
import { Barrier } from './barrier.js'
import { ClientSecrets } from './client-secrets.js'
import { ControlDesk } from './control-desk.js'
import { FaultScript } from './fault-script.js'
import { FrontDoor } from './front-door.js'
import { LoopbackServer } from './loopback-server.js'
import { MerchantPages } from './merchant-pages.js'
import type { FakeShopifyOptions, FakeShopifySettings, FakeShopifySwitches } from './options.js'
import { checkSwitches, parseOptions } from './options.js'
import { Pauses } from './pauses.js'
import type { FakeEndpoint, LogEntry, ShopCounters } from './request-log.js'
import { RequestLog } from './request-log.js'
import { realFetch, routedFetch } from './route-fetch.js'
import type { RotationRules } from './rotation-rules.js'
import type { SessionTokenOptions } from './session-token.js'
import { mintSessionToken } from './session-token.js'
import { TokenEndpoint } from './token-endpoint.js'
import type { TokenAnswer } from './token-answer.js'
import { TokenLedger } from './token-ledger.js'
import type { FakeWebhook, FakeWebhookOptions } from './webhook.js'
import { makeWebhook } from './webhook.js'
import type { DeliveryOptions, DeliveryStatus } from './webhook-courier.js'
import { deliverWebhook } from './webhook-courier.js'

/** A pair as a merchant's install brings it, to seed a store with. Instants are Shopify's time in milliseconds. */
export interface MintedPair {
  readonly shop: string
  readonly accessToken: string
  readonly accessTokenExpiresAt: number
  readonly refreshToken: string
  readonly refreshTokenExpiresAt: number
  readonly scopes: readonly string[]
  readonly issuedAt: number
  /** The token endpoint's answer, as it was at `issuedAt`. */
  readonly answer: TokenAnswer
}

/**
 * A Shopify on the loopback address: the token endpoint and an Admin API stub over real HTTP, with Shopify's rules of
 * rotation, switches for what Shopify leaves open, and a script of faults. It also shows merchants the authorize page and
 * the admin with the app in a frame, and sends webhooks.
 *
 * ```ts
 * const shopify = await FakeShopify.start({ clientId: 'id', clientSecret: 'secret' })
 * const { refreshToken } = shopify.mintPair('a.myshopify.com')
 * await shopify.fetch('https://a.myshopify.com/admin/oauth/access_token', { … })
 * await shopify.close()
 * ```
 *
 * One fake plays one app; start a second one for a second app. It tells the truth about what it did ({@link counters},
 * {@link log}), whatever its clients were made to see. Every method that takes a shop throws a `TypeError` for anything
 * but a lower-case `*.myshopify.com` host. R1 to R12 are Shopify's rules in docs/shopify-protocol.md.
 */
export class FakeShopify {
  /** The faults to come. @see {@link Fault} for what there is */
  readonly faults = new FaultScript()
  readonly clientId: string

  readonly #settings: FakeShopifySettings
  readonly #rules: RotationRules
  readonly #registration: AppRegistration
  readonly #secrets = new ClientSecrets()
  readonly #barrier = new Barrier()
  readonly #pauses = new Pauses()
  readonly #ledger: TokenLedger
  readonly #tokens: TokenEndpoint
  readonly #admin: AdminApi
  readonly #pages: MerchantPages
  readonly #log: RequestLog
  readonly #server: LoopbackServer
  readonly #secureServer: LoopbackServer | undefined
  readonly #elsewhere: LoopbackServer
  readonly #realFetch = realFetch()
  #fetch: typeof globalThis.fetch | undefined
  #dateOffsetMs: number
  #sendDate = true
  #strayRequests = 0
  #closed = false

  /**
   * Starts a fake on a free port of 127.0.0.1. Rejects with a `TypeError` (`ERR_INVALID_OPTION`) for a wrong option,
   * and with the system's error when `port` is taken.
   */
  static async start(options: FakeShopifyOptions): Promise<FakeShopify> {
    const shopify = new FakeShopify(parseOptions(options))
    try {
      await shopify.#elsewhere.open()
      await shopify.goOnline()
    } catch (error) {
      await shopify.close()
      throw error
    }
    return shopify
  }

  private constructor(settings: FakeShopifySettings) {
    const { clientId, now, random } = settings
    this.clientId = clientId
    this.#settings = settings
    this.#dateOffsetMs = settings.dateOffsetMs
    this.#registration = { ...settings.registration }
    this.#rules = { replay: settings.replay, grace: settings.grace, lifetimes: settings.lifetimes }
    for (const secret of settings.clientSecrets) this.#secrets.add(secret)
    this.#ledger = new TokenLedger(this.#rules, now, random)
    this.#tokens = new TokenEndpoint(clientId, this.#secrets, this.#ledger, now, random)
    this.#admin = new AdminApi(this.#ledger, settings.refuseNonExpiring, settings.admin)
    this.#log = new RequestLog(settings.logLimit)
    this.#pages = this.#merchantPages()
    const door = this.#frontDoor()
    const receive: RequestListener = (request, response) => {
      door.receive(request, response).catch(() => response.destroy())
    }
    this.#server = new LoopbackServer(receive, settings.port)
    const { tls } = settings
    this.#secureServer = tls === undefined ? undefined : new LoopbackServer(receive, tls.port, tls)
    this.#elsewhere = new LoopbackServer((_request, response) => {
      this.#strayRequests += 1
      response.end('You have left the shop.')
    }, 0)
  }

  /**
   * Sends requests for `https://{shop}.myshopify.com` here and is otherwise the global `fetch`. This machine itself
   * (`localhost`, `127.0.0.0/8`, `[::1]`) is reached as ever, for a test's calls of its own server; any other address
   * rejects as for a name that DNS does not know. One function for the fake's whole life: it may be taken out and
   * handed on, or take the global one's place (`globalThis.fetch = shopify.fetch`).
   */
  get fetch(): typeof globalThis.fetch {
    this.#fetch ??= routedFetch(this.url, this.#realFetch)
    return this.#fetch
  }

  /** `http://127.0.0.1:{port}`: for {@link fakeShopifyFetch} and {@link connectFakeShopify} in other processes. */
  get url(): string {
    return this.#server.url
  }

  /**
   * `https://127.0.0.1:{port}`, with the option `tls`: for browsers that map `*.myshopify.com`, `admin.shopify.com` and
   * `cdn.shopify.com` here. `undefined` without it.
   */
  get secureUrl(): string | undefined {
    return this.#secureServer?.url
  }

  /** Requests that followed a redirect fault's default location: each has carried its body out of the shop. */
  get strayRequests(): number {
    return this.#strayRequests
  }

  /** Cuts every connection, gives every held request up and frees the port. Holds and waits reject. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true
    const reason = new Error('FakeShopify is closed')
    this.#barrier.close(reason)
    this.faults.close(reason)
    this.#pauses.close(reason)
    await this.#elsewhere.shut()
    await this.goOffline()
  }

  /**
   * Leaves its ports, so that connections are really refused, and cuts those there are. State and counters stay; held
   * requests are still acted on when they are released.
   */
  async goOffline(): Promise<void> {
    await this.#server.shut()
    await this.#secureServer?.shut()
  }

  /** Comes back to the same ports. */
  async goOnline(): Promise<void> {
    if (this.#closed) throw new Error('FakeShopify is closed')
    await this.#server.open()
    await this.#secureServer?.open()
  }

  /** Changes switches; those not named stay. They hold from the next request on. */
  configure(switches: FakeShopifySwitches): void {
    const { replay, grace, refuseNonExpiring, dateOffsetMs, sendDate, ...app } = checkSwitches(switches)
    this.#rules.replay = replay ?? this.#rules.replay
    this.#rules.grace = grace ?? this.#rules.grace
    this.#admin.refuseNonExpiring = refuseNonExpiring ?? this.#admin.refuseNonExpiring
    this.#dateOffsetMs = dateOffsetMs ?? this.#dateOffsetMs
    this.#sendDate = sendDate ?? this.#sendDate
    this.#registration.url = app.appUrl ?? this.#registration.url
    this.#registration.redirectUris = app.redirectUris ?? this.#registration.redirectUris
    this.#registration.consent = app.consent ?? this.#registration.consent
  }

  /** Installs the app without minting anything, or changes the scopes of later tokens. */
  installShop(shop: string, { scopes }: { readonly scopes?: readonly string[] | undefined } = {}): void {
    this.#ledger.install(checked(shop), scopes ?? this.#settings.scopes)
  }

  /** Uninstalls the app: every token of the shop is dead at once (R10). Sends no webhook: {@link deliverWebhook} does. */
  uninstall(shop: string): void {
    this.#ledger.uninstall(checked(shop))
  }

  /** Installs the app again with the scopes it had. Tokens of the earlier installation stay dead. */
  reinstall(shop: string): void {
    this.#ledger.install(checked(shop), this.#scopes(shop))
  }

  /** Returns an authorization code as the merchant's consent brings it: good for one exchange, which installs the app. */
  issueCode(shop: string, { scopes }: { readonly scopes?: readonly string[] | undefined } = {}): string {
    return this.#tokens.issueCode(checked(shop), scopes ?? this.#scopes(shop))
  }

  /**
   * Goes through the authorize page at `url`, where the app has sent the merchant, and returns where Shopify sends the
   * browser next: the app's callback with a code, or with `access_denied` when the merchant is to cancel.
   *
   * Throws a `TypeError` when `url` is not that shop's authorize page, and an error with Shopify's own words when the page
   * refuses (another client id, a redirect URI that is not allowed).
   */
  authorize(shop: string, url: string, { cancel = false }: { readonly cancel?: boolean | undefined } = {}): string {
    return this.#pages.authorize(checked(shop), url, cancel)
  }

  /** Makes a webhook as Shopify posts it, signed, for a test to change or to send. */
  webhook(topic: string, shop: string, options: FakeWebhookOptions = {}): FakeWebhook {
    const facts = { topic, shop: checked(shop), scopes: this.#scopes(shop), now: this.#settings.now() }
    return makeWebhook({ ...facts, secret: this.#secrets.signing() }, options)
  }

  /**
   * Makes a webhook and posts it to the app at `url`; when it fails, again at once, as often as `retries` says. Returns
   * the status of each delivery, `null` for one without an answer.
   */
  async deliverWebhook(
    url: string,
    topic: string,
    shop: string,
    options: FakeWebhookOptions & DeliveryOptions = {},
  ): Promise<DeliveryStatus[]> {
    return deliverWebhook(this.#realFetch, url, this.webhook(topic, shop, options), options)
  }

  /** Returns an App Bridge session token of this moment, or one that is bad in a chosen way. */
  sessionToken(shop: string, options: SessionTokenOptions = {}): string {
    const secret = options.secret ?? this.#secrets.signing()
    return mintSessionToken(checked(shop), this.clientId, secret, this.#settings.now(), options)
  }

  /**
   * Mints a pair as a merchant's visit would: installs the app if it is not, and ends earlier refresh tokens (R5).
   * `ageMs` dates it back: with more than an hour, the access token has expired and the refresh token has not.
   */
  mintPair(shop: string, { ageMs = 0 }: { readonly ageMs?: number | undefined } = {}): MintedPair {
    this.#ensureInstalled(shop)
    const { answer } = this.#ledger.acquire(shop, this.#secrets.newest(), ageMs)
    this.#log.minted(shop)
    const issuedAt = this.#settings.now() - ageMs
    const { accessTokenMs, refreshTokenMs } = this.#settings.lifetimes
    return {
      shop,
      accessToken: answer.access_token,
      accessTokenExpiresAt: issuedAt + accessTokenMs,
      refreshToken: answer.refresh_token ?? '',
      refreshTokenExpiresAt: issuedAt + refreshTokenMs,
      scopes: this.#ledger.scopes(shop),
      issuedAt,
      answer,
    }
  }

  /** Mints a token without an end, as apps hold from before expiring ones. Ends nothing. */
  mintNonExpiring(shop: string): string {
    this.#ensureInstalled(shop)
    return this.#ledger.mintNonExpiring(shop, this.#secrets.newest()).answer.access_token
  }

  /** Makes Shopify refuse one access token, or end one refresh token, alone. Throws when it never issued it. */
  revokeToken(shop: string, token: string): void {
    if (!this.#ledger.revoke(checked(shop), token)) throw new Error(`That token was never issued for ${shop}`)
  }

  /** Makes the shop answer every Admin call with 402, 404, 423, 429 or 430; without a restriction, no longer. */
  restrict(shop: string, restriction?: ShopRestriction): void {
    this.#admin.restrict(checked(shop), restriction)
  }

  /** Makes every Admin call of the shop need a scope (403 without it); without a scope, no longer. */
  requireScope(shop: string, scope?: string): void {
    this.#admin.requireScope(checked(shop), scope)
  }

  /** Adds a client secret, the newest. Grants made with it pin the shop's tokens to it (R11). */
  addClientSecret(secret: string): void {
    this.#secrets.add(secret)
  }

  /** Revokes a client secret: requests with it get `invalid_client`, and every token pinned to it is dead (R10). */
  revokeClientSecret(secret: string): void {
    const number = this.#secrets.revoke(secret)
    if (number !== undefined) this.#ledger.revokeSecret(number)
  }

  /**
   * Whether Shopify would accept any of these refresh tokens (or original non-expiring tokens) for a new pair now. Uses
   * nothing up. A shop is orphaned when the answer is `false` for everything that its app still holds.
   */
  hasLiveCredential(shop: string, candidates: readonly string[]): boolean {
    return candidates.some((candidate) => this.#ledger.accepts(checked(shop), candidate))
  }

  /** What the Admin API would make of an access token now, without a call. */
  accessTokenState(shop: string, accessToken: string): 'live' | 'expired' | 'revoked' | 'unknown' {
    return this.#ledger.inspect(checked(shop), accessToken).state
  }

  /** Holds matching requests back until `release()`. */
  hold(endpoint: FakeEndpoint, options: HoldOptions = {}): Hold {
    return this.#barrier.hold(endpoint, options)
  }

  /** Holds `n` matching requests and lets them go together when the last has arrived; later ones pass. */
  barrier(n: number, endpoint: FakeEndpoint, options: HoldOptions = {}): Hold {
    return this.#barrier.hold(endpoint, options, n)
  }

  /** A copy of the counters, of one shop or of all. */
  counters(shop?: string): ShopCounters {
    return this.#log.counters(shop)
  }

  /** A copy of the newest log entries, oldest first, of one shop or of all. */
  log(shop?: string): LogEntry[] {
    return this.#log.entries(shop)
  }

  /** Forgets log and counters. Tokens, faults and holds stay. */
  resetCounters(): void {
    this.#log.reset()
    this.#strayRequests = 0
  }

  #scopes(shop: string): readonly string[] {
    const granted = this.#ledger.scopes(shop)
    return granted.length > 0 ? granted : this.#settings.scopes
  }

  #ensureInstalled(shop: string): void {
    if (!this.#ledger.isInstalled(checked(shop))) this.#ledger.install(shop, this.#scopes(shop))
  }

  #merchantPages(): MerchantPages {
    const { scopes, now, appBridgeReload } = this.#settings
    return new MerchantPages({
      clientId: this.clientId,
      registration: this.#registration,
      secrets: this.#secrets,
      ledger: this.#ledger,
      tokens: this.#tokens,
      log: this.#log,
      defaultScopes: scopes,
      appBridgeReload,
      now,
      idToken: (shop) => this.sessionToken(shop),
    })
  }

  #frontDoor(): FrontDoor {
    const desk = new ControlDesk(this)
    return new FrontDoor({
      tokens: this.#tokens,
      admin: this.#admin,
      pages: this.#pages,
      faults: this.faults,
      barrier: this.#barrier,
      log: this.#log,
      now: this.#settings.now,
      pause: (ms) => this.#pauses.pause(ms),
      requestId: randomUUID,
      date: () => (this.#sendDate ? new Date(this.#settings.now() + this.#dateOffsetMs).toUTCString() : undefined),
      elsewhere: () => this.#elsewhere.url,
      control: (verb, body) => desk.call(verb, body),
    })
  }
}

function checked(shop: string): string {
  if (!isShopHost(shop)) throw new TypeError('shop must be a lower-case *.myshopify.com host')
  return shop
}
