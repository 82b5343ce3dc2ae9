import { API_VERSION } from './admin/shop-client.js'
import { InvalidOptionError } from './errors.js'
import { parseSealingKeys } from './key-rings.js'
import { DEPLOYMENT_ID, DEPLOYMENT_ID_RULE } from './ports/deployment-register.js'
import type { SealingKey } from './ports/key-ring.js'
import { isRenewalMode, RENEWAL_MODE_RULE, type RenewalMode } from './renewal-mode.js'
import { Secret } from './secret.js'

/** What the environment says about an app. Read once, checked as a whole; opens nothing. */
export interface EnvironmentConfiguration {
  readonly clientId: string
  readonly clientSecret: Secret
  readonly previousClientSecret: Secret | undefined
  readonly apiVersion: string | undefined
  readonly deploymentId: string | undefined
  /** Whether this process renews, and when. `undefined`: the manager's default. */
  readonly renewal: RenewalMode | undefined
  readonly database: DatabaseConfiguration
  /** `null`: a key file beside the embedded database, made on first use. Never in production. */
  readonly sealing: SealingConfiguration | null
}

export type DatabaseConfiguration =
  /** A SQLite file. `null`: the default place, for development. */
  | { readonly kind: 'embedded'; readonly file: string | null }
  /** A URL with `postgres:`, `postgresql:`, `mysql:` or `mariadb:`; a Secret because it may hold a password. */
  | { readonly kind: 'server'; readonly url: Secret }

export type SealingConfiguration =
  | { readonly kind: 'keys'; readonly keys: readonly SealingKey[] }
  /** A mounted file in the form of {@link parseSealingKeys}, read again when it changes. */
  | { readonly kind: 'file'; readonly file: string }

/** The variables that {@link readEnvironment} knows. */
export const ENVIRONMENT_VARIABLES = {
  clientId: 'SHOPIFY_API_KEY',
  clientSecret: 'SHOPIFY_API_SECRET',
  previousClientSecret: 'SHOPIFY_API_SECRET_PREVIOUS',
  apiVersion: 'SHOPIFY_API_VERSION',
  database: 'SHOPIFY_TOKENS_DATABASE_URL',
  sealingKeys: 'SHOPIFY_TOKENS_SEALING_KEYS',
  sealingKeysFile: 'SHOPIFY_TOKENS_SEALING_KEYS_FILE',
  deploymentId: 'SHOPIFY_TOKENS_DEPLOYMENT',
  renewal: 'SHOPIFY_TOKENS_RENEWAL',
} as const

const SERVER_URL = /^(?:postgres|postgresql|mysql|mariadb):\/\/./
/** Two letters at least: `C:\data` is a file. */
const SCHEME = /^[a-z][a-z0-9+.-]+:/i
const FILE_URL = /^(?:sqlite|file):(?:\/\/)?(?!\/*$)(.+)$/

/**
 * Reads the app's configuration from environment variables.
 *
 * With `NODE_ENV=production` the database must be named and sealing keys given. A default file would be gone with the
 * container, and one file per replica means that replicas retire each other's tokens.
 *
 * @throws InvalidOptionError that names **all** missing or unreadable variables at once, and never a value.
 */
export function readEnvironment(env: Readonly<Record<string, string | undefined>>): EnvironmentConfiguration {
  const read = (name: keyof typeof ENVIRONMENT_VARIABLES): string | undefined => {
    const value = env[ENVIRONMENT_VARIABLES[name]]?.trim()
    return value === '' ? undefined : value
  }
  const production = env.NODE_ENV === 'production'
  const problems = new Map<string, string>()
  const problem = (name: keyof typeof ENVIRONMENT_VARIABLES, why: string): void => {
    problems.set(ENVIRONMENT_VARIABLES[name], why)
  }

  const clientId = read('clientId')
  const clientSecret = read('clientSecret')
  if (clientId === undefined) problem('clientId', "the app's client id")
  if (clientSecret === undefined) problem('clientSecret', "the app's client secret")

  const database = parseDatabase(read('database'))
  if (database === null) problem('database', 'a postgres:, mysql:, mariadb: or sqlite: URL')
  if (production && read('database') === undefined) {
    problem('database', 'in production the database must be named: a default file is gone with its container')
  }
  if (production && database?.kind === 'embedded' && !SCHEME.test(read('database') ?? 'unset:')) {
    problem('database', 'in production a file is named as sqlite:PATH, so that a slip of the pen does not make one')
  }
  const apiVersion = read('apiVersion')
  if (apiVersion !== undefined && !API_VERSION.test(apiVersion)) {
    problem('apiVersion', "a version such as 2026-10, or 'unstable'")
  }
  const deploymentId = read('deploymentId')
  if (deploymentId !== undefined && !DEPLOYMENT_ID.test(deploymentId)) problem('deploymentId', DEPLOYMENT_ID_RULE)
  const mode = read('renewal')
  const renewal = isRenewalMode(mode) ? mode : undefined
  if (mode !== renewal) problem('renewal', RENEWAL_MODE_RULE)

  const keys = read('sealingKeys')
  const file = read('sealingKeysFile')
  let sealing: SealingConfiguration | null = file === undefined ? null : { kind: 'file', file }
  if (keys !== undefined) {
    try {
      sealing = { kind: 'keys', keys: parseSealingKeys(keys) }
    } catch (error) {
      problem('sealingKeys', (error as InvalidOptionError).message)
    }
    if (file !== undefined) problem('sealingKeysFile', `either this or ${ENVIRONMENT_VARIABLES.sealingKeys}, not both`)
  } else if (file === undefined && (production || database?.kind === 'server')) {
    problem('sealingKeys', `keys that seal tokens at rest, id:base64 (or ${ENVIRONMENT_VARIABLES.sealingKeysFile})`)
  }

  if (problems.size > 0 || clientId === undefined || clientSecret === undefined || database === null) {
    const list = [...problems].map(([name, why]) => `${name} (${why})`).join('; ')
    throw new InvalidOptionError(`Environment variables missing or unreadable: ${list}.`, [...problems.keys()])
  }
  const previous = read('previousClientSecret')
  return {
    clientId,
    clientSecret: new Secret(clientSecret),
    previousClientSecret: previous === undefined ? undefined : new Secret(previous),
    apiVersion,
    deploymentId,
    renewal,
    database,
    sealing,
  }
}

/** `null`: not a form that we know. What looks like a URL is never taken for a file: its name would show a password. */
function parseDatabase(url: string | undefined): DatabaseConfiguration | null {
  if (url === undefined) return { kind: 'embedded', file: null }
  if (SERVER_URL.test(url)) return { kind: 'server', url: new Secret(url) }
  const file = SCHEME.test(url) ? FILE_URL.exec(url)?.[1] : url
  return file === undefined ? null : { kind: 'embedded', file }
}
