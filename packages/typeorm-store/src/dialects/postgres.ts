import type { Cells } from '../cells.js'
import { codeOf, type Dialect } from './dialect.js'

/** The part of a `pg` client that is used here. */
interface PgClient {
  query(query: {
    readonly text: string
    readonly values: unknown[]
  }): Promise<{ rows: Cells[]; rowCount: number | null }>
  end(): Promise<void>
  /** Since pg 8.17: `I` idle, `T` and `E` inside a transaction. */
  getTransactionStatus?(): string | null
}

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK_DETECTED = '40P01'
const UNDEFINED_TABLE = '42P01'
const UNDEFINED_COLUMN = '42703'

/** PostgreSQL through `pg`. */
export const postgres: Dialect<PgClient> = {
  connections: 'pool',
  placeholder: (index) => `$${index}`,
  // Not now(): that is the start of the transaction.
  now: 'CAST(floor(extract(epoch FROM clock_timestamp()) * 1000) AS bigint)',
  onKeyTaken: 'ON CONFLICT (client_id, shop) DO NOTHING',
  returning: 'RETURNING revision',
  nextRevision: 'revision + 1',
  inByteOrder: (column) => `${column} COLLATE "C"`,
  withoutIndex: (column) => column,

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
