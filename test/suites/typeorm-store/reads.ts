import type { Dialect } from '../../../packages/typeorm-store/src/dialects/dialect.js'
import { dialectOf } from '../../../packages/typeorm-store/src/session.js'

/** What one statement of the store has cost. */
export interface Read {
  readonly sql: string
  /** The index of its access path; `null`: it read the table. */
  readonly index: string | null
  /** Rows of the table, or entries of an index, that it has looked at, those included that it left out afterwards. */
  readonly rows: number
}

type Values = Parameters<Dialect['run']>[2]
type Run = (sql: string, values?: Values) => Promise<readonly Record<string, unknown>[]>

/** What the server itself counts for every `SELECT` that a store of this process sends while `work` goes on. */
export async function readsOf(type: 'postgres' | 'mariadb', work: () => Promise<unknown>): Promise<Read[]> {
  const reads: Read[] = []
  const dialect = dialectOf(type)
  const original = dialect.run.bind(dialect)
  const spy = jest.spyOn(dialect, 'run').mockImplementation(async (connection, sql, parameters) => {
    const run: Run = async (text, values = []) => (await original(connection, text, values)).rows
    reads.push({ sql, ...(await COUNTS[type](run, sql, parameters)) })
    return original(connection, sql, parameters)
  })
  try {
    await work()
  } finally {
    spy.mockRestore()
  }
  return reads
}

const COUNTS: Record<'postgres' | 'mariadb', (run: Run, sql: string, values: Values) => Promise<Omit<Read, 'sql'>>> = {
  async postgres(run, sql, values) {
    const [row] = await run(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, values)
    const [{ Plan: plan }] = row?.['QUERY PLAN'] as [{ readonly Plan: PostgresNode }]
    const scan = leafOf(plan)
    const rows = (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops']
    return { index: scan['Index Name'] ?? null, rows }
  },
  async mariadb(run, sql, values) {
    const [plan] = await run(`EXPLAIN ${sql}`, values)
    const before = await handlerReads(run)
    await run(sql, values)
    return { index: plan?.key as string | null, rows: (await handlerReads(run)) - before }
  },
}

interface PostgresNode {
  readonly Plans?: readonly PostgresNode[]
  readonly 'Index Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
}

/** The store's reads are one scan with a limit above it, or a sort where they should be. */
function leafOf(node: PostgresNode): PostgresNode {
  const [only] = node.Plans ?? []
  return only === undefined ? node : leafOf(only)
}

/**
 * How many rows this session has asked the storage engine for, by whatever path, those included that the engine threw
 * away itself by a condition that was pushed down to the index.
 */
async function handlerReads(run: Run): Promise<number> {
  const rows = await run("SHOW SESSION STATUS LIKE 'Handler%'")
  const counters = new Map(rows.map(({ Variable_name: name, Value: value }) => [name, Number(value)]))
  const counter = (name: string): number => counters.get(`Handler_${name}`) ?? NaN
  const read = ['first', 'key', 'last', 'next', 'prev', 'rnd', 'rnd_next'].map((way) => counter(`read_${way}`))
  return read.reduce((sum, count) => sum + count, counter('icp_attempts') - counter('icp_match'))
}
