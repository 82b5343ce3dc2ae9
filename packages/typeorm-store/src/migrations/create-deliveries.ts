import type { MigrationInterface, QueryRunner } from 'typeorm'
import {
  deliveriesTableName,
  type DatabaseType,
  notedIndexName,
  parseDatabaseType,
  quotedTable,
  quoteOf,
} from '../table.js'
import { dataSourceOf, type MigrationClass, suffixOf } from './migration.js'

/** The table that remembers what was done once. */
export function createDeliveries(tableName: string): MigrationClass {
  return class CreateShopifyDeliveries implements MigrationInterface {
    readonly name = `CreateShopifyDeliveries${suffixOf(tableName)}1795204800000`

    async up(runner: QueryRunner): Promise<void> {
      const { options } = dataSourceOf(runner)
      const type = parseDatabaseType(options.type)
      const table = quotedTable(options, deliveriesTableName(tableName))
      await runner.query(TABLES[type](table))
      await runner.query(`CREATE INDEX ${quoteOf(type)(notedIndexName(tableName))} ON ${table} (noted_at)`)
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE ${quotedTable(dataSourceOf(runner).options, deliveriesTableName(tableName))}`)
    }
  }
}

interface Types {
  readonly client: string
  readonly delivery: string
}

function createTable({ client, delivery }: Types, ending = ''): (table: string) => string {
  return (table) => `
    CREATE TABLE ${table} (
      client_id ${client} NOT NULL,
      delivery ${delivery} NOT NULL,
      claim varchar(64) NULL,
      claimed_until bigint NOT NULL,
      noted_at bigint NOT NULL,
      PRIMARY KEY (client_id, delivery)
    )${ending}`
}

const ASCII = 'CHARACTER SET ascii COLLATE ascii_bin'
const createOnMysql = createTable(
  { client: `varchar(255) ${ASCII}`, delivery: `varchar(128) ${ASCII}` },
  ' ENGINE=InnoDB',
)

const TABLES: Record<DatabaseType, (table: string) => string> = {
  'better-sqlite3': createTable({ client: 'varchar(255)', delivery: 'varchar(128)' }),
  postgres: createTable({ client: 'varchar(255) COLLATE "C"', delivery: 'varchar(128) COLLATE "C"' }),
  mysql: createOnMysql,
  mariadb: createOnMysql,
}
