import type { DataSource } from 'typeorm'
import type { Cells } from '../cells.js'
import type { Parameter } from '../row.js'

/** Where a scan by urgency has got to. */
export interface Place {
  /** The instant of the last row, in the column by which the rows are ordered. */
  readonly at: number
  readonly shop: string
}

/** What came of a statement. */
export interface Answer {
  /** The rows read; of an `UPDATE` that changed a row, one with its new `revision` if it is known. */
  readonly rows: readonly Cells[]
  /** How many rows it has changed. */
  readonly changed: number
  /** The statement ran inside a transaction that somebody left open on the connection: nothing is committed. */
  readonly uncommitted: boolean
}

/**
 * What an error says of its statement.
 * - `lost`: it did nothing, because somebody else was first.
 * - `again`: it did nothing, because the database was busy for the moment.
 * - `unknown`: perhaps it happened.
 */
export type Verdict = 'lost' | 'again' | 'unknown'

/** A connection on which messages are heard. */
export interface Listening {
  /** Resolves when the connection is gone. */
  readonly ended: Promise<void>
}

/** How connections to one database tell each other of writes. */
export interface Announcements<Connection = unknown> {
  /** `write`, which answers the revision of every row it writes; each sends the message when it commits, and only then. */
  announced(write: string, channel: string, message: string): string
  /** A statement that sends a message alone; its parameters are channel and message. */
  readonly send: string
  /** From when it resolves on, `hear` gets the messages of `channel`. The connection no longer keeps the process alive. */
  listen(connection: Connection, channel: string, hear: (message: string) => void): Promise<Listening>
}

/**
 * The differences between databases. Statements go straight to the driver's connection that a query runner holds:
 * TypeORM's logger prints the parameters of every statement that goes through it, and its errors carry them along, and
 * here the parameters are tokens.
 */
export interface Dialect<Connection = unknown> {
  /** Whether a DataSource has many connections, or one that the store shares with the application. */
  readonly connections: 'pool' | 'one'
  /** The place of the next parameter in the SQL text; `index` counts from 1. */
  placeholder(index: number): string
  /** An expression for the backend's clock in epoch milliseconds; `null`: this process's clock is the backend's. */
  readonly now: string | null
  /** The end of an `INSERT` that creates nothing where the key, the primary key, is taken. */
  readonly onKeyTaken: (key: string) => string
  /** The end of a write that makes the database tell the new revision. */
  readonly returning: string
  /** The expression that adds one to the revision. */
  readonly nextRevision: string
  /** The shop in the order of its bytes. */
  readonly inByteOrder: (column: string) => string
  /**
   * The condition for rows that come behind `place` in the order of `column` and shop, as this database's planner turns
   * it into one range of an index. `add` gives the place of a parameter in the text.
   */
  behind(column: string, place: Place, add: (value: Parameter) => string): string
  /** `null`: its connections cannot tell each other anything. */
  readonly announcements: Announcements<Connection> | null

  /** Keeps a DataSource's pool from ending the process; called before every use, and does it once. */
  protect(dataSource: DataSource): void
  run(connection: Connection, sql: string, parameters: readonly Parameter[]): Promise<Answer>
  /** Breaks the connection, so that its pool throws it away: a statement may still be running on it. */
  discard(connection: Connection): void
  verdict(error: unknown): Verdict
  /** Whether the error says that the table, or a column, does not exist. */
  isMissingTable(error: unknown): boolean
}

/**
 * What pg says of a connection without a code: its own sentences, word for word, because they alone are known to repeat
 * nothing that was sent.
 */
const SENTENCES: ReadonlySet<unknown> = new Set([
  'Cannot use a pool after calling end on the pool',
  'Client has encountered a connection error and is not queryable',
  'Client was closed and is not queryable',
  'Connection terminated',
  'Connection terminated due to connection timeout',
  'Connection terminated unexpectedly',
  'Query read timeout',
  'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a non-empty string',
  'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
  'The server does not support SSL connections',
  'There was an error establishing an SSL connection',
  'timeout exceeded when trying to connect',
  'timeout expired',
])

/**
 * The machine-readable part of a driver's error, or a sentence that the driver has always ready, or its name; everything
 * else in it may repeat what was sent.
 */
export function codeOf(error: unknown): string {
  const { code, message, name } = (error ?? {}) as Readonly<Record<'code' | 'message' | 'name', unknown>>
  const isCode = (value: unknown): value is string => typeof value === 'string' && /^\w{1,60}$/.test(value)
  if (isCode(code)) return code
  if (SENTENCES.has(message)) return message as string
  return isCode(name) ? name : 'unknown error'
}
