import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { RecordKey, Snapshot, TokenStore, Version, WriteWatch } from '@shopify-tokens/core'
import { aRecord } from '../record-builders.js'
import type { CheckedClause } from './clause.js'
import { assertSame, written } from './token-store-assertions.js'
import type { TokenStoreBench } from './token-store-bench.js'

const capability = 'watch'

/** How long a store may take to connect, and news to arrive. Far longer than any does. */
const PATIENCE_MS = 10_000
const PAUSE_MS = 5

async function until(isSo: () => boolean, otherwise: string): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  while (!isSo()) {
    assert.ok(performance.now() < deadline, otherwise)
    await delay(PAUSE_MS)
  }
}

/** A watch that is live, with the keys that it has brought and what could be read at that moment. */
interface LiveWatch {
  readonly watch: WriteWatch
  readonly heard: RecordKey[]
  readonly seen: Promise<Snapshot>[]
  /** Resolves once something was heard of the shop of `key`, and asserts that it was this key. */
  readonly hears: (key: RecordKey) => Promise<void>
}

async function liveWatchOf(store: TokenStore): Promise<LiveWatch> {
  const heard: RecordKey[] = []
  const seen: Promise<Snapshot>[] = []
  assert.ok(store.watch !== undefined, 'the store has no watch')
  const watch = store.watch((key) => {
    heard.push(key)
    seen.push(store.get(key))
  })
  await until(() => watch.isLive(), 'the watch was never live')
  return {
    watch,
    heard,
    seen,
    async hears(key) {
      const find = (): RecordKey | undefined => heard.find(({ shop }) => shop === key.shop)
      await until(() => find() !== undefined, 'a write was not announced')
      assertSame({ ...find() }, { clientId: key.clientId, shop: key.shop })
    },
  }
}

/** A key that nobody else writes: other suites may use the same channel. */
function keyOf({ key }: TokenStoreBench): RecordKey {
  return key(`watched-${randomUUID()}`)
}

export const watchClauses: readonly CheckedClause<TokenStoreBench>[] = [
  {
    id: 'TS-25',
    title: 'announces every write of another instance by its key, as soon as it can be read and no sooner',
    capability,
    async check(bench) {
      const { store, other } = bench
      const { watch, heard, seen, hears } = await liveWatchOf(store)
      try {
        const here = keyOf(bench)
        let expected: Version | 'absent' = 'absent'
        for (const record of [aRecord.empty(), aRecord.expiring(), aRecord.removed()]) {
          heard.length = 0
          seen.length = 0
          expected = written(await other.put(here, record, expected))
          await hears(here)
          const versions = (await Promise.all(seen)).map(({ version }) => version)
          assert.ok(versions.includes(expected), 'a write was announced before it could be read')
        }
      } finally {
        await watch.close()
      }
    },
  },
  {
    id: 'TS-26',
    title: 'announces nothing to a watch that is closed, and goes on for the others',
    capability,
    async check(bench) {
      const { store, other } = bench
      const closed = await liveWatchOf(store)
      const open = await liveWatchOf(store)
      try {
        await closed.watch.close()
        await closed.watch.close()
        // What came of the first write has come by the time that the second is heard of.
        for (const here of [keyOf(bench), keyOf(bench)]) {
          written(await other.put(here, aRecord.expiring(), 'absent'))
          await open.hears(here)
        }
        assertSame(closed.heard, [])
      } finally {
        await closed.watch.close()
        await open.watch.close()
      }
    },
  },
  {
    id: 'TS-27',
    title: 'says of a closed watch that it is not live, one closed before it was live included',
    capability,
    async check({ store }) {
      assert.ok(store.watch !== undefined, 'the store has no watch')
      const early = store.watch(() => undefined)
      await early.close()
      const { watch } = await liveWatchOf(store)
      await watch.close()
      for (const each of [early, watch]) assert.equal(each.isLive(), false)
    },
  },
]
