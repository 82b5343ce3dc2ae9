import { randomUUID } from 'node:crypto'
import {
  type DeliveryLog,
  type DeploymentRegister,
  type PutResult,
  type RecordKey,
  type ScannedRow,
  type ScanQuery,
  type Shop,
  type Snapshot,
  StoreUnreadableError,
  type TokenRecord,
  type TokenStore,
  type Version,
  type WatchWrites,
} from '@shopify-tokens/core'
import type { DataSource } from 'typeorm'
import { Announcer } from './announcer.js'
import { CellReader } from './cells.js'
import type { Answer } from './dialects/dialect.js'
import { scanRows } from './scan-rows.js'
import { dialectOf, inSession, type Reach, rowsOf, type Run } from './session.js'
import { toSnapshot } from './snapshot.js'
import type { Statement } from './statement.js'
import { Statements } from './statements.js'
import { parseStoreOptions, type TypeOrmTokenStoreOptions } from './store-options.js'
import { deliveriesTableName, deploymentsTableName, parseDatabaseType, quotedTable } from './table.js'
import { TableOfDeliveries } from './table-of-deliveries.js'
import { TableOfDeployments } from './table-of-deployments.js'
import { WriteListener } from './write-listener.js'

/**
 * Keeps tokens in a table of SQLite, PostgreSQL, MariaDB or MySQL through a live TypeORM DataSource. Creates nothing:
 * its tables come from {@link tokenMigrations}. Constructing it does no I/O; the DataSource may be initialized later.
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
  /** In a table of its own, with `_deployments` behind the name of the token table. */
  readonly deployments: DeploymentRegister
  /** In a table of its own, with `_deliveries` behind the name of the token table. Kept for 30 days. */
  readonly deliveries: DeliveryLog
  /**
   * With `announceWrites`: announces what other store objects have put into this table, other processes' included, once
   * it is committed. Each watch takes one connection out of the pool, which does not keep the process alive; a lost one
   * is replaced, after pauses that grow from 250 ms to 30 s. Ends with `close()` and with the DataSource.
   */
  readonly watch: WatchWrites | undefined
  readonly #reach: Reach
  readonly #statements: Statements

  /**
   * @throws InvalidOptionError `ERR_INVALID_OPTION` for an unknown option, a value out of range, a DataSource of another
   * database, or `announceWrites` where it cannot be.
   */
  constructor(dataSource: DataSource, options: TypeOrmTokenStoreOptions = {}) {
    const { tableName, timeoutMs, announceWrites, clock } = parseStoreOptions(options, dataSource.options)
    const dialect = dialectOf(parseDatabaseType(dataSource.options.type))
    const table = quotedTable(dataSource.options, tableName)
    this.#reach = { dataSource, dialect, clock, timeoutMs }
    this.deployments = new TableOfDeployments(
      this.#reach,
      quotedTable(dataSource.options, deploymentsTableName(tableName)),
    )
    this.deliveries = new TableOfDeliveries(
      this.#reach,
      quotedTable(dataSource.options, deliveriesTableName(tableName)),
    )
    const { announcements } = dialect
    const announcer = announceWrites ? new Announcer(table) : null
    this.watch =
      announcer === null || announcements === null
        ? undefined
        : (listener) => new WriteListener(this.#reach, announcements, announcer, listener)
    this.#statements = new Statements(table, dialect, () => clock.now(), announcer)
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
  scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    return scanRows(this.#reach, this.#statements, query)
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
