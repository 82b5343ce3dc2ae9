import type { Cells } from '../cells.js'
import { codeOf, type Dialect } from './dialect.js'

interface ResultHeader {
  readonly affectedRows: number
  readonly insertId: number | string
  readonly serverStatus?: number
}

/** The part of a `mysql2` pool connection that is used here. */
interface MysqlConnection {
  execute(
    options: Readonly<Record<string, unknown>>,
    done: (error: Error | null, result: Cells[] | ResultHeader) => void,
  ): unknown
  destroy(): void
}

const DUPLICATE_KEY = 'ER_DUP_ENTRY'
const DEADLOCK = 'ER_LOCK_DEADLOCK'
const CHANGED_SINCE_READ = 'ER_CHECKREAD'
const IN_TRANSACTION = 1

/** MariaDB and MySQL through `mysql2`. */
export const mysql: Dialect<MysqlConnection> = {
  connections: 'pool',
  placeholder: () => '?',
  // UNIX_TIMESTAMP(NOW()) goes through the session's time zone and is an hour wrong when summer time ends.
  now: `TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000`,
  // INSERT IGNORE would also swallow values that do not fit; the duplicate key is an error, and a verdict.
  onKeyTaken: () => '',
  returning: '',
  nextRevision: 'LAST_INSERT_ID(revision + 1)',
  inByteOrder: (column) => column,
  // Not (column, shop) > (?, ?): for that neither database uses an index.
  behind: (column, { at, shop }, add) => `(${column} > ${add(at)} OR (${column} = ${add(at)} AND shop > ${add(shop)}))`,
  announcements: null,

  protect: () => undefined,

  async run(connection, sql, values) {
    // Prepared, so that no value is ever escaped into the text; the rest undoes what an app's options may ask for.
    const result = await new Promise<Cells[] | ResultHeader>((resolve, reject) => {
      const options = { sql, values, rowsAsArray: false, nestTables: false, typeCast: true, namedPlaceholders: false }
      connection.execute(options, (error, answer) => {
        if (error === null) resolve(answer)
        else reject(error)
      })
    })
    if (Array.isArray(result)) return { rows: result, changed: 0, uncommitted: false }
    const { affectedRows, insertId, serverStatus = 0 } = result
    return {
      // 0 after an insert, and after an update of a table that has triggers.
      rows: insertId === 0 ? [] : [{ revision: insertId }],
      changed: affectedRows,
      uncommitted: (serverStatus & IN_TRANSACTION) !== 0,
    }
  },

  discard: (connection) => {
    connection.destroy()
  },

  verdict: (error) => ([DUPLICATE_KEY, DEADLOCK, CHANGED_SINCE_READ].includes(codeOf(error)) ? 'lost' : 'unknown'),

  isMissingTable: (error) => ['ER_NO_SUCH_TABLE', 'ER_BAD_FIELD_ERROR'].includes(codeOf(error)),
}
