import { API_VERSION } from './admin/shop-client.js'
import { DEFAULT_DURATIONS, DURATION_RANGES, type Durations } from './durations.js'
import { InvalidOptionError } from './errors.js'
import type { TokenEventListener } from './events.js'
import { flagOption, invalidOption, refuseUnknownOptions, wholeNumberOption } from './option-checks.js'
import { type Clock, systemClock } from './ports/clock.js'
import { DEPLOYMENT_ID, DEPLOYMENT_ID_RULE } from './ports/deployment-register.js'
import { type Fetch, systemFetch } from './ports/fetch.js'
import type { KeyRing } from './ports/key-ring.js'
import type { Lock } from './ports/lock.js'
import { type Random, systemRandom } from './ports/random.js'
import type { TokenStore } from './ports/token-store.js'
import { isRenewalMode, RENEWAL_MODE_RULE, type RenewalMode } from './renewal-mode.js'
import type { NotifyHook, ReauthorizationNotice } from './renewal/notices.js'
import { isSecret, Secret } from './secret.js'

/** What {@link createTokenManager} takes. Unknown keys are refused. */
export interface TokenManagerOptions extends Partial<Durations> {
  /** The app's client id (API key). */
  readonly clientId: string
  /** The app's client secret. During a rotation: the new one. */
  readonly clientSecret: string | Secret
  /** During a rotation: the old client secret. Verifies what Shopify still signs with it; no grant uses it. */
  readonly previousClientSecret?: string | Secret | undefined
  /** Where the records live. */
  readonly store: TokenStore
  /**
   * The name of this deployment, such as `production`: 1 to 64 of `A-Z a-z 0-9 . _ -`. The first one to be named is kept
   * beside the records, and whoever has another name, or none, renews nothing: so a copy of the database does no harm.
   * Default: none, and no check unless the store has one on record.
   */
  readonly deploymentId?: string | undefined
  /**
   * The keys that seal tokens before they reach the store. No default: the only other value stores tokens so that
   * everybody who can read the database can use them.
   */
  readonly sealing: KeyRing | 'unsealed-tokens-readable-in-store'
  /**
   * How the app comes by its tokens, unless merchants' visits bring them. `client-credentials`: it asks with its own
   * credentials, for shops of the organization that owns it; a token lives 24 hours, and the next one is requested before
   * it ends. Session tokens are verified, but not needed. Default: none.
   *
   * @see Shopify: "Client credentials grant"
   */
  readonly grant?: 'client-credentials' | undefined
  /** A lock in front of the store, to spare it writes when many processes renew one shop. Default: none. */
  readonly lock?: Lock | undefined
  /**
   * `hybrid` (default): a token inside its renewal window is served and renewed behind the request.
   * `lazy`: renewed only when it has expired or was refused; for hosts that freeze after the response.
   * `never`: this process only reads. A token that is due is served and asked for; one that is over is asked for and
   * awaited up to `waitMs`, then `ERR_RENEWAL_ELSEWHERE`. Some other process must keep the shops alive
   * ({@link TokenManager.startKeepAlive}), and merchants' visits must reach one that may acquire.
   */
  readonly renewal?: RenewalMode | undefined
  /** Gets every piece of work that goes on behind a request; hand it to `waitUntil` where the host has one. What it throws becomes a process warning. */
  readonly background?: ((work: Promise<void>) => unknown) | undefined
  /** Gets every event. More listeners: `manager.subscribe`. */
  readonly onEvent?: TokenEventListener | undefined
  /**
   * Called when a shop comes to need its merchant: to tell support, or the merchant. No request waits for it. At least
   * once each time: where it fails, takes more than ten seconds or dies with its process, whoever next renews, or tries
   * to renew, the shop calls it again, each process at most once a minute. So it should be idempotent per shop and `at`.
   */
  readonly notify?: ((notice: ReauthorizationNotice) => unknown) | undefined
  /** Refuse a non-expiring token in answer to an acquisition, instead of storing and reporting it. Default false. */
  readonly requireExpiring?: boolean | undefined
  /** Admin API version for `graphql` and relative paths, such as `2026-10`. No default: a version is the app's choice. */
  readonly apiVersion?: string | undefined
  /** How many shops the cache holds; the least recently used goes first. 1 to 1 000 000, default 10 000. */
  readonly cacheSize?: number | undefined
  /** Default: the machine's clock. */
  readonly clock?: Clock | undefined
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch | undefined
  /** Numbers in [0, 1) for jitter. Default: `Math.random`. */
  readonly random?: Random | undefined
}

/** Options after they have been checked: complete and frozen. Nothing below `createTokenManager` sees raw options. */
export interface Settings extends Durations {
  readonly clientId: string
  readonly clientSecret: Secret
  /** Every secret that may have signed what Shopify sends, the current one first. */
  readonly clientSecrets: readonly Secret[]
  readonly store: TokenStore
  readonly deploymentId: string | null
  readonly keyRing: KeyRing | null
  readonly grant: 'client-credentials' | null
  readonly lock: Lock | null
  readonly renewal: RenewalMode
  readonly background: ((work: Promise<void>) => unknown) | null
  readonly onEvent: TokenEventListener | null
  readonly notify: NotifyHook | null
  readonly requireExpiring: boolean
  readonly apiVersion: string | null
  readonly cacheSize: number
  readonly clock: Clock
  readonly fetch: Fetch
  readonly random: Random
}

const RANGES = { ...DURATION_RANGES, cacheSize: [1, 1_000_000] } as const satisfies Record<
  string,
  readonly [number, number]
>

const UNSEALED = 'unsealed-tokens-readable-in-store'

/**
 * Checks every option and completes it from the defaults.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`, naming the option, the rule and the type it got; never the value.
 */
export function parseOptions(options: TokenManagerOptions): Settings {
  refuseUnknownOptions(options, KNOWN)

  const durations = Object.fromEntries(
    (Object.keys(DEFAULT_DURATIONS) as (keyof Durations)[]).map((name) => [
      name,
      wholeNumber(options, name, DEFAULT_DURATIONS[name]),
    ]),
  ) as unknown as Durations
  less(durations, 'requestTimeoutMs', 'retryBudgetMs')
  less(durations, 'retryBudgetMs', 'leaseMs')
  // Otherwise requests would wait for a renewal that has not even been begun behind them.
  less(durations, 'minRemainingMs', 'refreshAheadMs')

  const renewal = renewalMode(options)
  // Whoever waits for a run waits for as long as a lease may last.
  if (renewal === 'never') less(durations, 'waitMs', 'leaseMs')

  const store = port(options, 'store', ['get', 'put', 'scan', 'ask'])
  const clientSecret = secret(options, 'clientSecret')
  const previous = options.previousClientSecret === undefined ? [] : [secret(options, 'previousClientSecret')]

  return Object.freeze({
    ...durations,
    clientId: text(options, 'clientId', /^[\x21-\x7e]{1,255}$/, 'a client id of 1 to 255 printable characters'),
    clientSecret,
    clientSecrets: [clientSecret, ...previous],
    store,
    deploymentId: deployment(options, store),
    keyRing:
      options.sealing === UNSEALED ? null : port(options, 'sealing', ['current', 'byId'], `a KeyRing or '${UNSEALED}'`),
    grant: grant(options),
    lock: options.lock === undefined ? null : port(options, 'lock', ['tryAcquire']),
    renewal,
    background: optionalFunction(options, 'background'),
    onEvent: optionalFunction(options, 'onEvent'),
    notify: optionalFunction(options, 'notify'),
    requireExpiring: flagOption('requireExpiring', options.requireExpiring, false),
    apiVersion:
      options.apiVersion === undefined
        ? null
        : text(options, 'apiVersion', API_VERSION, "a version such as '2026-10', or 'unstable'"),
    cacheSize: wholeNumber(options, 'cacheSize', 10_000),
    clock: options.clock === undefined ? systemClock : port(options, 'clock', ['now', 'monotonic', 'sleep']),
    fetch: optionalFunction(options, 'fetch') ?? systemFetch,
    random: optionalFunction(options, 'random') ?? systemRandom,
  })
}

const KNOWN: readonly string[] = [
  ...Object.keys(RANGES),
  ...['clientId', 'clientSecret', 'previousClientSecret', 'store', 'deploymentId', 'sealing', 'lock', 'renewal'],
  ...['grant', 'background', 'onEvent', 'notify', 'requireExpiring', 'apiVersion', 'clock', 'fetch', 'random'],
]

function wholeNumber(options: TokenManagerOptions, name: keyof typeof RANGES, fallback: number): number {
  const value: unknown = options[name]
  const [min, max] = RANGES[name]
  return value === undefined ? fallback : wholeNumberOption(name, value, min, max)
}

function less(durations: Durations, smaller: keyof Durations, larger: keyof Durations): void {
  if (durations[smaller] < durations[larger]) return
  throw new InvalidOptionError(`Option ${smaller} must be less than ${larger}.`, [smaller, larger])
}

function deployment(options: TokenManagerOptions, store: TokenStore): string | null {
  if (options.deploymentId === undefined) return null
  if (store.deployments === undefined) {
    throw new InvalidOptionError('Option deploymentId needs a store that keeps the deployment on record.', [
      'deploymentId',
    ])
  }
  return text(options, 'deploymentId', DEPLOYMENT_ID, DEPLOYMENT_ID_RULE)
}

function grant(options: TokenManagerOptions): 'client-credentials' | null {
  if (options.grant === undefined) return null
  if ((options.grant as unknown) !== 'client-credentials') {
    throw invalidOption('grant', "'client-credentials', or left out", options.grant)
  }
  if (options.requireExpiring !== undefined) {
    throw new InvalidOptionError('Option requireExpiring is of no use beside grant: its tokens always end.', [
      'requireExpiring',
    ])
  }
  return options.grant
}

function text(
  options: TokenManagerOptions,
  name: 'clientId' | 'apiVersion' | 'deploymentId',
  form: RegExp,
  rule: string,
): string {
  const value: unknown = options[name]
  if (typeof value === 'string' && form.test(value)) return value
  throw invalidOption(name, rule, value)
}

function secret(options: TokenManagerOptions, name: 'clientSecret' | 'previousClientSecret'): Secret {
  const value: unknown = options[name]
  const text = isSecret(value) ? value.reveal() : value
  if (typeof text === 'string' && text !== '') return new Secret(text)
  throw invalidOption(name, 'a non-empty string or a Secret', value)
}

type PortName = 'store' | 'sealing' | 'lock' | 'clock'
type PortOf<Name extends PortName> = Exclude<TokenManagerOptions[Name], string | undefined>

function port<Name extends PortName>(
  options: TokenManagerOptions,
  name: Name,
  methods: readonly string[],
  rule = `an object with ${methods.map((method) => `${method}()`).join(', ')}`,
): PortOf<Name> {
  const value: unknown = options[name]
  const fits =
    typeof value === 'object' &&
    value !== null &&
    methods.every((method) => typeof (value as Record<string, unknown>)[method] === 'function')
  if (fits) return value as PortOf<Name>
  throw invalidOption(name, rule, value)
}

function renewalMode({ renewal = 'hybrid' }: TokenManagerOptions): RenewalMode {
  if (isRenewalMode(renewal)) return renewal
  throw invalidOption('renewal', RENEWAL_MODE_RULE, renewal)
}

function optionalFunction<Name extends 'background' | 'onEvent' | 'notify' | 'fetch' | 'random'>(
  options: TokenManagerOptions,
  name: Name,
): Exclude<TokenManagerOptions[Name], undefined> | null {
  const value: unknown = options[name]
  if (value === undefined) return null
  if (typeof value === 'function') return value as Exclude<TokenManagerOptions[Name], undefined>
  throw invalidOption(name, 'a function', value)
}
