import assert from 'node:assert/strict'
import type { Attempt, RecordKey, TokenRecord } from '@shopify-tokens/core'
import { aCoolDown, aMark, anAttempt, aRecord, aToken } from '../record-builders.js'
import type { TokenStoreBench } from './token-store-bench.js'
import type { CheckedClause } from './clause.js'
import { assertStored, conflicting, copyOf, written } from './token-store-assertions.js'

/** Every kind of record, plain and with everything in it. */
function everyRecord(): TokenRecord[] {
  const open = {
    attempts: [anAttempt(), anAttempt({ grant: 'migration', at: 1_795_176_000_123 })],
    mark: aMark(),
    coolDown: aCoolDown({ scope: 'rejected' }),
    sweepAt: 1_800_000_000_001,
  }
  return [
    aRecord.expiring(),
    aRecord.expiring({
      ...open,
      accessToken: `shpat_${'a'.repeat(5_000)}`,
      refreshToken: `shprt_"quoted" \\ 'single' ñ 漢字 🛍 ${'r'.repeat(5_000)}`,
      scopes: Array.from({ length: 120 }, (_, n) => `write_scope_${String(n)}`),
      alternates: [aToken('shprt'), aToken('shprt')],
      predecessor: aToken('shprt'),
      mintedForRejected: true,
    }),
    aRecord.expiring({ scopes: [], obtainedAt: 0, confirmedAt: null, sweepAt: 0 }),
    aRecord.clientCredentials(),
    aRecord.clientCredentials({
      ...open,
      attempts: [anAttempt({ grant: 'client-credentials' })],
      mintedForRejected: true,
    }),
    aRecord.nonExpiring(),
    aRecord.nonExpiring({ ...open, mark: aMark({ notifiedAt: 1_795_176_000_456 }) }),
    aRecord.static({ ...open, mark: aMark({ reason: 'access-token-rejected' }) }),
    aRecord.empty(),
    aRecord.empty({ ...open }),
    aRecord.removed(),
    aRecord.removed({ ...open, removedAt: 1_795_176_000_999 }),
  ]
}

/** Changes everything that can be changed, as careless code does with what it was handed. */
function deface(record: TokenRecord): void {
  Object.assign(record, { accessToken: 'defaced', sweepAt: -1 })
  const attempts = record.attempts as Attempt[]
  attempts.push(anAttempt({ id: 'defaced' }))
}

export const recordClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-01',
    title: 'answers no record, version absent and revision 0 for a key without a row',
    async check({ store, key }) {
      const { now, ...row } = await store.get(key('nobody'))
      assert.deepEqual(row, { record: null, version: 'absent', revision: 0, askedAt: null })
      assert.ok(Number.isFinite(now))
    },
  },
  {
    id: 'TS-02',
    title: 'gives a record of every kind back exactly as it was put',
    async check({ store, other, key }) {
      for (const [index, record] of everyRecord().entries()) {
        const here = key(`kind-${String(index)}`)
        written(await store.put(here, copyOf(record), 'absent'))
        await assertStored(store, here, record)
        await assertStored(other, here, record)
      }
    },
  },
  {
    id: 'TS-03',
    title: 'keeps no field of the record that was replaced',
    async check({ store, key }) {
      const records = everyRecord()
      for (const [index, fuller] of records.entries()) {
        for (const [next, record] of records.entries()) {
          const here = key(`after-${String(index)}-${String(next)}`)
          const version = written(await store.put(here, copyOf(fuller), 'absent'))
          written(await store.put(here, copyOf(record), version))
          await assertStored(store, here, record)
        }
      }
    },
  },
  {
    id: 'TS-04',
    title: 'keeps a value of its own and hands out values of their own',
    async check({ store, clientId, key }) {
      const here = key('own-values')
      const record = aRecord.expiring({ attempts: [anAttempt()] })
      const given = copyOf(record)
      written(await store.put(here, given, 'absent'))
      deface(given)
      deface((await assertStored(store, here, record)).record ?? assert.fail())
      deface(conflicting(await store.put(here, given, 'absent')).record ?? assert.fail())
      for await (const row of store.scan({ clientId })) deface(row.record)
      await assertStored(store, here, record)
    },
  },
  {
    id: 'TS-05',
    title: 'keeps rows apart whose keys differ in the shop, in the client id, or in its case alone',
    async check({ store, clientId, key }) {
      const { shop } = key('one')
      const keys: RecordKey[] = [
        { clientId, shop },
        { clientId, shop: key('one-more').shop },
        { clientId: `${clientId}1`, shop },
        { clientId: clientId.toUpperCase(), shop },
        { clientId: clientId.slice(0, -1), shop },
      ]
      const records = keys.map(() => aRecord.expiring())
      for (const [index, here] of keys.entries()) {
        written(await store.put(here, records[index] ?? assert.fail(), 'absent'))
      }
      for (const [index, here] of keys.entries()) await assertStored(store, here, records[index] ?? assert.fail())
    },
  },
  {
    id: 'TS-06',
    title: 'answers a write with the version and the revision that are read afterwards',
    async check({ store, key }) {
      const here = key('answers')
      let expected = (await store.get(here)).version
      for (const revision of [1, 2, 3]) {
        const result = await store.put(here, aRecord.expiring(), expected)
        expected = written(result)
        const row = await store.get(here)
        assert.deepEqual([row.version, row.revision], [expected, revision])
        assert.equal('revision' in result && result.revision, revision)
      }
    },
  },
]
