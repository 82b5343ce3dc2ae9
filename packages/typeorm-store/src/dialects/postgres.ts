import type { EventEmitter } from 'node:events'
import type { Cells } from '../cells.js'
import { type Announcements, codeOf, type Dialect } from './dialect.js'

/** The part of a `pg` client that is used here. */
interface PgClient {
  query(query: {
    readonly text: string
    readonly values: unknown[]
  }): Promise<{ rows: Cells[]; rowCount: number | null }>
  end(): Promise<void>
  on(event: 'notification', listener: (message: { readonly payload?: string | undefined }) => void): unknown
  once(event: 'end', listener: () => void): unknown
  /** Since pg 8.7. */
  unref?(): void
  /** Since pg 8.17: `I` idle, `T` and `E` inside a transaction. */
  getTransactionStatus?(): string | null
}

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
const UNDEFINED_TABLE = '42P01'
const UNDEFINED_COLUMN = '42703'

/** Needs no privilege; a message lives in one database and reaches who listens there at the moment. */
const announcements: Announcements<PgClient> = {
  announced: (write, channel, message) =>
    `WITH written AS (${write}) SELECT revision, pg_notify(${channel}, ${message}) FROM written`,

  send: 'SELECT pg_notify($1, $2)',

  async listen(client, channel, hear) {
    const ended = new Promise<void>((resolve) => client.once('end', resolve))
    client.on('notification', ({ payload = '' }) => {
      hear(payload)
    })
    client.unref?.()
    await client.query({ text: `LISTEN "${channel}"`, values: [] })
    return { ended }
  },
}

/**
 * PostgreSQL may end a connection in the very packet that says it is ready. pg-pool has taken its own listener off by
 * then, and TypeORM puts one on only a moment later: without this the error would end the process. Whoever uses the
 * connection meets it again.
 */
function outliveItsEnd(client: EventEmitter): void {
  client.on('error', () => undefined)
}

/** PostgreSQL through `pg`. */
export const postgres: Dialect<PgClient> = {
  connections: 'pool',
  placeholder: (index) => `$${index}`,
  // Not now(): that is the start of the transaction.
  now: 'CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)',
  onKeyTaken: (key) => `ON CONFLICT (${key}) DO NOTHING`,
  returning: 'RETURNING revision',
  nextRevision: 'revision + 1',
  inByteOrder: (column) => `${column} COLLATE "C"`,
  behind: (column, { at, shop }, add) => `(${column}, shop COLLATE "C") > (${add(at)}, ${add(shop)})`,
  announcements,

  protect({ driver }) {
    const { master } = driver as unknown as { readonly master: EventEmitter }
    if (!master.listeners('connect').includes(outliveItsEnd)) master.on('connect', outliveItsEnd)
  },

  async run(client, text, parameters) {
    const { rows, rowCount } = await client.query({ text, values: [...parameters] })
    return { rows, changed: rowCount ?? 0, uncommitted: (client.getTransactionStatus?.() ?? 'I') !== 'I' }
  },

  discard(client) {
    // With a statement under way `end` cuts the connection instead of waiting.
    client.end().catch(() => undefined)
  },

  verdict(error) {
    const code = codeOf(error)
    return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED ? 'lost' : 'unknown'
  },

  isMissingTable: (error) => [UNDEFINED_TABLE, UNDEFINED_COLUMN].includes(codeOf(error)),
}
