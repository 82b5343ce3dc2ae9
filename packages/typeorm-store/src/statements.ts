import type { RecordKey, ScanQuery, TokenRecord, Version } from '@shopify-tokens/core'
import type { Announcer } from './announcer.js'
import { type Column, COLUMNS, FORMAT } from './columns.js'
import type { Dialect, Place } from './dialects/dialect.js'
import { toCells } from './row.js'
import { type Parameters, type Statement, toStatement } from './statement.js'

const COLUMN_LIST = COLUMNS.map(({ name }: Column) => name).join(', ')

/** The column in which every read finds the backend's clock. */
export const NOW_COLUMN = 'backend_now'

/**
 * In which order a page goes: by shop, by when a shop was asked for and shop, or by when it falls due and shop. Rows
 * that were not asked for, or are not due at `sweepBefore`, are in no page of those orders.
 */
export type ScanOrder = 'shop' | 'asked_at' | 'sweep_at'

/** The few statements of the store, in the words of one database. */
export class Statements {
  readonly #table: string
  readonly #dialect: Dialect
  readonly #now: () => number
  readonly #announcer: Announcer | null

  /**
   * @param now This process's clock, for databases whose clock it is.
   * @param announcer Says what every write announces. `null`: nothing.
   */
  constructor(table: string, dialect: Dialect, now: () => number, announcer: Announcer | null = null) {
    this.#table = table
    this.#dialect = dialect
    this.#now = now
    this.#announcer = announcer
  }

  /** One row always, so that the backend's clock comes along; without a record its columns are NULL. */
  get(key: RecordKey): Statement {
    return this.#write(
      (p) =>
        `SELECT clock.${NOW_COLUMN}, ${COLUMN_LIST} FROM (SELECT ${p.now()} AS ${NOW_COLUMN}) clock ` +
        `LEFT JOIN ${this.#table} ON client_id = ${p.add(key.clientId)} AND shop = ${p.add(key.shop)}`,
    )
  }

  /** Changes one row, or none: when the version is another by now, or the row's format is newer than ours. */
  update(key: RecordKey, record: TokenRecord, version: Version, expected: Version): Statement {
    return this.#write((p) => {
      const assignments = Object.entries({ version, format: FORMAT, asked_at: null, ...toCells(record) }).map(
        ([column, value]) => `${column} = ${p.add(value)}`,
      )
      const write =
        `UPDATE ${this.#table} SET ${assignments.join(', ')}, revision = ${this.#dialect.nextRevision} ` +
        `WHERE client_id = ${p.add(key.clientId)} AND shop = ${p.add(key.shop)} ` +
        `AND version = ${p.add(expected)} AND format <= ${FORMAT} ${this.#dialect.returning}`
      return this.#announced(p, key, write)
    })
  }

  /** Creates one row, or none where the key is taken. */
  insert(key: RecordKey, record: TokenRecord, version: Version): Statement {
    return this.#write((p) => {
      const cells = {
        client_id: key.clientId,
        shop: key.shop,
        version,
        revision: 1,
        format: FORMAT,
        asked_at: null,
        ...toCells(record),
      }
      const places = Object.values(cells).map((value) => p.add(value))
      const write =
        `INSERT INTO ${this.#table} (${Object.keys(cells).join(', ')}) VALUES (${places.join(', ')}) ` +
        `${this.#dialect.onKeyTaken('client_id, shop')} ${this.#dialect.returning}`
      return this.#announced(p, key, write)
    })
  }

  ask(key: RecordKey): Statement {
    return this.#write(
      (p) =>
        `UPDATE ${this.#table} SET asked_at = ${p.now()} ` +
        `WHERE client_id = ${p.add(key.clientId)} AND shop = ${p.add(key.shop)}`,
    )
  }

  /** One page of the rows behind `place`, in one order: one range of the index of that order. */
  page(query: ScanQuery, order: ScanOrder, place: Place, size: number): Statement {
    const { sweepBefore = null } = query
    const shop = this.#dialect.inByteOrder('shop')
    return this.#write((p) => {
      const range = (): string => {
        if (order === 'shop') return `${shop} > ${p.add(place.shop)}`
        const behind = this.#dialect.behind(order, place, (value) => p.add(value))
        return order === 'asked_at' ? behind : `${behind} AND sweep_at <= ${p.add(sweepBefore)}`
      }
      const columns = order === 'shop' ? shop : `${order}, ${shop}`
      return `${this.#rows(p, query, range)} ORDER BY ${columns} LIMIT ${size}`
    })
  }

  /** Parameters are added in the order in which their places come in the text, so the condition is made in its place. */
  #rows(p: Parameters, { clientId, kinds, marked }: ScanQuery, condition: () => string): string {
    const conditions = [() => `client_id = ${p.add(clientId)}`, condition]
    if (kinds !== undefined) conditions.push(() => `kind IN (${kinds.map((kind) => p.add(kind)).join(', ')})`)
    if (marked !== undefined) conditions.push(() => `marked = ${p.add(marked)}`)
    const clock = p.now()
    const where = conditions.map((make) => make()).join(' AND ')
    return `SELECT ${clock} AS ${NOW_COLUMN}, ${COLUMN_LIST} FROM ${this.#table} WHERE ${where}`
  }

  #announced(p: Parameters, key: RecordKey, write: string): string {
    const { announcements } = this.#dialect
    if (this.#announcer === null || announcements === null) return write
    const { channel } = this.#announcer
    return announcements.announced(write, p.add(channel), p.add(this.#announcer.messageOf(key)))
  }

  #write(text: (parameters: Parameters) => string): Statement {
    return toStatement(this.#dialect, this.#now, text)
  }
}
