import { InvalidOptionError } from '@shopify-tokens/core'
import { DEFAULT_TABLE_NAME } from './columns.js'

/** The databases this package knows, by the `type` of their DataSource. */
export type DatabaseType = 'better-sqlite3' | 'postgres' | 'mysql' | 'mariadb'

const TYPES: readonly string[] = ['better-sqlite3', 'postgres', 'mysql', 'mariadb'] satisfies DatabaseType[]

/** The parts of a DataSource's options that say where its tables are. */
export interface TableOptions {
  readonly type: string
  readonly schema?: string | undefined
  readonly entityPrefix?: string | undefined
}

/** Short enough that index names made from it fit every database. */
const TABLE_NAME = /^[a-z_][a-z0-9_]{0,39}$/i

/** @throws InvalidOptionError `ERR_INVALID_OPTION` for anything but letters, digits and underscores, 40 at most. */
export function parseTableName(tableName: string = DEFAULT_TABLE_NAME): string {
  if (typeof tableName === 'string' && TABLE_NAME.test(tableName)) return tableName
  throw new InvalidOptionError(
    'tableName must be 1 to 40 letters, digits and underscores that do not begin with a digit.',
    ['tableName'],
  )
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` for a database that this package does not know. */
export function parseDatabaseType(type: string): DatabaseType {
  if (TYPES.includes(type)) return type as DatabaseType
  throw new InvalidOptionError(`The DataSource's type must be one of ${TYPES.join(', ')}.`, ['type'])
}

/** The table's quoted name, in the schema and with the prefix that TypeORM gives the entity. */
export function quotedTable(options: TableOptions, tableName: string): string {
  const quote = quoteOf(parseDatabaseType(options.type))
  const name = quote(`${options.entityPrefix ?? ''}${tableName}`)
  return options.type === 'postgres' && options.schema !== undefined ? `${quote(options.schema)}.${name}` : name
}

/** How the database quotes the names of things. */
export function quoteOf(type: DatabaseType): (name: string) => string {
  const mark = type === 'mysql' || type === 'mariadb' ? '`' : '"'
  return (name) => `${mark}${name.replaceAll(mark, mark + mark)}${mark}`
}

/** The names of the indexes by which the sweep finds its rows. */
export function indexNames(tableName: string): { readonly sweep: string; readonly asked: string } {
  return { sweep: `idx_${tableName}_sweep`, asked: `idx_${tableName}_asked` }
}

/** The table that names the deployment of each app, beside the tokens. */
export function deploymentsTableName(tableName: string): string {
  return `${tableName}_deployments`
}

/** The table that remembers what was done once, beside the tokens. */
export function deliveriesTableName(tableName: string): string {
  return `${tableName}_deliveries`
}

/** The name of the index by which old deliveries are found. */
export function notedIndexName(tableName: string): string {
  return `idx_${tableName}_noted`
}
