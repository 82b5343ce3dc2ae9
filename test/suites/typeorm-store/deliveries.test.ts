import { setImmediate as turn } from 'node:timers/promises'
import { type Clock, systemClock } from '@shopify-tokens/core'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import type { DataSource } from 'typeorm'
import { onEveryDatabase } from './backends.js'

const LEASE_MS = 60_000
const HOUR_MS = 3_600_000
const KEPT_MS = 30 * 24 * HOUR_MS
const AT_ONCE = 1_000

/** The machine's clock, whose hours pass when a test says so. */
class HastyClock implements Clock {
  #ahead = 0

  now(): number {
    return systemClock.now()
  }

  monotonic(): number {
    return systemClock.monotonic() + this.#ahead
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal)
  }

  skip(ms: number): void {
    this.#ahead += ms
  }
}

onEveryDatabase((backend, type) => {
  let app: DataSource
  let clock: HastyClock
  let store: TypeOrmTokenStore
  beforeAll(async () => {
    app = await backend().open()
  })
  beforeEach(async () => {
    await backend().owner.query('DELETE FROM shopify_tokens_deliveries')
    clock = new HastyClock()
    store = new TypeOrmTokenStore(app, { clock })
  })

  const begin = (id: string): ReturnType<TypeOrmTokenStore['deliveries']['begin']> =>
    store.deliveries.begin({ clientId: 'app', id }, LEASE_MS)

  /** Rows that were noted so long ago. */
  const insert = async (count: number, agoMs: number): Promise<void> => {
    const at = Date.now() - agoMs
    const rows = Array.from(
      { length: count },
      (_, row) => `('app', 'old-${String(agoMs)}-${String(row)}', NULL, 0, ${String(at + row)})`,
    )
    await backend().owner.query(
      `INSERT INTO shopify_tokens_deliveries (client_id, delivery, claim, claimed_until, noted_at) VALUES ${rows.join(', ')}`,
    )
  }

  const count = async (): Promise<number> => {
    const [row] = await backend().owner.query<{ n: string | number }[]>(
      'SELECT count(*) AS n FROM shopify_tokens_deliveries',
    )
    return Number(row?.n)
  }

  /** What runs behind a call has ended when it has given its connection back. */
  const settled = async (work: () => Promise<unknown>): Promise<number> => {
    const runners = jest.spyOn(app, 'createQueryRunner')
    try {
      await work()
      const used = runners.mock.results.map(({ value }) => value as { isReleased: boolean })
      while (type !== 'better-sqlite3' && used.some(({ isReleased }) => !isReleased)) await turn()
      // SQLite's runner is shared and never released; its statements are one step each.
      for (let turns = 0; turns < 20; turns += 1) await turn()
      return used.length
    } finally {
      runners.mockRestore()
    }
  }

  it('takes out what is older than 30 days, and nothing else, behind a call', async () => {
    await insert(3, KEPT_MS + HOUR_MS)
    await insert(2, KEPT_MS - HOUR_MS)

    await settled(() => begin('webhook:1'))

    expect(await count()).toBe(3)
  })

  it('looks for old rows once an hour', async () => {
    expect(await settled(() => begin('webhook:1'))).toBe(2)
    expect(await settled(() => begin('webhook:2'))).toBe(1)
    clock.skip(HOUR_MS)
    expect(await settled(() => begin('webhook:3'))).toBe(2)
  })

  it('takes out a thousand at a time, and the rest behind the calls that follow', async () => {
    await insert(AT_ONCE, KEPT_MS + 2 * HOUR_MS)
    await insert(5, KEPT_MS + HOUR_MS)

    expect(await settled(() => begin('webhook:1'))).toBe(2)
    expect(await count()).toBe(6)
    expect(await settled(() => begin('webhook:2'))).toBe(2)
    expect(await count()).toBe(2)
    expect(await settled(() => begin('webhook:3'))).toBe(1)
  })

  it('stores a claim and no payload, and forgets the claim when the work is done', async () => {
    const state = await begin('webhook:1')
    const rows = (): Promise<Record<string, unknown>[]> =>
      backend().owner.query('SELECT client_id, delivery, claim FROM shopify_tokens_deliveries')
    const key = { client_id: 'app', delivery: 'webhook:1' }
    expect(await rows()).toEqual([{ ...key, claim: state.outcome === 'run' ? state.claim : '' }])

    await store.deliveries.finish({ clientId: 'app', id: 'webhook:1' }, '')
    expect(await rows()).toEqual([{ ...key, claim: null }])
  })

  it('counts work as done whose row is gone', async () => {
    await begin('webhook:1')
    await backend().owner.query('DELETE FROM shopify_tokens_deliveries')

    await store.deliveries.finish({ clientId: 'app', id: 'webhook:1' }, 'claim')
    expect(await begin('webhook:1')).toEqual({ outcome: 'done' })
  })

  if (type === 'better-sqlite3') return
  it('serves a role that may not delete; old rows stay then', async () => {
    const role = new URL((app.options as { url: string }).url).username
    const [table, who] =
      type === 'postgres'
        ? ['shopify_tokens_deliveries', role]
        : [`${String(backend().owner.driver.database)}.shopify_tokens_deliveries`, `${role}@'%'`]
    await insert(1, KEPT_MS + HOUR_MS)
    await backend().owner.query(`REVOKE DELETE ON ${table} FROM ${who}`)
    try {
      await settled(async () => {
        expect(await begin('webhook:1')).toMatchObject({ outcome: 'run' })
      })
      expect(await count()).toBe(2)
    } finally {
      await backend().owner.query(`GRANT DELETE ON ${table} TO ${who}`)
    }
  })
})
