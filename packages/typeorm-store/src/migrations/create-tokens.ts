import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm'
import { DEFAULT_TABLE_NAME } from '../columns.js'
import { type DatabaseType, indexNames, parseDatabaseType, parseTableName, quotedTable, quoteOf } from '../table.js'

/** A migration as `migrations` of a DataSource takes it. */
export type MigrationClass = new () => MigrationInterface

/**
 * The migrations of the token table, oldest first, for SQLite, PostgreSQL, MariaDB and MySQL alike:
 * `migrations: [...tokenMigrations()]`. Run them with TypeORM's own command, as a role that may create tables; the
 * store itself needs `SELECT`, `INSERT` and `UPDATE` on the table and nothing else.
 *
 * @param options `tableName`: default `shopify_tokens`. Must be the one that the store is given.
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for an unusable name.
 */
export function tokenMigrations(options: { readonly tableName?: string | undefined } = {}): MigrationClass[] {
  return [createTokens(parseTableName(options.tableName))]
}

function createTokens(tableName: string): MigrationClass {
  const suffix = tableName === DEFAULT_TABLE_NAME ? '' : `_${tableName}_`
  return class CreateShopifyTokens implements MigrationInterface {
    /** TypeORM orders migrations by the timestamp at the end. */
    readonly name = `CreateShopifyTokens${suffix}1795176000000`

    async up(runner: QueryRunner): Promise<void> {
      const { options } = dataSourceOf(runner)
      const type = parseDatabaseType(options.type)
      const table = quotedTable(options, tableName)
      await runner.query(TABLES[type](table))
      const { sweep, asked } = indexNames(tableName)
      const quote = quoteOf(type)
      await runner.query(`CREATE INDEX ${quote(sweep)} ON ${table} (client_id, sweep_at, shop)`)
      await runner.query(`CREATE INDEX ${quote(asked)} ON ${table} (client_id, asked_at, shop)`)
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE ${quotedTable(dataSourceOf(runner).options, tableName)}`)
    }
  }
}

/** TypeORM 0.3 calls it `connection`, 1.x `dataSource`. */
function dataSourceOf(runner: QueryRunner): DataSource {
  const { dataSource } = runner as { dataSource?: DataSource }
  return dataSource ?? (runner as unknown as { connection: DataSource }).connection
}

interface Types {
  readonly key: string
  readonly word: string
  readonly text: string
  readonly instant: string
  readonly count: string
  readonly flag: string
}

/** Written out, not made from the entity: a migration that has run somewhere must never change. */
function createTable({ key, word, text, instant, count, flag }: Types): (table: string) => string {
  return (table) => `
    CREATE TABLE ${table} (
      client_id ${key} NOT NULL,
      shop ${key} NOT NULL,
      version ${word} NOT NULL,
      revision ${count} NOT NULL,
      format ${count} NOT NULL,
      asked_at ${instant} NULL,
      kind ${word} NOT NULL,
      marked ${flag} NOT NULL,
      sweep_at ${instant} NULL,
      access_token ${text} NULL,
      refresh_token ${text} NULL,
      predecessor ${text} NULL,
      alternates ${text} NULL,
      attempts ${text} NOT NULL,
      mark ${text} NULL,
      cool_down ${text} NULL,
      scopes ${text} NULL,
      secret_id ${word} NULL,
      obtained_at ${instant} NULL,
      confirmed_at ${instant} NULL,
      expires_at ${instant} NULL,
      renew_at ${instant} NULL,
      refresh_token_expires_at ${instant} NULL,
      minted_for_rejected ${flag} NULL,
      removed_at ${instant} NULL,
      PRIMARY KEY (client_id, shop)
    )`
}

const mysqlTable = createTable({
  key: 'varchar(255) CHARACTER SET ascii COLLATE ascii_bin',
  word: 'varchar(64)',
  text: 'mediumtext',
  instant: 'bigint',
  count: 'int',
  flag: 'tinyint',
})

const createOnMysql = (table: string): string =>
  `${mysqlTable(table)} ENGINE=InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`

const TABLES: Record<DatabaseType, (table: string) => string> = {
  'better-sqlite3': createTable({
    key: 'varchar(255)',
    word: 'varchar(64)',
    text: 'text',
    instant: 'bigint',
    count: 'integer',
    flag: 'boolean',
  }),
  postgres: createTable({
    key: 'varchar(255) COLLATE "C"',
    word: 'varchar(64)',
    text: 'text',
    instant: 'bigint',
    count: 'integer',
    flag: 'boolean',
  }),
  mysql: createOnMysql,
  mariadb: createOnMysql,
}
