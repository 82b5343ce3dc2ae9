import type { ScanQuery } from '@shopify-tokens/core'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { type Backend, onEveryServer } from './backends.js'
import { noteReads, type Read } from './reads.js'

const ROWS = 100_000
const DUE = 100
const ASKED = 60
const NOW = 1_795_190_400_000
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

onEveryServer((backend, type) => {
  let store: TypeOrmTokenStore
  beforeAll(async () => {
    await fill(backend())
    store = new TypeOrmTokenStore(await backend().open())
  }, 60_000)
  afterEach(() => {
    jest.restoreAllMocks()
  })

  /** What a sweep visits, and what the server says that each of its statements has read. */
  const sweep = async (query: Partial<ScanQuery>): Promise<{ visited: number; reads: readonly Read[] }> => {
    const reads = noteReads(type)
    const shops = new Set<string>()
    for await (const { key } of store.scan({ clientId, sweepBefore: NOW, ...query })) shops.add(key.shop)
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
