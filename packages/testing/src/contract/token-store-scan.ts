import assert from 'node:assert/strict'
import { parseShop, type ScannedRow, type ScanQuery, type TokenStore } from '@shopify-tokens/core'
import { aMark, aRecord } from '../record-builders.js'
import type { TokenStoreBench } from './token-store-bench.js'
import type { CheckedClause } from './clause.js'
import { assertSame, assertStored, written } from './token-store-assertions.js'

async function shopsOf(store: TokenStore, query: ScanQuery): Promise<string[]> {
  const shops: string[] = []
  for await (const row of store.scan(query)) shops.push(nameOf(row))
  return shops
}

function nameOf(row: ScannedRow): string {
  return row.key.shop.replace('.myshopify.com', '')
}

/** Puts plain rows under these names, in this order. */
async function fill({ store, key }: TokenStoreBench, names: readonly string[]): Promise<void> {
  for (const name of names) written(await store.put(key(name), aRecord.expiring(), 'absent'))
}

export const scanClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-20',
    title: 'notes that a shop was asked for, and leaves its record and version alone',
    async check({ store, other, key }) {
      const here = key('asked')
      const record = aRecord.expiring()
      const version = written(await store.put(here, record, 'absent'))
      assert.equal((await store.get(here)).askedAt, null)

      await other.ask(here)
      const row = await assertStored(store, here, record)
      assert.deepEqual([row.version, row.revision], [version, 1])
      assert.ok(row.askedAt !== null && row.askedAt <= row.now)

      await store.ask(key('nobody'))
      assert.equal((await store.get(key('nobody'))).version, 'absent')
    },
  },
  {
    id: 'TS-21',
    title: 'forgets with the next write that a shop was asked for',
    async check({ store, key }) {
      const here = key('answered')
      const version = written(await store.put(here, aRecord.expiring(), 'absent'))
      await store.ask(here)
      written(await store.put(here, aRecord.expiring(), version))
      assert.equal((await store.get(here)).askedAt, null)
    },
  },
  {
    id: 'TS-22',
    title: 'scans the rows of one app, each once, in the order of their shops, whatever the size of a page',
    async check(bench) {
      const { store, key, clientId } = bench
      const names = ['b', 'a-2', 'a', '0', 'c', 'a2', 'z9', 'z-9']
      await fill(bench, names)
      written(await store.put({ ...key('d'), clientId: `${clientId}x` }, aRecord.expiring(), 'absent'))

      const inOrder = names.map((name) => key(name).shop).sort()
      const expected = inOrder.map((shop) => shop.replace('.myshopify.com', ''))
      for (const pageSize of [1, 2, 3, names.length, 1_000, undefined]) {
        assert.deepEqual(await shopsOf(store, { clientId, pageSize }), expected)
      }
      const after = parseShop('a2.myshopify.com')
      const later = inOrder.filter((shop) => shop > after).map((shop) => shop.replace('.myshopify.com', ''))
      assert.deepEqual(await shopsOf(store, { clientId, after, pageSize: 2 }), later)

      for await (const row of store.scan({ clientId })) {
        const { now, ...read } = await store.get(row.key)
        assertSame({ ...read, key: row.key, now: row.now }, row)
        assert.ok(now >= row.now)
      }
    },
  },
  {
    id: 'TS-23',
    title: 'scans by kind, by mark and by what is due or was asked for, all at once if need be',
    async check({ store, clientId, key }) {
      const rows = {
        asked: aRecord.expiring({ sweepAt: 9_000 }),
        due: aRecord.expiring({ sweepAt: 1_000 }),
        'due-marked': aRecord.expiring({ sweepAt: 1_000, mark: aMark() }),
        empty: aRecord.empty({ sweepAt: 1_000 }),
        later: aRecord.expiring({ sweepAt: 1_001 }),
        never: aRecord.static(),
        old: aRecord.nonExpiring(),
        removed: aRecord.removed(),
      }
      for (const [name, record] of Object.entries(rows)) written(await store.put(key(name), record, 'absent'))
      await store.ask(key('asked'))
      const scan = (query: Omit<ScanQuery, 'clientId'>): Promise<string[]> =>
        shopsOf(store, { clientId, pageSize: 2, ...query })

      assert.deepEqual(await scan({ kinds: ['non-expiring', 'removed'] }), ['old', 'removed'])
      assert.deepEqual(await scan({ kinds: [] }), [])
      assert.deepEqual(await scan({ marked: true }), ['due-marked'])
      assert.deepEqual(await scan({ marked: false, kinds: ['expiring'] }), ['asked', 'due', 'later'])
      assert.deepEqual(await scan({ sweepBefore: 1_000 }), ['asked', 'due-marked', 'due', 'empty'])
      assert.deepEqual(await scan({ sweepBefore: 0 }), ['asked'])
      assert.deepEqual(await scan({ sweepBefore: 1_000, kinds: ['expiring'], marked: false }), ['asked', 'due'])
      assert.deepEqual(await scan({ sweepBefore: 1_000, marked: true }), ['due-marked'])
    },
  },
  {
    id: 'TS-24',
    title: 'goes on with a scan while its rows change, and may be left at any row',
    async check(bench) {
      const { store, clientId, key } = bench
      await fill(bench, ['a', 'b', 'c', 'd', 'e'])
      const visited: string[] = []
      for await (const row of store.scan({ clientId, pageSize: 2 })) {
        visited.push(nameOf(row))
        await store.put(row.key, aRecord.removed(), row.version)
        if (visited.length === 1) await fill(bench, ['aa', 'zz'])
      }
      assert.deepEqual(
        visited.filter((name) => name !== 'aa'),
        ['a', 'b', 'c', 'd', 'e', 'zz'],
      )

      for (let round = 0; round < 20; round += 1) {
        for await (const row of store.scan({ clientId, pageSize: 2 })) {
          assert.equal(nameOf(row), 'a')
          break
        }
      }
      assert.equal((await store.get(key('a'))).revision, 2)
    },
  },
]
