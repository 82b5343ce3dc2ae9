import { randomUUID } from 'node:crypto'
import {
  type Clock,
  InvalidOptionError,
  parseShop,
  type PutResult,
  type RecordKey,
  type ScannedRow,
  type ScanQuery,
  type Shop,
  type Snapshot,
  StoreUnreadableError,
  systemClock,
  type TokenRecord,
  type TokenStore,
  type Version,
} from '@shopify-tokens/core'
import type { DataSource } from 'typeorm'
import { CellReader, type Cells } from './cells.js'
import type { Answer } from './dialects/dialect.js'
import { toRecord } from './row.js'
import { dialectOf, inSession, type Reach, type Run } from './session.js'
import { type Statement, NOW_COLUMN, Statements } from './statements.js'
import { parseDatabaseType, parseTableName, quotedTable } from './table.js'

/** @see TypeOrmTokenStore */
export interface TypeOrmTokenStoreOptions {
  /** 1 to 40 letters, digits and underscores. Default `shopify_tokens`. */
  readonly tableName?: string | undefined
  /**
   * How long a call may take in all, waiting for a connection included. Milliseconds, 100 to 60 000, default 1 500:
   * below the token manager's `storeTimeoutMs`, so that the error that says why comes first.
   */
  readonly timeoutMs?: number | undefined
  /** Measures time-outs and pauses; on SQLite also the backend's clock. Default: the machine's clock. */
  readonly clock?: Clock | undefined
}

const DEFAULT_TIMEOUT_MS = 1_500
const DEFAULT_PAGE_SIZE = 200
const MAX_PAGE_SIZE = 1_000

/**
 * Keeps tokens in a table of SQLite, PostgreSQL, MariaDB or MySQL through a live TypeORM DataSource. Creates nothing:
 * the table comes from {@link tokenMigrations}. Constructing it does no I/O; the DataSource may be initialized later.
 *
 * Every call runs on a connection of its own to the primary, outside any transaction of the application, and `written`
 * means committed. For that it needs a free connection while a request of yours may be holding others: give it a
 * DataSource of its own with two to four connections. On SQLite that is a must, for there a DataSource has one
 * connection: while a transaction of the application is open on it, calls wait, and are refused when it does not end in
 * time. Open a SQLite file with `timeout: 50` or less, WAL and `synchronous = FULL`.
 *
 * Nothing goes through TypeORM's logger or errors, which would repeat tokens.
 */
export class TypeOrmTokenStore implements TokenStore {
  readonly #reach: Reach
  readonly #statements: Statements

  /**
   * @throws InvalidOptionError `ERR_INVALID_OPTION` for an unknown option, a value out of range, or a DataSource of
   * another database.
   */
  constructor(dataSource: DataSource, options: TypeOrmTokenStoreOptions = {}) {
    refuseUnknown(options)
    const tableName = parseTableName(options.tableName)
    const dialect = dialectOf(parseDatabaseType(dataSource.options.type))
    const clock = options.clock ?? systemClock
    const timeoutMs = wholeNumber('timeoutMs', options.timeoutMs ?? DEFAULT_TIMEOUT_MS, 100, 60_000)
    const table = quotedTable(dataSource.options, tableName)
    this.#reach = { dataSource, dialect, clock, timeoutMs }
    this.#statements = new Statements(table, dialect, () => clock.now())
  }

  /** Reads the row of `key` on the primary. Rejects as {@link TokenStore.get} says. */
  async get(key: RecordKey): Promise<Snapshot> {
    return inSession(this.#reach, key.shop, (run) => this.#read(run, key))
  }

  /**
   * Compare-and-set in one statement. Where the database itself undid the statement (a deadlock, a serialization
   * failure), the row decides: another version is a conflict, the same one is tried again.
   */
  async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    const version = randomUUID() as string as Version
    const statement =
      expected === 'absent'
        ? this.#statements.insert(key, record, version)
        : this.#statements.update(key, record, version, expected)
    return inSession(this.#reach, key.shop, async (run) => {
      for (;;) {
        const answer = await this.#write(run, statement, key.shop)
        if (answer !== undefined) {
          const revision = expected === 'absent' ? 1 : await this.#revision(run, answer, key)
          return { outcome: 'written', version, revision }
        }
        const present = await this.#read(run, key)
        if (present.version !== expected) return { outcome: 'conflict', present }
      }
    })
  }

  /** Visits rows page by page, each page on a connection that is given back before its first row is yielded. */
  async *scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    const size = wholeNumber('pageSize', query.pageSize ?? DEFAULT_PAGE_SIZE, 1, MAX_PAGE_SIZE)
    if (query.kinds?.length === 0) return
    let after: string = query.after ?? ''
    for (;;) {
      const statement = this.#statements.page(query, after, size)
      const page = await inSession(this.#reach, undefined, (run) => rowsOf(run, statement))
      for (const cells of page) {
        const shop = shopOf(cells)
        const snapshot = toSnapshot(cells, shop)
        after = shop
        if (snapshot.record !== null) {
          yield { key: { clientId: query.clientId, shop }, ...snapshot, record: snapshot.record }
        }
      }
      if (page.length < size) return
    }
  }

  /** Sets `askedAt` by the backend's clock. */
  async ask(key: RecordKey): Promise<void> {
    const { sql, parameters } = this.#statements.ask(key)
    await inSession(this.#reach, key.shop, async (run) => {
      while ((await run(sql, parameters)) === 'lost');
    })
  }

  /** `undefined`: nothing was written. */
  async #write(run: Run, { sql, parameters }: Statement, shop: Shop): Promise<Answer | undefined> {
    const answer = await run(sql, parameters)
    if (answer === 'lost' || answer.changed === 0) return undefined
    if (answer.changed === 1) return answer
    throw new StoreUnreadableError(
      `One write changed ${answer.changed} rows: the token table has lost its primary key.`,
      { shop },
    )
  }

  async #revision(run: Run, { rows: [row] }: Answer, key: RecordKey): Promise<number> {
    return row === undefined ? (await this.#read(run, key)).revision : new CellReader(row, key.shop).integer('revision')
  }

  async #read(run: Run, key: RecordKey): Promise<Snapshot> {
    const [cells] = await rowsOf(run, this.#statements.get(key))
    if (cells !== undefined) return toSnapshot(cells, key.shop)
    throw new StoreUnreadableError('The database answered a read without the row that is always there.', {
      shop: key.shop,
    })
  }
}

/** The rows of a read; one that a deadlock ended is repeated. */
async function rowsOf(run: Run, { sql, parameters }: Statement): Promise<readonly Cells[]> {
  for (;;) {
    const answer = await run(sql, parameters)
    if (answer !== 'lost') return answer.rows
  }
}

function toSnapshot(cells: Cells, shop: Shop): Snapshot {
  const read = new CellReader(cells, shop)
  const now = read.integer(NOW_COLUMN)
  if (read.isNull('client_id')) return { record: null, version: 'absent', revision: 0, askedAt: null, now }
  const record = toRecord(cells, shop)
  return {
    record,
    version: read.text('version') as Version,
    revision: read.integer('revision'),
    askedAt: read.nullable('asked_at', (column) => read.integer(column)),
    now,
  }
}

function shopOf(cells: Cells): Shop {
  try {
    return parseShop(cells.shop)
  } catch {
    throw new StoreUnreadableError('A stored row is not understood: column shop is not a shop domain.')
  }
}

const OPTION_NAMES: readonly string[] = ['tableName', 'timeoutMs', 'clock'] satisfies (keyof TypeOrmTokenStoreOptions)[]

function refuseUnknown(options: object): void {
  const unknown = Object.keys(options).filter((name) => !OPTION_NAMES.includes(name))
  if (unknown.length === 0) return
  throw new InvalidOptionError(`TypeOrmTokenStore does not know the option ${unknown.join(', ')}.`, unknown)
}

function wholeNumber(name: string, value: number, least: number, most: number): number {
  if (Number.isInteger(value) && value >= least && value <= most) return value
  throw new InvalidOptionError(`${name} must be a whole number from ${least} to ${most}.`, [name])
}
