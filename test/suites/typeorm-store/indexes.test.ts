import { systemClock } from '@shopify-tokens/core'
import { dialectOf } from '../../../packages/typeorm-store/src/session.js'
import type { Reach } from '../../../packages/typeorm-store/src/session.js'
import { Statements } from '../../../packages/typeorm-store/src/statements.js'
import { type DatabaseType, quotedTable } from '../../../packages/typeorm-store/src/table.js'
import { TableOfDeliveries } from '../../../packages/typeorm-store/src/table-of-deliveries.js'
import { aKey } from '@shopify-tokens/testing'
import { type Backend, onEveryDatabase } from './backends.js'

const ROWS = 20_000

/** Fills the table with rows of one app of which one in two thousand is due, and one in four thousand was asked for. */
async function fill({ owner, type }: Backend): Promise<void> {
  const columns = 'client_id, shop, version, revision, format, kind, marked, attempts, sweep_at, asked_at'
  const shop = type === 'mariadb' ? `concat('shop-', n, '.myshopify.com')` : `'shop-' || n || '.myshopify.com'`
  const cells = `'test-app', ${shop}, 'v', 1, 1, 'empty', false, '[]',
    CASE WHEN n % 2000 = 0 THEN 1000 + n % 7 ELSE 9000 + n END, CASE WHEN n % 4000 = 1 THEN 500 END`
  await owner.query(`INSERT INTO shopify_tokens (${columns}) SELECT ${cells} FROM ${numbers(type)}`)
}

/** `n` from 1 to the number of rows. */
function numbers(type: DatabaseType): string {
  return {
    'better-sqlite3': `(WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < ${ROWS}) SELECT n FROM s)`,
    postgres: `generate_series(1, ${ROWS}) AS n`,
    mariadb: `(SELECT seq AS n FROM seq_1_to_${ROWS}) s`,
    mysql: '',
  }[type]
}

onEveryDatabase((backend, type) => {
  const plan = async (statementOf: (statements: Statements) => { sql: string; parameters: readonly unknown[] }) => {
    const { owner } = backend()
    const statements = new Statements(quotedTable(owner.options, 'shopify_tokens'), dialectOf(type), () =>
      systemClock.now(),
    )
    const { sql, parameters } = statementOf(statements)
    const explain = type === 'better-sqlite3' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'
    const rows: unknown = await owner.query(`${explain} ${sql}`, [...parameters])
    return JSON.stringify(rows)
  }
  beforeAll(async () => {
    await fill(backend())
    // Servers gather statistics by themselves, in their own time.
    if (type === 'postgres') await backend().owner.query('ANALYZE shopify_tokens')
    if (type === 'mariadb') await backend().owner.query('ANALYZE TABLE shopify_tokens')
  })

  describe.each(type === 'better-sqlite3' ? ['without statistics', 'with statistics'] : ['with statistics'])(
    '%s',
    (statistics) => {
      beforeAll(async () => {
        if (type === 'better-sqlite3' && statistics === 'with statistics') await backend().owner.query('ANALYZE')
      })

      it.each([
        ['what is due', 'sweep_at', 'sweep', { at: 1_002, shop: 'shop-15000.myshopify.com' }],
        ['what was asked for', 'asked_at', 'asked', { at: 500, shop: 'shop-12001.myshopify.com' }],
      ] as const)('finds a page of %s by its index, and sorts nothing', async (_what, order, index, middle) => {
        for (const place of [{ at: Number.MIN_SAFE_INTEGER, shop: '' }, middle]) {
          const seen = await plan((statements) =>
            statements.page({ clientId: 'test-app', sweepBefore: 2_000 }, order, place, 100),
          )
          expect(seen).toContain(`idx_shopify_tokens_${index}`)
          expect(seen).not.toMatch(wholeTable(type))
          expect(seen).not.toMatch(SORTS)
        }
      })

      it('finds a row by its key, and a page of a scan behind the last shop', async () => {
        const get = await plan((statements) => statements.get({ ...aKey({ shop: 'shop-77' }), clientId: 'test-app' }))
        const page = await plan((statements) =>
          statements.page({ clientId: 'test-app' }, 'shop', { at: 0, shop: 'shop-19990.myshopify.com' }, 100),
        )
        for (const seen of [get, page]) {
          expect(seen).toMatch(/PRIMARY|_pkey|autoindex/)
          expect(seen).not.toMatch(wholeTable(type))
          expect(seen).not.toMatch(SORTS)
        }
      })
    },
  )
})

onEveryDatabase((backend, type) => {
  /** The statements of a first webhook, and of the look for old ones that comes with it. */
  const statements = async (): Promise<{ readonly sql: string; readonly parameters: readonly unknown[] }[]> => {
    const { owner } = backend()
    const dialect = dialectOf(type)
    const seen: { readonly sql: string; readonly parameters: readonly unknown[] }[] = []
    const noting: Reach['dialect'] = {
      ...dialect,
      run(connection, sql, parameters) {
        seen.push({ sql, parameters })
        return dialect.run(connection, sql, parameters)
      },
    }
    const reach: Reach = { dataSource: owner, dialect: noting, clock: systemClock, timeoutMs: 5_000 }
    const deliveries = new TableOfDeliveries(reach, quotedTable(owner.options, 'shopify_tokens_deliveries'))
    await deliveries.finish({ clientId: 'test-app', id: 'webhook:1' })
    await deliveries.begin({ clientId: 'test-app', id: 'webhook:1' }, 1_000)
    while (!seen.some(({ sql }) => sql.startsWith('DELETE'))) await systemClock.sleep(1)
    return seen.filter(({ sql }) => !sql.startsWith('INSERT'))
  }

  it('finds a delivery by its key, and old ones by their index, not by reading the table', async () => {
    const { owner } = backend()
    const now = Date.now()
    const cells = `'test-app', ${type === 'mariadb' ? "concat('webhook:a', n)" : "'webhook:a' || n"}, NULL, 0, ${String(now)} - n`
    await owner.query(
      `INSERT INTO shopify_tokens_deliveries (client_id, delivery, claim, claimed_until, noted_at) SELECT ${cells} FROM ${numbers(type)}`,
    )
    if (type === 'postgres') await owner.query('ANALYZE shopify_tokens_deliveries')
    if (type === 'mariadb') await owner.query('ANALYZE TABLE shopify_tokens_deliveries')
    const explain = type === 'better-sqlite3' ? 'EXPLAIN QUERY PLAN' : 'EXPLAIN'

    const all = await statements()
    expect(all.length).toBeGreaterThan(4)
    for (const { sql, parameters } of all) {
      const plan = JSON.stringify(await owner.query(`${explain} ${sql}`, [...parameters]))
      expect(plan).toMatch(sql.includes('noted_at <') ? /idx_shopify_tokens_noted/ : /PRIMARY|_pkey|autoindex/)
      expect(plan).not.toMatch(/SCAN shopify|Seq Scan|"type":"(ALL|index)"|Filter: \(noted_at/)
    }
  })
})

/** How the databases say that they put rows in order themselves. */
const SORTS = /TEMP B-TREE|filesort|Sort Key/

/** How each database says that it reads the table from end to end. */
function wholeTable(type: DatabaseType): RegExp {
  if (type === 'better-sqlite3') return /SCAN shopify_tokens/
  return type === 'postgres' ? /Seq Scan on shopify_tokens/ : /"table":"shopify_tokens","type":"(ALL|index)"/
}
