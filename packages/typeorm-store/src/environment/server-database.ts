import { ENVIRONMENT_VARIABLES, InvalidOptionError, type Secret } from '@shopify-tokens/core'
import type { DataSourceOptions } from 'typeorm'

/** Enough for the store's short statements, and small enough to leave the server's connections to the application. */
const POOL_SIZE = 4
const CONNECT_TIMEOUT_MS = 1_500

const VARIABLE = ENVIRONMENT_VARIABLES.database
const SCHEMES = ['postgres:', 'postgresql:', 'mysql:', 'mariadb:']

/**
 * The options of a DataSource of the store's own for a database URL.
 *
 * PostgreSQL understands the parameters of libpq (`sslmode=verify-full`); MariaDB and MySQL `ssl=true`, which checks the
 * server's certificate, or `ssl=` with the options of Node's TLS as JSON.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`, naming the variable and never its value.
 */
export function serverOptions(url: Secret): DataSourceOptions {
  const parsed = parse(url.reveal())
  if (parsed.protocol === 'postgres:' || parsed.protocol === 'postgresql:') {
    return {
      type: 'postgres',
      url: parsed.href,
      poolSize: POOL_SIZE,
      connectTimeoutMS: CONNECT_TIMEOUT_MS,
      applicationName: 'shopify-tokens',
    }
  }
  return {
    type: parsed.protocol === 'mariadb:' ? 'mariadb' : 'mysql',
    host: decodeURIComponent(parsed.hostname).replace(/^\[(.*)\]$/, '$1'),
    port: parsed.port === '' ? 3306 : Number(parsed.port),
    username: decodeURIComponent(parsed.username),
    password: decodeURIComponent(parsed.password),
    database: decodeURIComponent(parsed.pathname.slice(1)),
    poolSize: POOL_SIZE,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...tls(parsed.searchParams),
  }
}

function parse(url: string): URL {
  try {
    const parsed = new URL(url)
    if (SCHEMES.includes(parsed.protocol) && parsed.pathname.length > 1) return parsed
  } catch {
    // The parser's error quotes the URL, password included.
  }
  throw new InvalidOptionError(
    `${VARIABLE} must be a postgres:, mysql: or mariadb: URL that names a host and a database.`,
    [VARIABLE],
  )
}

function tls(parameters: URLSearchParams): { readonly ssl?: object } {
  const unknown = [...parameters.keys()].filter((name) => name !== 'ssl')
  if (unknown.length > 0) {
    throw new InvalidOptionError(
      `${VARIABLE} has a parameter that is not understood; only ssl is, for this database.`,
      [VARIABLE],
    )
  }
  const value = parameters.get('ssl')
  if (value === null || value === 'false') return {}
  if (value === 'true') return { ssl: { rejectUnauthorized: true } }
  try {
    const options: unknown = JSON.parse(value)
    if (typeof options === 'object' && options !== null) return { ssl: options }
  } catch {
    // Refused below, without the parser's quotation.
  }
  throw new InvalidOptionError(`${VARIABLE} has an ssl parameter that is neither true, false nor JSON.`, [VARIABLE])
}
