import { EntitySchema, type EntitySchemaColumnOptions } from 'typeorm'
import { type Column, type ColumnKind, COLUMNS, DEFAULT_TABLE_NAME, KEY_COLUMNS } from './columns.js'
import { type DatabaseType, indexNames, parseDatabaseType, parseTableName } from './table.js'

/** A row as a repository reads it. Columns with credentials are loaded only when they are selected by name. */
export interface TokenRow {
  readonly clientId: string
  readonly shop: string
  readonly version: string
  readonly revision: number
  readonly format: number
  readonly askedAt: string | number | null
  readonly kind: string
  readonly marked: boolean
  readonly sweepAt: string | number | null
  readonly mark: string | null
  readonly coolDown: string | null
  readonly scopes: string | null
  readonly secretId: string | null
  readonly obtainedAt: string | number | null
  readonly confirmedAt: string | number | null
  readonly expiresAt: string | number | null
  readonly renewAt: string | number | null
  readonly refreshTokenExpiresAt: string | number | null
  readonly mintedForRejected: boolean | null
  readonly removedAt: string | number | null
  readonly accessToken?: string | null
  readonly refreshToken?: string | null
  readonly predecessor?: string | null
  readonly alternates?: string | null
  readonly attempts?: string
}

/**
 * The table as an entity, for `entities` and `TypeOrmModule.forFeature`: the app's own migrations then know that the
 * table is theirs to leave alone, and dashboards can read it.
 *
 * It is for reading. `save()`, `insert()` and `update()` write none of its columns: a repository knows no
 * compare-and-set, and one lost update can lose a shop. Write through {@link TypeOrmTokenStore} only.
 *
 * @param database The `type` of the DataSource; the databases spell key columns differently.
 * @param options `tableName`: default `shopify_tokens`.
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for another database or an unusable name.
 */
export function tokenEntity(
  database: DatabaseType,
  options: { readonly tableName?: string | undefined } = {},
): EntitySchema<TokenRow> {
  const type = parseDatabaseType(database)
  const tableName = parseTableName(options.tableName)
  const { sweep, asked } = indexNames(tableName)
  return new EntitySchema<TokenRow>({
    name: tableName === DEFAULT_TABLE_NAME ? 'ShopifyToken' : `ShopifyToken(${tableName})`,
    tableName,
    columns: Object.fromEntries(COLUMNS.map((column) => [column.property, columnOptions(type, column)])),
    indices: [
      { name: sweep, columns: ['clientId', 'sweepAt', 'shop'] },
      { name: asked, columns: ['clientId', 'askedAt', 'shop'] },
    ],
  })
}

function columnOptions(database: DatabaseType, column: Column): EntitySchemaColumnOptions {
  return {
    ...TYPES[database === 'mariadb' ? 'mysql' : database][column.kind],
    name: column.name,
    nullable: column.nullable,
    primary: (KEY_COLUMNS as readonly Column[]).includes(column),
    select: !column.secret,
    insert: false,
    update: false,
  }
}

const SHARED = {
  key: { type: 'varchar', length: 255 },
  word: { type: 'varchar', length: 64 },
  text: { type: 'text' },
  instant: { type: 'bigint' },
  count: { type: 'int' },
  flag: { type: 'boolean' },
} as const satisfies Record<ColumnKind, EntitySchemaColumnOptions>

const TYPES: Record<Exclude<DatabaseType, 'mariadb'>, Record<ColumnKind, EntitySchemaColumnOptions>> = {
  'better-sqlite3': SHARED,
  // Bytewise order: a scan goes on behind the last shop, and the language of the database must not reorder shops.
  postgres: { ...SHARED, key: { ...SHARED.key, collation: 'C' } },
  mysql: {
    ...SHARED,
    key: { ...SHARED.key, charset: 'ascii', collation: 'ascii_bin' },
    // `text` ends at 64 kB, and outside strict mode the rest is cut off without an error.
    text: { type: 'mediumtext' },
  },
}
