import assert from 'node:assert/strict'
import type { PutResult, RecordKey, TokenStore, Version } from '@shopify-tokens/core'
import { anAttempt, aRecord } from '../record-builders.js'
import type { TokenStoreBench } from './token-store-bench.js'
import { CALLERS, type CheckedClause, together } from './clause.js'
import { assertSame, assertStored, conflicting, written } from './token-store-assertions.js'

/** Whichever of the two instances it is this caller's turn to use. */
function instance({ store, other }: TokenStoreBench, caller: number): TokenStore {
  return caller % 2 === 0 ? store : other
}

/** Runs all callers against one expected version and asserts that the row is what its one winner wrote. */
async function race(bench: TokenStoreBench, key: RecordKey, expected: Version | 'absent'): Promise<void> {
  const records = Array.from({ length: CALLERS }, () => aRecord.expiring())
  const results = await together((caller) =>
    instance(bench, caller).put(key, records[caller] ?? assert.fail(), expected),
  )

  const winners = results.flatMap((result, caller) => (result.outcome === 'written' ? [caller] : []))
  assert.equal(winners.length, 1, `${String(winners.length)} of ${String(CALLERS)} callers were answered "written"`)
  const record = records[winners[0] ?? assert.fail()] ?? assert.fail()
  const { version } = await assertStored(bench.store, key, record)
  for (const result of results.filter(isConflict)) {
    assertSame(result.present.record, record)
    assert.equal(result.present.version, version)
  }
}

function isConflict(result: PutResult): result is PutResult & { outcome: 'conflict' } {
  return result.outcome === 'conflict'
}

export const compareAndSetClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-07',
    title: 'replaces nothing, and answers with the present row, when the version is no longer the one read',
    async check({ store, other, key }) {
      const here = key('stale')
      const first = written(await store.put(here, aRecord.expiring(), 'absent'))
      const record = aRecord.expiring()
      const second = written(await other.put(here, record, first))

      const present = conflicting(await store.put(here, aRecord.expiring(), first))
      assertSame([present.record, present.version, present.revision], [record, second, 2])
      assert.equal((await assertStored(store, here, record)).version, second)
    },
  },
  {
    id: 'TS-08',
    title: 'creates nothing where there is a row already',
    async check({ store, other, key }) {
      const here = key('taken')
      const record = aRecord.expiring()
      const version = written(await store.put(here, record, 'absent'))

      const present = conflicting(await other.put(here, aRecord.expiring(), 'absent'))
      assertSame([present.record, present.version, present.revision], [record, version, 1])
      await assertStored(store, here, record)
    },
  },
  {
    id: 'TS-09',
    title: 'creates nothing when a version is expected and there is no row',
    async check({ store, key }) {
      const version = written(await store.put(key('elsewhere'), aRecord.expiring(), 'absent'))

      const present = conflicting(await store.put(key('nowhere'), aRecord.expiring(), version))
      assertSame([present.record, present.version, present.revision], [null, 'absent', 0])
      assert.equal((await store.get(key('nowhere'))).record, null)
    },
  },
  {
    id: 'TS-10',
    title: 'writes for exactly one of 50 callers who replace the same version',
    async check(bench) {
      const here = bench.key('contended')
      const version = written(await bench.store.put(here, aRecord.expiring(), 'absent'))
      await race(bench, here, version)
    },
  },
  {
    id: 'TS-11',
    title: 'writes for exactly one of 50 callers who create the same row',
    async check(bench) {
      await race(bench, bench.key('created-by-many'), 'absent')
    },
  },
  {
    id: 'TS-12',
    title: 'loses nothing of 50 callers who each add to the row and read again after a conflict',
    async check(bench) {
      const here = bench.key('added-to')
      await together(async (caller) => {
        const attempt = anAttempt({ id: `caller-${String(caller)}` })
        const store = instance(bench, caller)
        let row = await store.get(here)
        // Every conflict means that somebody else has written, and each of them writes once.
        for (let conflicts = 0; conflicts < CALLERS; conflicts += 1) {
          const record = aRecord.empty({ attempts: [...(row.record?.attempts ?? []), attempt] })
          const result = await store.put(here, record, row.version)
          if (result.outcome === 'written') return
          row = result.present
        }
        assert.fail('more conflicts than there are other callers')
      })

      const row = await bench.store.get(here)
      const callers = new Set(row.record?.attempts.map(({ id }) => id))
      assertSame([callers.size, row.revision], [CALLERS, CALLERS])
    },
  },
  {
    id: 'TS-13',
    title: 'never repeats a version, not across removal and reinstallation',
    async check({ store, key }) {
      const here = key('reinstalled')
      const versions: Version[] = []
      let expected: Version | 'absent' = 'absent'
      for (let round = 0; round < 3; round += 1) {
        for (const record of [aRecord.expiring(), aRecord.expiring(), aRecord.removed()]) {
          expected = written(await store.put(here, record, expected))
          versions.push(expected)
        }
      }
      assert.equal(new Set(versions).size, versions.length, 'a version came twice')
      for (const version of versions.slice(0, -1)) conflicting(await store.put(here, aRecord.expiring(), version))
    },
  },
  {
    id: 'TS-14',
    title: 'never repeats a version, not after the row was deleted behind its back',
    needs: 'erase',
    async check({ store, key, backend }) {
      const here = key('erased')
      const versions: Version[] = []
      for (let round = 0; round < 3; round += 1) {
        const first = written(await store.put(here, aRecord.expiring(), 'absent'))
        versions.push(first, written(await store.put(here, aRecord.expiring(), first)))
        await backend.erase?.(here)
      }
      const record = aRecord.expiring()
      versions.push(written(await store.put(here, record, 'absent')))
      assert.equal(new Set(versions).size, versions.length, 'a version came twice')
      for (const version of versions.slice(0, -1)) conflicting(await store.put(here, aRecord.expiring(), version))
      await assertStored(store, here, record)
    },
  },
]
