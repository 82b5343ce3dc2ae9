import type { ScanQuery } from '@shopify-tokens/core'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { dialectOf } from '../../../packages/typeorm-store/src/session.js'
import { Statements } from '../../../packages/typeorm-store/src/statements.js'
import { MarkdownDocument } from '../../docs/markdown.js'
import { type Backend, onEveryServer } from './backends.js'
import { type Read, readsOf } from './reads.js'

// Another program may have the machine's processors while the tables are filled.
jest.setTimeout(60_000)

const ROWS = 100_000
const DUE = 100
const ASKED = 60
const NOW = 1_795_190_400_000
const SECTION = 'What a sweep reads'
const operations = new MarkdownDocument('docs/operations.md')
const clientId = 'test-app'
const SWEEP_INDEX = 'idx_shopify_tokens_sweep'
const ASKED_INDEX = 'idx_shopify_tokens_asked'

/** Rows of one app: one in a thousand is due, several at the same instant each; the others fall due later. */
async function fill({ owner, type }: Backend): Promise<void> {
  const numbers = type === 'postgres' ? `generate_series(1, ${ROWS}) AS n` : `(SELECT seq AS n FROM seq_1_to_${ROWS}) s`
  await owner.query(`
    INSERT INTO shopify_tokens (client_id, shop, version, revision, format, kind, marked, attempts, sweep_at)
    SELECT '${clientId}', concat('shop-', n, '.myshopify.com'), 'v', 1, 1, 'empty', false, '[]',
      CASE WHEN n % ${ROWS / DUE} = 0 THEN ${NOW} - n / 7000 ELSE ${NOW} + n END
    FROM ${numbers}`)
  await owner.query(type === 'postgres' ? 'ANALYZE shopify_tokens' : 'ANALYZE TABLE shopify_tokens')
}

/** What the server says of a page in the middle of a sweep. */
async function planOf({ owner, type }: Backend): Promise<string> {
  const statements = new Statements('shopify_tokens', dialectOf(type), () => NOW)
  const place = { at: NOW - 14, shop: 'shop-98000.myshopify.com' }
  const { sql, parameters } = statements.page({ clientId, sweepBefore: NOW }, 'sweep_at', place, 50)
  const explain = type === 'postgres' ? 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF)' : 'ANALYZE FORMAT=JSON'
  const rows: Record<string, string>[] = await owner.query(`${explain} ${sql}`, [...parameters])
  // PostgreSQL 18 tells rows to the hundredth.
  return rows
    .flatMap((row) => Object.values(row))
    .join('\n')
    .replace(/(rows=\d+)\.00/g, '$1')
}

function plansIn({ blocks, headings }: MarkdownDocument): string[] {
  const from = headings.find(({ text }) => text === SECTION)?.line ?? Infinity
  return blocks.filter(({ language, line }) => language === 'text' && line > from).map(({ code }) => code)
}

function withoutBreaks(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

onEveryServer((backend, type) => {
  let store: TypeOrmTokenStore
  beforeAll(async () => {
    await fill(backend())
    store = new TypeOrmTokenStore(await backend().open())
  })

  /** What a sweep visits, and what the server says that each of its statements has read. */
  const sweep = async (query: Partial<ScanQuery>): Promise<{ visited: number; reads: readonly Read[] }> => {
    const shops = new Set<string>()
    const reads = await readsOf(type, async () => {
      for await (const { key } of store.scan({ clientId, sweepBefore: NOW, ...query })) shops.add(key.shop)
    })
    return { visited: shops.size, reads }
  }
  const rowsOf = (reads: readonly Read[], index: string): number =>
    reads.filter((read) => read.index === index).reduce((sum, { rows }) => sum + rows, 0)
  /** MariaDB counts how it finds the begin of each of the two ranges behind a place. */
  const probes = (reads: readonly Read[]): number => (type === 'mariadb' ? 2 * reads.length : 0)

  describe.each([undefined, 10, 7])('a sweep with pages of %p', (pageSize) => {
    it(`reads ${DUE} rows of ${ROWS} by the index of what is due, if ${DUE} are due`, async () => {
      const { visited, reads } = await sweep({ pageSize })

      expect(visited).toBe(DUE)
      expect(new Set(reads.map(({ index }) => index))).toEqual(new Set([ASKED_INDEX, SWEEP_INDEX]))
      expect(rowsOf(reads, SWEEP_INDEX)).toBeGreaterThanOrEqual(DUE)
      expect(rowsOf(reads, SWEEP_INDEX)).toBeLessThanOrEqual(DUE + probes(reads))
      expect(rowsOf(reads, ASKED_INDEX)).toBeLessThanOrEqual(probes(reads))
    })
  })

  it('costs what docs/operations.md says, by the plan that stands there', async () => {
    const column = operations.table(SECTION).header.findIndex((head) => head.toLowerCase().includes(type))
    for (const [pageSize = '', statements, ...rows] of operations.table(SECTION).rows) {
      const { reads } = await sweep({ pageSize: parseInt(pageSize) })
      const read = reads.reduce((sum, each) => sum + each.rows, 0)
      expect(reads.length).toBe(Number(statements))
      // Versions of MariaDB differ in how often they look for the begin of a range.
      expect(Math.abs(read - Number(rows[column - 2]))).toBeLessThanOrEqual(type === 'mariadb' ? reads.length : 0)
    }

    const plan = await planOf(backend())
    const pieces = (plansIn(operations)[type === 'postgres' ? 0 : 1] ?? '').split('…').map(withoutBreaks)
    expect(pieces[0]).not.toBe('')
    for (const piece of pieces) expect(withoutBreaks(plan)).toContain(piece)
  })

  describe('when shops are asked for', () => {
    beforeAll(async () => {
      await backend().owner.query(
        `UPDATE shopify_tokens SET asked_at = ${NOW} - revision WHERE sweep_at <= ${NOW + ASKED}`,
      )
    })

    it.each([undefined, 10])(
      'a sweep with pages of %p reads them by their index, and those that are due',
      async (pageSize) => {
        const { visited, reads } = await sweep({ pageSize })

        expect(visited).toBe(ASKED + DUE)
        expect(rowsOf(reads, ASKED_INDEX)).toBeLessThanOrEqual(ASKED + DUE + probes(reads))
        expect(rowsOf(reads, SWEEP_INDEX)).toBeLessThanOrEqual(DUE + probes(reads))
      },
    )

    it('a look for those alone reads nothing else', async () => {
      const { visited, reads } = await sweep({ sweepBefore: 0 })

      expect(visited).toBe(ASKED + DUE)
      expect(rowsOf(reads, ASKED_INDEX)).toBeLessThanOrEqual(ASKED + DUE + probes(reads))
      expect(rowsOf(reads, SWEEP_INDEX)).toBeLessThanOrEqual(probes(reads))
    })
  })
})
