import { type Clock, StoreUnavailableError } from '@shopify-tokens/core'
import { DataSource, type DataSourceOptions } from 'typeorm'
import { codeOf } from '../dialects/dialect.js'
import { tokenMigrations } from '../migrations/token-migrations.js'

/** Apart from the application's own, so that reverting one never touches the other. */
const MIGRATIONS_TABLE = 'shopify_tokens_migrations'

const OPENINGS = 60
const PAUSE_MS = 50

/**
 * Opens a DataSource with the token migrations. A SQLite file that another process is opening or migrating is tried
 * again for a few seconds.
 *
 * @throws StoreUnavailableError `ERR_STORE_UNAVAILABLE` with the driver's code; nothing of the URL.
 */
export async function openDataSource(options: DataSourceOptions, clock: Clock): Promise<DataSource> {
  for (let opening = 1; ; opening += 1) {
    try {
      return await new DataSource({
        ...options,
        migrations: tokenMigrations(),
        migrationsTableName: MIGRATIONS_TABLE,
        logging: false,
      }).initialize()
    } catch (error) {
      if (!isBusy(error) || opening === OPENINGS) throw explain(error)
      await clock.sleep(PAUSE_MS)
    }
  }
}

/**
 * Applies pending migrations. On SQLite under one write lock, taken before the list of pending ones is read: two
 * processes that start together must not both find the table missing.
 *
 * @returns the names of the migrations that were applied.
 */
export async function migrate(dataSource: DataSource, clock: Clock): Promise<readonly string[]> {
  const run = async (transaction: 'all' | 'none'): Promise<readonly string[]> =>
    (await dataSource.runMigrations({ transaction })).map(({ name }) => name)
  try {
    if (dataSource.options.type !== 'better-sqlite3') return await run('all')
    await beginImmediate(dataSource, clock)
    try {
      const names = await run('none')
      await dataSource.query('COMMIT')
      return names
    } catch (error) {
      await dataSource.query('ROLLBACK')
      throw error
    }
  } catch (error) {
    throw explain(error)
  }
}

async function beginImmediate(dataSource: DataSource, clock: Clock): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await dataSource.query('BEGIN IMMEDIATE')
      return
    } catch (error) {
      if (!isBusy(error) || attempt === OPENINGS) throw error
      await clock.sleep(PAUSE_MS)
    }
  }
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))
}

function explain(error: unknown): StoreUnavailableError {
  if ((error as { name?: unknown } | null)?.name === 'DriverPackageNotInstalledError') {
    return new StoreUnavailableError(
      "The database's driver cannot be loaded: install better-sqlite3, pg or mysql2, or rebuild it for this version " +
        'of Node (npm rebuild better-sqlite3).',
    )
  }
  return new StoreUnavailableError(`The token database cannot be opened (${codeOf(error)}).`)
}
