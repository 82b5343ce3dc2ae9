import {
  MemoryTokenStore,
  type ScannedRow,
  type ScanQuery,
  type Shop,
  StoreUnavailableError,
  StoreUnreadableError,
  type TokenStore,
} from '@shopify-tokens/core'
import { aRecord, FakeClock } from '@shopify-tokens/testing'
import { everyRow } from '../../packages/core/src/fleet/every-row.js'
import { someShops } from './managed-app.js'

const clientId = 'app'
const SWEEP = { clientId, sweepBefore: 1_000, pageSize: 2 }
const BY_SHOP = { clientId, pageSize: 2 }

interface Fleet {
  readonly shops: readonly Shop[]
  readonly store: TokenStore
  readonly queries: ScanQuery[]
  /** Ends the next scans after so many rows. */
  readonly failures: number[]
  visit(query: ScanQuery, each?: (shop: Shop) => Promise<void>): Promise<string[]>
}

/** Shops that fall due one after the other; `unreadable` says which of their rows nobody understands. */
async function fleet(count: number, unreadable: (shop: Shop) => boolean = () => false): Promise<Fleet> {
  const clock = new FakeClock({ autoAdvance: true })
  const inner = new MemoryTokenStore({ clock })
  const shops = someShops(count)
  for (const [n, shop] of shops.entries()) {
    await inner.put({ clientId, shop }, aRecord.expiring({ sweepAt: 100 + n }), 'absent')
  }
  const queries: ScanQuery[] = []
  const failures: number[] = []
  async function* scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    queries.push(query)
    let left = failures.shift() ?? Infinity
    for await (const row of inner.scan(query)) {
      if (unreadable(row.key.shop)) {
        query.onUnreadable?.(new StoreUnreadableError('made by a newer version', { shop: row.key.shop }))
        continue
      }
      if (left === 0) throw new StoreUnavailableError('away')
      left -= 1
      yield row
    }
  }
  const store: TokenStore = {
    get: (key) => inner.get(key),
    put: (...given) => inner.put(...given),
    ask: (key) => inner.ask(key),
    scan,
  }
  return {
    shops,
    store,
    queries,
    failures,
    async visit(query, each = () => Promise.resolve()) {
      const visited: string[] = []
      const reach = { store, clock, timeoutMs: 1_000 }
      for await (const { key, record } of everyRow(reach, query, new AbortController().signal)) {
        visited.push(record === null ? `unreadable ${key.shop}` : key.shop)
        await each(key.shop)
      }
      return visited
    },
  }
}

describe('a store that fails in the middle', () => {
  it('of a sweep is asked again, and no shop is visited twice though its visit changed nothing', async () => {
    const { failures, shops, visit } = await fleet(7)
    failures.push(3, 5, 5)

    expect(await visit(SWEEP)).toEqual(shops)
  })

  it('of a sweep, always at the same row, ends it', async () => {
    const { failures, queries, visit } = await fleet(7)
    failures.push(...Array<number>(9).fill(3))

    await expect(visit(SWEEP)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(queries).toHaveLength(5)
  })

  it('of a scan by shop is asked for what lies behind the last one', async () => {
    const { failures, queries, shops, visit } = await fleet(7)
    failures.push(3)

    expect(await visit(BY_SHOP)).toEqual(shops)
    expect(queries.map(({ after }) => after)).toEqual([undefined, shops[2]])
  })
})

it('visits a shop once in a sweep though it falls due again meanwhile', async () => {
  const { shops, store, visit } = await fleet(5)

  const visited = await visit(SWEEP, async (shop) => {
    const { version } = await store.get({ clientId, shop })
    await store.put({ clientId, shop }, aRecord.expiring({ sweepAt: 500 }), version)
  })

  expect(visited).toEqual(shops)
})

const SCANS = [
  ['a sweep', SWEEP],
  ['a scan by shop', BY_SHOP],
] as const

describe('a row that nobody understands', () => {
  it.each(SCANS)('in %s is named once, wherever it stands, and those behind it are visited', async (_scan, query) => {
    const { failures, shops, visit } = await fleet(6, (shop) => [0, 3, 4].includes(Number(/\d/.exec(shop)?.[0])))
    failures.push(2, 0)

    expect((await visit(query)).sort()).toEqual(
      shops.map((shop, n) => ([0, 3, 4].includes(n) ? `unreadable ${shop}` : shop)).sort(),
    )
  })

  it.each(SCANS)('in %s ends the visit when it names no shop', async (_scan, query) => {
    const { store, visit } = await fleet(3)
    const scan = store.scan.bind(store)
    jest.spyOn(store, 'scan').mockImplementation((given) => {
      given.onUnreadable?.(new StoreUnreadableError('column shop is not a shop domain'))
      return scan(given)
    })

    await expect(visit(query)).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE' })
  })
})
