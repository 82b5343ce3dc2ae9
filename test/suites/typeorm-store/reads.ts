import { dialectOf } from '../../../packages/typeorm-store/src/session.js'

/** What one statement of the store has cost. */
export interface Read {
  readonly sql: string
  /** The index of its access path; `null`: it read the table. */
  readonly index: string | null
  /** Rows of the table, or entries of an index, that it has looked at, those included that it left out afterwards. */
  readonly rows: number
}

type Run = (sql: string, parameters?: readonly unknown[]) => Promise<readonly Record<string, unknown>[]>

/** From now on notes what the server itself counts for every `SELECT` that a store of this process sends. */
export function noteReads(type: 'postgres' | 'mariadb'): Read[] {
  const reads: Read[] = []
  const dialect = dialectOf(type)
  const original = dialect.run.bind(dialect)
  jest.spyOn(dialect, 'run').mockImplementation(async (connection, sql, parameters) => {
    const run: Run = async (text, values = []) => (await original(connection, text, values as never)).rows
    const counted = await COUNTS[type](run, sql, parameters)
    reads.push({ sql, ...counted })
    return original(connection, sql, parameters)
  })
  return reads
}

const COUNTS: Record<
  'postgres' | 'mariadb',
  (run: Run, sql: string, parameters: readonly unknown[]) => Promise<Omit<Read, 'sql'>>
> = {
  async postgres(run, sql, parameters) {
    const [row] = await run(`EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`, parameters)
    const [{ Plan: plan }] = row?.['QUERY PLAN'] as [{ readonly Plan: PostgresNode }]
    const scan = leafOf(plan)
    const rows = (scan['Actual Rows'] + (scan['Rows Removed by Filter'] ?? 0)) * scan['Actual Loops']
    return { index: scan['Index Name'] ?? null, rows }
  },
  async mariadb(run, sql, parameters) {
    const [plan] = await run(`EXPLAIN ${sql}`, parameters)
    const before = await handlerReads(run)
    await run(sql, parameters)
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
