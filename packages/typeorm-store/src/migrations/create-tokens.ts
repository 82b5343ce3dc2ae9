import type { MigrationInterface, QueryRunner } from 'typeorm'
import { type DatabaseType, indexNames, parseDatabaseType, quotedTable, quoteOf } from '../table.js'
import { dataSourceOf, type MigrationClass, suffixOf } from './migration.js'

/** The table of the records. */
export function createTokens(tableName: string): MigrationClass {
  return class CreateShopifyTokens implements MigrationInterface {
    /** TypeORM orders migrations by the timestamp at the end. */
    readonly name = `CreateShopifyTokens${suffixOf(tableName)}1795176000000`

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
