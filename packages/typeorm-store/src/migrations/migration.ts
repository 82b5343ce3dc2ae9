import type { DataSource, MigrationInterface, QueryRunner } from 'typeorm'
import { DEFAULT_TABLE_NAME } from '../columns.js'

/** A migration as `migrations` of a DataSource takes it. */
export type MigrationClass = new () => MigrationInterface

/** Stands in the names of the migrations of every table but the default one. */
export function suffixOf(tableName: string): string {
  return tableName === DEFAULT_TABLE_NAME ? '' : `_${tableName}_`
}

/** TypeORM 0.3 calls it `connection`, 1.x `dataSource`. */
export function dataSourceOf(runner: QueryRunner): DataSource {
  const { dataSource } = runner as { dataSource?: DataSource }
  return dataSource ?? (runner as unknown as { connection: DataSource }).connection
}
