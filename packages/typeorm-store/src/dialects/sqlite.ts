import type { Cells } from '../cells.js'
import { codeOf, type Dialect } from './dialect.js'

interface SqliteStatement {
  readonly reader: boolean
  all(...parameters: unknown[]): Cells[]
  run(...parameters: unknown[]): { readonly changes: number }
}

/** The part of a `better-sqlite3` database that is used here. */
interface SqliteConnection {
  readonly inTransaction: boolean
  prepare(sql: string): SqliteStatement
}

/** The store's own statements are few; this only keeps a caller's odd page sizes from piling up. */
const MAX_STATEMENTS = 50

const prepared = new WeakMap<SqliteConnection, Map<string, SqliteStatement>>()

function prepare(connection: SqliteConnection, sql: string): SqliteStatement {
  const statements = prepared.get(connection) ?? new Map<string, SqliteStatement>()
  prepared.set(connection, statements)
  const statement = statements.get(sql) ?? connection.prepare(sql)
  if (statements.size >= MAX_STATEMENTS) statements.clear()
  statements.set(sql, statement)
  return statement
}

/** The application's transaction is open on the one connection that the DataSource has. */
export class AmbientTransaction extends Error {
  readonly code = 'AMBIENT_TRANSACTION'
}

/** SQLite through `better-sqlite3`. */
export const sqlite: Dialect<SqliteConnection> = {
  connections: 'one',
  placeholder: () => '?',
  // One file means one machine: this process's clock is the one that every other process on the file reads.
  now: null,
  onKeyTaken: (key) => `ON CONFLICT (${key}) DO NOTHING`,
  returning: 'RETURNING revision',
  nextRevision: 'revision + 1',
  inByteOrder: (column) => column,
  behind: (column, { at, shop }, add) => `(${column}, shop) > (${add(at)}, ${add(shop)})`,
  announcements: null,

  protect: () => undefined,

  // One synchronous step: nobody can begin a transaction between the look and the statement.
  // eslint-disable-next-line @typescript-eslint/require-await -- throws become rejections
  async run(connection, sql, parameters) {
    if (connection.inTransaction) throw new AmbientTransaction()
    const values = parameters.map((value) => (typeof value === 'boolean' ? Number(value) : value))
    const statement = prepare(connection, sql)
    if (!statement.reader) {
      const { changes } = statement.run(...values)
      return { rows: [], changed: changes, uncommitted: false }
    }
    const rows = statement.all(...values)
    return { rows, changed: rows.length, uncommitted: false }
  },

  discard: () => undefined,

  verdict(error) {
    const isBusy = error instanceof AmbientTransaction || /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))
    return isBusy ? 'again' : 'unknown'
  },

  // Not instanceof: the native module throws errors of whichever realm has loaded it first.
  isMissingTable: (error) => /^no such (table|column)/.test(String((error as { message?: unknown } | null)?.message)),
}
