import type { MigrationInterface, QueryRunner } from 'typeorm'
import { type DatabaseType, deploymentsTableName, parseDatabaseType, quotedTable } from '../table.js'
import { dataSourceOf, type MigrationClass, suffixOf } from './migration.js'

/** The table that names the deployment of each app. */
export function createDeployments(tableName: string): MigrationClass {
  return class CreateShopifyDeployments implements MigrationInterface {
    readonly name = `CreateShopifyDeployments${suffixOf(tableName)}1795190400000`

    async up(runner: QueryRunner): Promise<void> {
      const { options } = dataSourceOf(runner)
      await runner.query(TABLES[parseDatabaseType(options.type)](quotedTable(options, deploymentsTableName(tableName))))
    }

    async down(runner: QueryRunner): Promise<void> {
      await runner.query(`DROP TABLE ${quotedTable(dataSourceOf(runner).options, deploymentsTableName(tableName))}`)
    }
  }
}

function createTable(name: string, count: string, ending = ''): (table: string) => string {
  return (table) => `
    CREATE TABLE ${table} (
      client_id ${name} NOT NULL,
      deployment ${name} NOT NULL,
      revision ${count} NOT NULL,
      PRIMARY KEY (client_id)
    )${ending}`
}

const createOnMysql = createTable('varchar(255) CHARACTER SET ascii COLLATE ascii_bin', 'int', ' ENGINE=InnoDB')

const TABLES: Record<DatabaseType, (table: string) => string> = {
  'better-sqlite3': createTable('varchar(255)', 'integer'),
  postgres: createTable('varchar(255) COLLATE "C"', 'integer'),
  mysql: createOnMysql,
  mariadb: createOnMysql,
}
