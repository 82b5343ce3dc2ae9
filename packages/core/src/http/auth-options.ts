import { InvalidOptionError } from '../errors.js'
import { flagOption, invalidOption, refuseUnknownOptions } from '../option-checks.js'
import { isScope, parseScopes } from '../scopes.js'
import type { Shop } from '../shop.js'
import type { AccessToken } from '../token.js'
import { parseAuthPath } from './request-options.js'

/** A shop that has just authorized the app. */
export interface Installed {
  readonly shop: Shop
  /** The scopes that it has granted. */
  readonly scopes: readonly string[]
  readonly token: AccessToken
}

/** How merchants authorize the app. Unknown keys are refused. */
export interface AuthOptions {
  /** The scopes to ask for. Default: the environment variable `SCOPES`, with commas between, or none. */
  readonly scopes?: readonly string[] | undefined
  /**
   * The origin at which browsers reach the app: https, or `http://localhost:PORT` during development. Shopify must know
   * `appUrl` + `authPath` + `/callback` as a redirect URL of the app. Default: the environment variable `SHOPIFY_APP_URL`.
   */
  readonly appUrl?: string | undefined
  /** The path that begins authorization; `callback`, `bounce` and `exit-iframe` are below it. Default `/auth`. */
  readonly authPath?: string | undefined
  /** Whether the app is shown inside Shopify's admin: where a merchant is sent in the end. Default true. */
  readonly embedded?: boolean | undefined
  /**
   * Called after a callback has stored its tokens and before the merchant is sent on, who waits for it. Called again when
   * the merchant authorizes again. If it fails the tokens stay;
   * this project's errors become a page, others go to the framework's error handling.
   */
  readonly onInstalled?: ((installed: Installed) => unknown) | undefined
}

/** {@link AuthOptions} after they have been checked. */
export interface AuthSettings {
  readonly scopes: readonly string[]
  readonly appUrl: string
  readonly authPath: string
  readonly embedded: boolean
  readonly onInstalled: ((installed: Installed) => unknown) | null
}

/** The variables that complete {@link AuthOptions}. */
export const AUTH_VARIABLES = { appUrl: 'SHOPIFY_APP_URL', scopes: 'SCOPES' } as const

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Checks every option and completes it from the environment and the defaults.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function parseAuthOptions(options: AuthOptions, env: NodeJS.ProcessEnv): AuthSettings {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('options', 'an object', options)
  refuseUnknownOptions(options, ['scopes', 'appUrl', 'authPath', 'embedded', 'onInstalled'])
  const { scopes, appUrl = env[AUTH_VARIABLES.appUrl], embedded, onInstalled } = options
  if (onInstalled !== undefined && typeof onInstalled !== 'function') {
    throw invalidOption('onInstalled', 'a function', onInstalled)
  }
  return {
    scopes: scopes === undefined ? scopesIn(env) : parseScopes(scopes),
    appUrl: parseAppUrl(appUrl),
    authPath: parseRoutesPath(options.authPath),
    embedded: flagOption('embedded', embedded, true),
    onInstalled: onInstalled ?? null,
  }
}

function scopesIn(env: NodeJS.ProcessEnv): readonly string[] {
  const names = (env[AUTH_VARIABLES.scopes] ?? '').split(',').map((name) => name.trim())
  const scopes = [...new Set(names.filter((name) => name !== ''))]
  if (scopes.every(isScope)) return scopes
  throw new InvalidOptionError(
    `${AUTH_VARIABLES.scopes} must hold scopes such as read_products, with commas between.`,
    [AUTH_VARIABLES.scopes],
  )
}

function parseAppUrl(appUrl: unknown): string {
  const rule = `the app's https origin, such as https://app.example.com (or set ${AUTH_VARIABLES.appUrl})`
  const url = typeof appUrl === 'string' && URL.canParse(appUrl) ? new URL(appUrl) : null
  if (url === null) throw invalidOption('appUrl', rule, appUrl)
  const isEncrypted = url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.includes(url.hostname))
  if (!isEncrypted) throw invalidOption('appUrl', `${rule}; http is for localhost alone`, appUrl)
  if (url.href !== `${url.origin}/`) throw invalidOption('appUrl', `${rule}, without path, query or name`, appUrl)
  return url.origin
}

/** Other paths come below it, and it is the path of cookies. */
function parseRoutesPath(option: unknown): string {
  const authPath = parseAuthPath(option)
  if (/[^/;]$/.test(authPath) && !authPath.includes(';')) return authPath
  throw invalidOption('authPath', 'a path below the root, without a slash at its end and without a semicolon', option)
}
