import type { TokenStore } from '@shopify-tokens/core'
import { aKey, aRecord, FakeClock } from '@shopify-tokens/testing'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import type { DataSource } from 'typeorm'
import { type Backend, create, sqliteBackend } from './backends.js'

describe('sharing the one connection of a SQLite DataSource', () => {
  let backend: Backend
  beforeAll(async () => {
    backend = await sqliteBackend()
  })
  afterAll(() => backend.close())

  const begun = async (): Promise<{ clock: FakeClock; app: DataSource; store: TokenStore }> => {
    const clock = new FakeClock()
    const app = await backend.open()
    return { clock, app, store: new TypeOrmTokenStore(app, { clock }) }
  }

  it('waits until a transaction of the application has ended, whichever way', async () => {
    const { clock, app, store } = await begun()
    for (const end of ['COMMIT', 'ROLLBACK']) {
      const key = aKey()
      await app.query('BEGIN')
      const writing = create(store, key)
      await clock.untilAsleep()
      await app.query(end)
      await clock.advance(100)
      expect((await store.get(key)).version).toBe(await writing)
    }
  })

  it('refuses to read or to write inside it when it does not end, and says what to do', async () => {
    const { clock, app, store } = await begun()
    await app.query('BEGIN')
    const refused = [store.get(aKey()), store.put(aKey(), aRecord.empty(), 'absent'), store.ask(aKey())].map((call) =>
      expect(call).rejects.toThrow(/give the token store a DataSource of its own/),
    )
    await clock.advance(2_000)
    await Promise.all(refused)
    await app.query('ROLLBACK')
  })

  it('waits without blocking while another process writes', async () => {
    const { clock, store } = await begun()
    const key = aKey()
    const version = await create(store, key)
    await backend.owner.query('BEGIN IMMEDIATE')
    const writing = store.put(key, aRecord.empty(), version)
    await clock.untilAsleep()
    await backend.owner.query('COMMIT')
    await clock.advance(100)
    expect(await writing).toMatchObject({ outcome: 'written' })
  })
})
