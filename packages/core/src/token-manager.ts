import type { AcquireOptions } from './acquire-options.js'
import type { ShopClient } from './admin/shop-client.js'
import type { TokenEventListener } from './events.js'
import type { AppSignatures } from './oauth/app-signatures.js'
import type { ShopsQuery, ShopState } from './keep-alive/shop-state.js'
import type { KeepAliveOptions, SweepOptions, SweepReport } from './keep-alive/sweep-options.js'
import type { SessionToken } from './oauth/id-token.js'
import type { DeliveryLog } from './ports/delivery-log.js'
import type { RepinOptions, RepinReport } from './secret-rotation/repin-options.js'
import type { UninstallOutcome } from './removal.js'
import type { Shop } from './shop.js'
import type { AccessToken } from './token.js'
import type { TokenOptions, TokenSource } from './token-source.js'

/** Keeps a working token for every shop of one app. */
export interface TokenManager extends TokenSource {
  /** Verifies what Shopify has signed with the app's client secret, and signs what the app gives to browsers. */
  readonly signatures: AppSignatures
  /**
   * What the app was given once and must do once: webhooks, authorization codes. The store's, or one that this process
   * keeps for itself.
   */
  readonly deliveries: DeliveryLog
  /**
   * A token that works now. From the cache without I/O while the token is fresh; inside the renewal window the current
   * token is the answer and the renewal runs behind; only without a usable token does the caller wait.
   *
   * Rejects with `ERR_REAUTHORIZATION_REQUIRED` when only the merchant's next visit brings a token, with
   * `ERR_SCOPE_MISSING` when the shop has not granted `scopes`, with `ERR_INVALID_SESSION_TOKEN` when `idToken` was needed and refused, with `ERR_COOLING_DOWN`,
   * `ERR_TOKEN_ENDPOINT_UNAVAILABLE`, `ERR_TOKEN_RESPONSE_INVALID`, `ERR_LEASE_TIMEOUT` or `ERR_STORE_UNAVAILABLE` when
   * waiting helps (and with `ERR_RENEWAL_ELSEWHERE` where `renewal` is `never`), with `ERR_APP_MISCONFIGURED`, `ERR_SECRET_OUTDATED`, `ERR_FOREIGN_DEPLOYMENT`, `ERR_FLEET_SUSPECT` or
   * `ERR_STORE_UNREADABLE` when an operator must act, with `ERR_CLOSED` after {@link close}, and with `signal.reason` on
   * an abort.
   */
  token(shop: Shop, options?: TokenOptions): Promise<AccessToken>
  /**
   * Exchanges the merchant's session token, or an authorization code, for a new pair although the present one may live:
   * after a reinstallation, or when scopes must grow. Retires every earlier refresh token of the shop, so for mere
   * access use `token(shop, { idToken })`, which acquires only when there is nothing to refresh.
   *
   * A code is sent to Shopify at most once, by whichever process: when its answer is lost, the merchant has to authorize
   * once more. Verify the callback before ({@link signatures}); this only sends what it is given.
   *
   * Rejects when no new pair came of it, though the present token may live: with the codes of {@link token}, and with
   * `ERR_INVALID_CALLBACK` for a code that has been used or that Shopify does not know.
   *
   * @see Shopify: "Implement token exchange", "Implement authorization code grant manually"
   */
  acquire(shop: Shop, options: AcquireOptions): Promise<AccessToken>
  /**
   * Renews now, whatever the clock, the cool-down and the breaker say: for operators. Rejects when no new pair came of
   * it, though the present token may live: with the codes of {@link token}.
   */
  force(shop: Shop, options?: { readonly signal?: AbortSignal | undefined }): Promise<AccessToken>
  /**
   * Exchanges the shop's non-expiring token for an expiring pair, without its merchant. This cannot be undone: the old token
   * ends with the exchange, for whoever uses it. Repeated after a crash it brings the same pair, for seven days. A shop
   * whose token is of another kind keeps it, and it is the answer. Where Shopify exchanges the token for nothing, it rejects
   * with `ERR_REAUTHORIZATION_REQUIRED`, and the token stays as it is: it may be a custom app's, which never ends. Where
   * Shopify answers with another token that never ends, that one is stored, and the answer (`token.notExpiring`).
   *
   * Otherwise rejects with the codes of {@link token} when no pair came of it, though the present token may live.
   *
   * @see Shopify: "Migrate to expiring offline access tokens"; R9 in docs/shopify-protocol.md
   */
  migrate(shop: Shop, options?: { readonly signal?: AbortSignal | undefined }): Promise<AccessToken>
  /**
   * Renews the shop if it is due: for its refresh token's age, because it is in doubt which of its refresh tokens lives,
   * for the daily try of a shop that needs its merchant, or because its access token is about to end. For one shop what
   * {@link sweep} does for all; to be called by a queue.
   *
   * Resolves with whether new tokens came of it; rejects with the codes of {@link token} when the shop is due and none came.
   */
  renewIfDue(shop: Shop, options?: { readonly signal?: AbortSignal | undefined }): Promise<'renewed' | 'not-due'>
  /**
   * Renews every shop that is due and that nobody visits, once: for a cron job. A refresh token ends 90 days after it was
   * issued, and a shop that is renewed within them never loses its tokens. Shops that other processes have asked for come
   * first, then those that are due, oldest first. Several processes may do this at the same time.
   *
   * Resolves with what it has done: one shop's failure keeps no other from its turn. Rejects with `ERR_INVALID_OPTION`, with
   * `ERR_STORE_UNAVAILABLE` when the shops cannot be read, with `ERR_FOREIGN_DEPLOYMENT`, with `ERR_CLOSED` when
   * {@link close} is called, and with `signal.reason` on an abort. Renewals under way then run to their end.
   *
   * @see Shopify: "Offline access tokens"; R1 in docs/shopify-protocol.md
   */
  sweep(options?: SweepOptions): Promise<SweepReport>
  /**
   * Sweeps by a timer until {@link close}: the due shops every ten minutes, and every two seconds those that processes with
   * `renewal: 'never'` have asked for. The timer keeps no process alive, unless `holdsProcess` says so. A second call changes nothing.
   *
   * @throws InvalidOptionError `ERR_INVALID_OPTION`
   */
  startKeepAlive(options?: KeepAliveOptions): void
  /**
   * How the shops stand, one after the other, without their secrets. Reads a page at a time; with `due` or `atRisk` no more
   * rows than are due. Rejects with `ERR_STORE_UNAVAILABLE`, and with `signal.reason` on an abort.
   *
   * @throws InvalidOptionError `ERR_INVALID_OPTION`
   */
  shops(query?: ShopsQuery): AsyncIterable<ShopState>
  /**
   * Replaces the shop's tokens by a tombstone, which only an acquisition writes over. `at`: the instant of the event,
   * in epoch milliseconds of Shopify's clock; default now. Resolves with whether there was anything to remove; rejects
   * with `ERR_INVALID_OPTION`, `ERR_INVALID_SHOP` and what the store rejects with.
   */
  remove(shop: Shop, options?: { readonly at?: number | undefined }): Promise<boolean>
  /**
   * Removes the shop's tokens, as {@link remove} does, if the app was uninstalled after Shopify's last grant: for the
   * webhook `app/uninstalled`, which comes late, twice, or after the app has been installed again. `at`: when it happened,
   * in epoch milliseconds of Shopify's clock (`X-Shopify-Triggered-At`); default unknown.
   *
   * Within two minutes of the last grant, or where one of the two instants is unknown, Shopify is asked: the tokens are
   * renewed, whatever the clock and the cool-down say, and are removed when Shopify refuses every refresh token. That takes
   * as long as a renewal. Where no answer comes, the tokens are kept, and the shop's own next renewal finds out. So they
   * are where nothing renews them (non-expiring, static).
   *
   * Resolves with `removed`, with `kept`, or with `absent` when there are no tokens on record. Rejects with
   * `ERR_INVALID_OPTION` and `ERR_INVALID_SHOP`; with `ERR_CLOSED`, `ERR_ROTATION_NOT_STORED` and what the store rejects
   * with, and then it is to be called again.
   */
  removeIfUninstalled(shop: Shop, options?: { readonly at?: number | undefined }): Promise<UninstallOutcome>
  /**
   * Renews every shop whose tokens were minted with another client secret than the current one, so that the others can be
   * revoked at Shopify without a shop losing its tokens. Goes on until a look at all shops finds none left to renew and
   * no request under way that may bring older tokens; shops that fail are tried three times. May be called again at any
   * time: shops that are done cost one read of a page. Run it in one process, once every process has the new secret.
   *
   * Resolves with how the shops stand, those included that no refresh can move. Rejects with `ERR_INVALID_OPTION`, with
   * `ERR_APP_MISCONFIGURED` when Shopify refuses the secret before it has taken it once, with `ERR_FOREIGN_DEPLOYMENT`,
   * with `ERR_STORE_UNAVAILABLE` or `ERR_STORE_UNREADABLE` when the shops cannot be read, with `ERR_CLOSED` when
   * {@link close} is called, and with `signal.reason` on an abort. Renewals under way then run to their end.
   *
   * @see Shopify: "Manage credentials"; R10 and R11 in docs/shopify-protocol.md
   */
  repinAll(options?: RepinOptions): Promise<RepinReport>
  /**
   * Makes the store's tokens this deployment's, whichever stood on record: after a move, or for a copy whose original has
   * been shut down. Two deployments that renew the same shops end each other's tokens. Resolves with whether that
   * changed anything; rejects with `ERR_STORE_UNAVAILABLE`, and with `ERR_INVALID_OPTION` without `deploymentId`.
   */
  adoptDeployment(): Promise<boolean>
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
   * (0 to 3 600 000 milliseconds, default 8 000). Then rejects with `ERR_ROTATION_NOT_STORED`, naming the shops whose newest pair is
   * lost with this process. May be called again; cached tokens are still served.
   */
  close(options?: { readonly deadlineMs?: number | undefined }): Promise<void>
}
