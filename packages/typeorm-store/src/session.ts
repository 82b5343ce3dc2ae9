import { type Clock, isShopifyTokenError, StoreUnavailableError } from '@shopify-tokens/core'
import type { DataSource } from 'typeorm'
import type { Cells } from './cells.js'
import { type Answer, codeOf, type Dialect } from './dialects/dialect.js'
import { mysql } from './dialects/mysql.js'
import { postgres } from './dialects/postgres.js'
import { AmbientTransaction, sqlite } from './dialects/sqlite.js'
import type { Parameter } from './row.js'
import type { Statement } from './statement.js'
import type { DatabaseType } from './table.js'

/** The first pause of a statement that found the database busy; the next ones double, up to {@link LAST_PAUSE_MS}. */
const FIRST_PAUSE_MS = 5
const LAST_PAUSE_MS = 80

/** Runs statements until its time is up. */
export type Run = (sql: string, parameters: readonly Parameter[]) => Promise<Answer | 'lost'>

/** What one call of the store needs to reach its database. */
export interface Reach {
  readonly dataSource: DataSource
  readonly dialect: Dialect
  readonly clock: Clock
  readonly timeoutMs: number
}

/** The dialect of a database. */
export function dialectOf(type: DatabaseType): Dialect {
  switch (type) {
    case 'better-sqlite3':
      return sqlite
    case 'postgres':
      return postgres
    case 'mysql':
    case 'mariadb':
      return mysql
  }
}

/**
 * Lends `work` a connection to the primary that no transaction of the application uses, for at most `timeoutMs`
 * milliseconds in all. When the time is up, the connection is broken rather than given back, because a statement may
 * still be running on it; one that arrives only then goes back to its pool at once.
 *
 * @throws StoreUnavailableError `ERR_STORE_UNAVAILABLE` for every failure of the database. It carries the driver's code
 * and no `cause`: the drivers' errors repeat what was sent, tokens included.
 */
export async function inSession<Result>(
  reach: Reach,
  shop: string | undefined,
  work: (run: Run) => Promise<Result>,
): Promise<Result> {
  const { dataSource, dialect, clock, timeoutMs } = reach
  if (!dataSource.isInitialized) throw unavailable('The DataSource of the token store is not initialized.', shop)
  if (dialect.connections === 'one') return onSharedConnection(reach, shop, work)

  dialect.protect(dataSource)
  const runner = dataSource.createQueryRunner('master')
  const connecting = runner.connect() as Promise<unknown>
  const finished = new AbortController()
  const expired = expiry(clock, timeoutMs, finished.signal)
  let connection: unknown
  let isBroken = false
  try {
    connection = await Promise.race([connecting, expired])
    return await Promise.race([
      work(async (sql, parameters) => {
        try {
          const answer = await dialect.run(connection, sql, parameters)
          if (!answer.uncommitted) return answer
          isBroken = true
        } catch (error) {
          if (dialect.verdict(error) === 'lost') return 'lost'
          throw error
        }
        throw unavailable('A connection of the pool was given back with a transaction still open on it.', shop)
      }),
      expired,
    ])
  } catch (error) {
    isBroken ||= error instanceof Expired
    throw explain(error, dialect, shop, timeoutMs)
  } finally {
    finished.abort()
    if (connection === undefined) {
      // Nobody waits for it any more, but a pool that hands it out must get it back.
      connecting
        .then(
          () => runner.release(),
          () => runner.release(),
        )
        .catch(() => undefined)
    } else {
      if (isBroken) dialect.discard(connection)
      await runner.release()
    }
  }
}

/**
 * SQLite: the DataSource has one connection, and the application may be in the middle of a transaction on it. What we
 * wrote there its ROLLBACK would take away, so we wait until it is over, and refuse when it does not end in time.
 */
async function onSharedConnection<Result>(
  { dataSource, dialect, clock, timeoutMs }: Reach,
  shop: string | undefined,
  work: (run: Run) => Promise<Result>,
): Promise<Result> {
  const until = clock.monotonic() + timeoutMs
  // The runner is the DataSource's only one, shared with the application: releasing it would reset theirs.
  const connection: unknown = await dataSource.createQueryRunner('master').connect()
  try {
    return await work(async (sql, parameters) => {
      for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)) {
        try {
          return await dialect.run(connection, sql, parameters)
        } catch (error) {
          if (dialect.verdict(error) !== 'again' || clock.monotonic() + pauseMs > until) throw error
          await clock.sleep(pauseMs)
        }
      }
    })
  } catch (error) {
    throw explain(error, dialect, shop, timeoutMs)
  }
}

/** The rows of a read; one that a deadlock ended is repeated. */
export async function rowsOf(run: Run, { sql, parameters }: Statement): Promise<readonly Cells[]> {
  for (;;) {
    const answer = await run(sql, parameters)
    if (answer !== 'lost') return answer.rows
  }
}

class Expired extends Error {}

/** Rejects when the time is up; never settles once `signal` has aborted. */
function expiry(clock: Clock, ms: number, signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    clock.sleep(ms, signal).then(
      () => {
        reject(new Expired())
      },
      () => undefined,
    )
  })
}

function explain(error: unknown, dialect: Dialect, shop: string | undefined, timeoutMs: number): unknown {
  if (isShopifyTokenError(error)) return error
  if (error instanceof Expired) return unavailable(`The database gave no answer within ${timeoutMs} ms.`, shop)
  if (error instanceof AmbientTransaction) {
    return unavailable(
      'A transaction of the application is open on the only connection of this SQLite DataSource, and its ROLLBACK ' +
        'would take the tokens with it; give the token store a DataSource of its own.',
      shop,
    )
  }
  const code = codeOf(error)
  if (dialect.isMissingTable(error)) {
    return unavailable(
      `A table of the token store is missing or older than this package (${code}): run migrateTokenDatabase() of ` +
        '@shopify-tokens/typeorm-store/from-environment, or tokenMigrations() in a DataSource of your own.',
      shop,
    )
  }
  return unavailable(`The database failed the statement (${code}).`, shop)
}

function unavailable(message: string, shop: string | undefined): StoreUnavailableError {
  return new StoreUnavailableError(message, { shop })
}
