import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { ScannedRow, ScanQuery, TokenRecord, TokenStore } from '@shopify-tokens/core'
import { aRecord } from '../record-builders.js'
import type { TokenStoreBench } from './token-store-bench.js'
import type { CheckedClause } from './clause.js'
import { assertRejects, written } from './token-store-assertions.js'

const DUE_AT = 1_000
const LATER = 9_000
/** Enough for two instants to differ on every clock. */
const PAUSE_MS = 3
/** More visits than any clause has rows: a scan that goes on for ever shall fail, not hang. */
const MAX_VISITS = 50

/** Puts rows that fall due at these instants. */
async function fill({ store, key }: TokenStoreBench, due: Readonly<Record<string, number>>): Promise<void> {
  for (const [name, sweepAt] of Object.entries(due)) await put(store, key(name), aRecord.expiring({ sweepAt }))
}

/** Replaces whatever there is. */
async function put(store: TokenStore, key: ScannedRow['key'], record: TokenRecord): Promise<void> {
  const { version } = await store.get(key)
  written(await store.put(key, record, version))
}

/** Asks for these shops, each at a later instant than the one before. */
async function ask({ other, key, backend }: TokenStoreBench, names: readonly string[]): Promise<void> {
  for (const name of names) {
    await other.ask(key(name))
    await (backend.elapse?.(PAUSE_MS) ?? delay(PAUSE_MS))
  }
}

/** Visits the rows of a sweep and answers their names. */
async function sweep(
  { store, clientId }: TokenStoreBench,
  query: Partial<ScanQuery> = {},
  visit: (name: string, row: ScannedRow) => Promise<void> = () => Promise.resolve(),
): Promise<string[]> {
  const names: string[] = []
  for await (const row of store.scan({ clientId, sweepBefore: DUE_AT, ...query })) {
    const name = row.key.shop.replace('.myshopify.com', '')
    names.push(name)
    assert.ok(names.length <= MAX_VISITS, 'the sweep does not end')
    await visit(name, row)
  }
  return names
}

export const sweepClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-38',
    title: 'scans for a sweep by urgency: what was asked for, the longest waiting first, then the longest due',
    async check(bench) {
      const { key, store } = bench
      await fill(bench, { 'due-c': 200, 'due-a': 200, 'due-b': 200, 'due-0': 201, 'due-z': DUE_AT, 'due-2': 100 })
      await fill(bench, { both: 150, later: LATER, asked: LATER })
      await put(store, key('static'), aRecord.static())
      await ask(bench, ['static', 'both', 'asked'])

      const expected = ['static', 'both', 'asked', 'due-2', 'due-a', 'due-b', 'due-c', 'due-0', 'due-z']
      for (const pageSize of [1, 2, 3, 4, expected.length, 1_000, undefined]) {
        assert.deepEqual(await sweep(bench, { pageSize }), expected)
      }
    },
  },
  {
    id: 'TS-39',
    title: 'visits no row of a sweep twice because its visit wrote it, and leaves out none that stays due',
    async check(bench) {
      const { key, other } = bench
      await fill(bench, { a: 100, b: 200, c: 300, d: 400, e: 500, f: 600, g: 700, h: 800, p: 150, q: LATER })
      await ask(bench, ['p', 'q'])

      const visited = await sweep(bench, { pageSize: 2 }, async (name, { key: here }) => {
        switch (name) {
          case 'p':
            await put(other, here, aRecord.expiring({ sweepAt: 150 }))
            break
          case 'q':
            await ask(bench, ['q'])
            break
          case 'a':
            await put(other, key('e'), aRecord.expiring({ sweepAt: 650 }))
            await put(other, key('f'), aRecord.expiring({ sweepAt: LATER }))
            await ask(bench, ['g'])
            break
          case 'b':
          case 'c':
            await put(other, here, aRecord.expiring({ sweepAt: LATER }))
            break
        }
      })
      assert.deepEqual(visited, ['p', 'q', 'a', 'b', 'c', 'd', 'e', 'g', 'h'])
    },
  },
  {
    id: 'TS-40',
    title: 'refuses to begin a sweep behind a shop',
    async check(bench) {
      await fill(bench, { a: 100, b: 200 })
      await assertRejects(sweep(bench, { after: bench.key('a').shop }), 'ERR_INVALID_OPTION')
    },
  },
  {
    id: 'TS-41',
    title: 'tells whoever listens of rows that it cannot understand, each once, and scans on behind them',
    needs: 'newerFormat',
    async check(bench) {
      const { backend, clientId, key, store } = bench
      await fill(bench, { newer: 100, older: 200 })
      await ask(bench, ['newer'])
      await backend.newerFormat?.(key('newer'))

      for (const query of [{}, { pageSize: 1 }, { sweepBefore: DUE_AT }, { sweepBefore: DUE_AT, pageSize: 1 }]) {
        const told: unknown[] = []
        const onUnreadable: ScanQuery['onUnreadable'] = ({ code, shop }) => told.push(code, shop)
        const scan = async (): Promise<void> => {
          for await (const row of store.scan({ clientId, onUnreadable, ...query })) told.push(row.key.shop)
        }
        await assert.doesNotReject(scan())
        assert.deepEqual(told, ['ERR_STORE_UNREADABLE', key('newer').shop, key('older').shop])
      }
    },
  },
]
