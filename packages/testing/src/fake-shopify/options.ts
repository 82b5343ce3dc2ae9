import { randomBytes } from 'node:crypto'
import type { AdminHandler } from './admin-api.js'
import type { AppBridgeReload } from './app-bridge.js'
import type { AppRegistration, Consent } from './authorization.js'
import type { Lifetimes } from './lifetimes.js'
import { lifetimesAt } from './lifetimes.js'
import type { TlsIdentity } from './loopback-server.js'
import type { Grace, Replay } from './rotation-rules.js'

/** Options of {@link FakeShopify.start}. */
export interface FakeShopifyOptions {
  /** The app's client id. A request with another one is answered as Shopify answers an unknown application. */
  readonly clientId: string
  /** The app's client secret, or all that are active, oldest first. */
  readonly clientSecret: string | readonly string[]
  /**
   * What a refresh token presented again brings. Default `'same-pair'`, which is what has been measured (R7 in
   * docs/shopify-protocol.md).
   */
  readonly replay?: Replay | undefined
  /**
   * How long it may be presented again. Default `'until-used'`, Shopify's rule since 2026-08-28 (R3 in
   * docs/shopify-protocol.md).
   */
  readonly grace?: Grace | undefined
  /** Divides every lifetime, grace and memo alike. Default 1; greater than 0. 3 600 makes an access token live 1 s. */
  readonly speed?: number | undefined
  /** Life of an access token in milliseconds, not divided by `speed`. Default 3 600 000 / `speed`; at least 1. */
  readonly accessTokenLifetimeMs?: number | undefined
  /** Life of a refresh token in milliseconds, not divided by `speed`. Default 90 days / `speed`; at least 1. */
  readonly refreshTokenLifetimeMs?: number | undefined
  /** Scopes of shops that are installed without a list. Default `['read_products']`. */
  readonly scopes?: readonly string[] | undefined
  /**
   * Whether the Admin API refuses non-expiring tokens with a 403 ("Errors of the Admin API" in
   * docs/shopify-protocol.md). Default `false`.
   */
  readonly refuseNonExpiring?: boolean | undefined
  /**
   * Where the app is: what is opened when a merchant installs it, and what the admin shows in its frame, with the path
   * and signed parameters added. Default: nowhere; those pages then say so.
   */
  readonly appUrl?: string | undefined
  /** The addresses that the authorize page may send a browser to, compared as they stand. Default: any http(s) address. */
  readonly redirectUris?: readonly string[] | undefined
  /** Whether the authorize page asks a merchant again who has granted every scope. Default `'once'`, as Shopify's. */
  readonly consent?: Consent | undefined
  /** How App Bridge leaves a page whose address has `shopify-reload`. Default `'fetch'`. */
  readonly appBridgeReload?: AppBridgeReload | undefined
  /**
   * A key and its certificate, to be reached by browsers too: {@link FakeShopify.secureUrl}. `port` on 127.0.0.1 defaults
   * to 0: a free one. Default: none.
   */
  readonly tls?: (TlsIdentity & { readonly port?: number | undefined }) | undefined
  /** Answers Admin requests that carry a valid token. Default: the shop's name and domain. */
  readonly admin?: AdminHandler | undefined
  /** Shopify's clock. Default: the system's. */
  readonly clock?: { now(): number } | undefined
  /** Milliseconds added to the clock in the `Date` header alone. Default 0; any integer. */
  readonly dateOffsetMs?: number | undefined
  /** Source of the bytes of tokens and codes. Default: `node:crypto`. It must not repeat itself. */
  readonly random?: ((size: number) => Uint8Array) | undefined
  /** Port on 127.0.0.1. Default 0: a free one. */
  readonly port?: number | undefined
  /** Log entries kept, the newest. Counters count all. Default 10 000; an integer of at least 1. */
  readonly logLimit?: number | undefined
}

/** {@link FakeShopifyOptions} with every default filled in. */
export interface FakeShopifySettings {
  readonly clientId: string
  readonly clientSecrets: readonly string[]
  readonly replay: Replay
  readonly grace: Grace
  readonly lifetimes: Lifetimes
  readonly scopes: readonly string[]
  readonly refuseNonExpiring: boolean
  readonly registration: Readonly<AppRegistration>
  readonly appBridgeReload: AppBridgeReload
  readonly tls: (TlsIdentity & { readonly port: number }) | undefined
  readonly admin: AdminHandler | undefined
  readonly now: () => number
  readonly dateOffsetMs: number
  readonly random: (size: number) => Uint8Array
  readonly port: number
  readonly logLimit: number
}

/** What {@link FakeShopify.configure} changes while the fake runs. */
export interface FakeShopifySwitches {
  readonly replay?: Replay | undefined
  readonly grace?: Grace | undefined
  readonly refuseNonExpiring?: boolean | undefined
  readonly dateOffsetMs?: number | undefined
  readonly appUrl?: string | undefined
  readonly redirectUris?: readonly string[] | undefined
  readonly consent?: Consent | undefined
  /** Whether answers carry a `Date` header at all. */
  readonly sendDate?: boolean | undefined
}

const REPLAYS: readonly string[] = ['same-pair', 'same-verbatim', 'new-pair'] satisfies Replay[]
const GRACES: readonly string[] = ['none', '60-minutes', 'until-used'] satisfies Grace[]

const RELOADS: readonly string[] = ['fetch', 'navigate'] satisfies AppBridgeReload[]
const CONSENTS: readonly string[] = ['once', 'always'] satisfies Consent[]

const KNOWN = new Set<string>([
  'clientId',
  'clientSecret',
  'replay',
  'grace',
  'speed',
  'accessTokenLifetimeMs',
  'refreshTokenLifetimeMs',
  'scopes',
  'refuseNonExpiring',
  'appUrl',
  'redirectUris',
  'consent',
  'appBridgeReload',
  'tls',
  'admin',
  'clock',
  'dateOffsetMs',
  'random',
  'port',
  'logLimit',
] satisfies (keyof FakeShopifyOptions)[])

/** Parses the options once. Throws a `TypeError` with code `ERR_INVALID_OPTION` that names the option, never its value. */
export function parseOptions(options: FakeShopifyOptions): FakeShopifySettings {
  for (const name of Object.keys(options)) if (!KNOWN.has(name)) throw invalid(name, 'is no option of FakeShopify')
  const { clientId, clientSecret, clock, speed, accessTokenLifetimeMs, refreshTokenLifetimeMs } = options
  const clientSecrets = typeof clientSecret === 'string' ? [clientSecret] : [...clientSecret]
  if (typeof clientId !== 'string' || clientId === '') throw invalid('clientId', 'must be a non-empty string')
  if (clientSecrets.length === 0 || clientSecrets.some((secret) => typeof secret !== 'string' || secret === '')) {
    throw invalid('clientSecret', 'must be a non-empty string or a list of them')
  }
  const { replay, grace } = checkSwitches(options)
  if (speed !== undefined && !(speed > 0 && Number.isFinite(speed))) throw invalid('speed', 'must be greater than 0')
  for (const name of ['accessTokenLifetimeMs', 'refreshTokenLifetimeMs', 'logLimit'] as const) {
    const value = options[name]
    if (value !== undefined && !(Number.isInteger(value) && value >= 1))
      throw invalid(name, 'must be an integer of at least 1')
  }
  const { appBridgeReload = 'fetch' } = options
  if (!RELOADS.includes(appBridgeReload)) throw invalid('appBridgeReload', `must be one of ${RELOADS.join(', ')}`)
  return Object.freeze({
    clientId,
    clientSecrets,
    replay: replay ?? 'same-pair',
    grace: grace ?? 'until-used',
    lifetimes: lifetimesAt(speed ?? 1, accessTokenLifetimeMs, refreshTokenLifetimeMs),
    scopes: options.scopes ?? ['read_products'],
    refuseNonExpiring: options.refuseNonExpiring ?? false,
    registration: { url: options.appUrl, redirectUris: options.redirectUris, consent: options.consent ?? 'once' },
    appBridgeReload,
    tls: options.tls === undefined ? undefined : { ...options.tls, port: options.tls.port ?? 0 },
    admin: options.admin,
    now: clock === undefined ? Date.now : () => clock.now(),
    dateOffsetMs: options.dateOffsetMs ?? 0,
    random: options.random ?? randomBytes,
    port: options.port ?? 0,
    logLimit: options.logLimit ?? 10_000,
  })
}

/** Checks what {@link FakeShopify.configure} and the options have in common, and returns it. */
export function checkSwitches<S extends FakeShopifySwitches>(switches: S): S {
  const { replay, grace, dateOffsetMs, appUrl, redirectUris, consent } = switches
  if (replay !== undefined && !REPLAYS.includes(replay)) throw invalid('replay', `must be one of ${REPLAYS.join(', ')}`)
  if (grace !== undefined && !GRACES.includes(grace)) throw invalid('grace', `must be one of ${GRACES.join(', ')}`)
  if (dateOffsetMs !== undefined && !Number.isInteger(dateOffsetMs)) throw invalid('dateOffsetMs', 'must be an integer')
  if (appUrl !== undefined && !isWebAddress(appUrl)) throw invalid('appUrl', 'must be an http(s) URL')
  if (redirectUris !== undefined && !(Array.isArray(redirectUris) && redirectUris.every(isWebAddress)))
    throw invalid('redirectUris', 'must be a list of http(s) URLs')
  if (consent !== undefined && !CONSENTS.includes(consent))
    throw invalid('consent', `must be one of ${CONSENTS.join(', ')}`)
  return switches
}

function isWebAddress(value: unknown): boolean {
  return typeof value === 'string' && /^https?:/.test(value) && URL.canParse(value)
}

function invalid(name: string, rule: string): TypeError {
  return Object.assign(new TypeError(`${name} ${rule}`), { code: 'ERR_INVALID_OPTION' })
}
