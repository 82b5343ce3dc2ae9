import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import type { PutResult } from '@shopify-tokens/core'
import { anAttempt, aRecord } from '../record-builders.js'
import type { TokenStoreBench } from './token-store-bench.js'
import type { CheckedClause } from './clause.js'
import { assertRejects, assertSame, assertStored, conflicting, written } from './token-store-assertions.js'

/** Far above any sensible deadline of an adapter; a call that is still open by then has none. */
const BOUND_MS = 15_000

const MINUTE_MS = 60_000

/** `'rejected'`, or whatever was answered; fails when neither comes in time. */
async function outcomeOf(put: Promise<PutResult>): Promise<string> {
  const late = new AbortController()
  try {
    return await Promise.race([
      put.then(
        ({ outcome }) => outcome,
        () => 'rejected',
      ),
      delay(BOUND_MS, 'open', { signal: late.signal, ref: false }),
    ])
  } finally {
    late.abort()
  }
}

export const backendClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-15',
    title: 'reads at once what another instance was told to be written',
    async check({ store, other, clientId, key }) {
      const here = key('seen-by-both')
      let expected = (await other.get(here)).version
      for (let round = 0; round < 5; round += 1) {
        const record = aRecord.expiring({ attempts: [anAttempt()] })
        expected = written(await store.put(here, record, expected))
        assert.equal((await assertStored(other, here, record)).version, expected)
        assertSame(conflicting(await other.put(here, record, 'absent')).record, record)
        for await (const row of other.scan({ clientId })) assertSame(row.record, record)
      }
    },
  },
  {
    id: 'TS-16',
    title: "tells the time of the backend's clock, which all instances share",
    async check({ store, other, key }) {
      const here = key('told-the-time')
      written(await store.put(here, aRecord.expiring(), 'absent'))
      const instants: number[] = []
      for (const instance of [store, other, store]) {
        instants.push((await instance.get(here)).now)
        instants.push(conflicting(await instance.put(here, aRecord.expiring(), 'absent')).now)
        await instance.ask(here)
        instants.push((await instance.get(here)).askedAt ?? assert.fail('askedAt was not set'))
      }
      const [first = NaN] = instants
      for (const instant of instants) {
        assert.ok(Number.isInteger(instant), 'an instant is a whole number of epoch milliseconds')
        assert.ok(Math.abs(instant - first) < MINUTE_MS, 'two instances tell different times')
      }
    },
  },
  {
    id: 'TS-17',
    title: 'rejects in bounded time, and answers nothing, when the backend does not answer',
    needs: 'stallAround',
    async check({ store, key, backend }) {
      const here = key('stalled')
      const version = written(await store.put(here, aRecord.expiring(), 'absent'))
      await backend.stallAround?.(here, async () => {
        const puts = Array.from({ length: 5 }, () => outcomeOf(store.put(here, aRecord.expiring(), version)))
        assert.deepEqual(
          await Promise.all(puts),
          Array.from({ length: 5 }, () => 'rejected'),
        )
      })
      // Which of the writes arrived is unknown by the rules; that the store still works is not.
      const record = aRecord.expiring()
      for (let round = 0; round < 6; round += 1) {
        const { version: present } = await store.get(here)
        const { outcome } = await store.put(here, record, present)
        if (outcome === 'written') break
      }
      await assertStored(store, here, record)
    },
  },
  {
    id: 'TS-18',
    title: 'loses nothing that it answered as written when the application rolls back around it',
    needs: 'rollbackAround',
    async check({ store, other, key, backend }) {
      const before = aRecord.expiring()
      const after = aRecord.expiring()
      const version = written(await store.put(key('updated'), before, 'absent'))
      let updated = 'rejected'
      let created = 'rejected'
      await backend.rollbackAround?.(async () => {
        updated = await outcomeOf(store.put(key('updated'), after, version))
        created = await outcomeOf(store.put(key('created'), after, 'absent'))
      })
      assert.notEqual(updated, 'conflict')
      if (updated === 'written') await assertStored(other, key('updated'), after)
      if (created === 'written') await assertStored(other, key('created'), after)
    },
  },
  {
    id: 'TS-19',
    title: 'calls a row of a newer format unreadable, names its shop, and never overwrites it',
    needs: 'newerFormat',
    async check({ store, clientId, key, backend }) {
      const here = key('newer')
      const version = written(await store.put(here, aRecord.expiring(), 'absent'))
      await backend.newerFormat?.(here)

      const scan = async (): Promise<void> => {
        for await (const row of store.scan({ clientId })) assert.notEqual(row.key.shop, here.shop)
      }
      await assertRejects(store.get(here), 'ERR_STORE_UNREADABLE', here.shop)
      await assertRejects(store.put(here, aRecord.expiring(), version), 'ERR_STORE_UNREADABLE', here.shop)
      await assertRejects(store.put(here, aRecord.expiring(), 'absent'), 'ERR_STORE_UNREADABLE', here.shop)
      await assertRejects(scan(), 'ERR_STORE_UNREADABLE', here.shop)
      await assertRejects(store.get(here), 'ERR_STORE_UNREADABLE', here.shop)
    },
  },
]
