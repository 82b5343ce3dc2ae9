import { parseTableName } from '../table.js'
import { createDeliveries } from './create-deliveries.js'
import { createDeployments } from './create-deployments.js'
import { createTokens } from './create-tokens.js'
import type { MigrationClass } from './migration.js'

/**
 * The migrations of the store's three tables, oldest first, for SQLite, PostgreSQL, MariaDB and MySQL alike:
 * `migrations: [...tokenMigrations()]`. Run them with TypeORM's own command, as a role that may create tables; the
 * store itself needs `SELECT`, `INSERT` and `UPDATE` on them, `DELETE` on `shopify_tokens_deliveries`, and nothing else.
 *
 * @param options `tableName`: default `shopify_tokens`. Must be the one that the store is given. The others
 * have the same name with `_deployments` and `_deliveries` behind it.
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for an unusable name.
 */
export function tokenMigrations(options: { readonly tableName?: string | undefined } = {}): MigrationClass[] {
  const tableName = parseTableName(options.tableName)
  return [createTokens(tableName), createDeployments(tableName), createDeliveries(tableName)]
}
