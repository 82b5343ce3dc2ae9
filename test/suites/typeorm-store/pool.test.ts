import { aKey, aRecord, FakeClock } from '@shopify-tokens/testing'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { createMariaDbDatabase, createPostgresDatabase, type TestDatabase } from '../../servers.js'
import { create, onEveryDatabase } from './backends.js'
import { cutConnections, failFirstUpdate, untilWaiting } from './database-faults.js'

const UNAVAILABLE = { code: 'ERR_STORE_UNAVAILABLE' }

onEveryDatabase((backend, type) => {
  const others: TestDatabase[] = []
  afterAll(async () => {
    for (const database of others) await database.drop()
  })
  if (type === 'better-sqlite3') {
    it('has no pool', () => {
      expect('poolSize' in backend().owner.options).toBe(false)
    })
    return
  }

  it('gives back a connection that the pool had for it only when its time was up', async () => {
    const app = await backend().open({ poolSize: 1 })
    const clock = new FakeClock()
    const store = new TypeOrmTokenStore(app, { clock })
    const holder = app.createQueryRunner()
    await holder.connect()
    const late = expect(store.get(aKey())).rejects.toMatchObject(UNAVAILABLE)
    await clock.advance(1_500)
    await late
    await holder.release()
    expect((await store.get(aKey())).version).toBe('absent')
    expect(await app.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  it('throws away a connection on which a statement may still be running', async () => {
    const app = await backend().open({ poolSize: 1 })
    const clock = new FakeClock()
    const store = new TypeOrmTokenStore(app, { clock })
    const key = aKey()
    const version = await create(store, key)
    const holder = backend().owner.createQueryRunner()
    await holder.startTransaction()
    await holder.query(`UPDATE shopify_tokens SET format = format WHERE shop = '${key.shop}'`)

    const late = expect(store.put(key, aRecord.empty(), version)).rejects.toMatchObject(UNAVAILABLE)
    await clock.untilAsleep()
    await clock.advance(1_500)
    await late
    expect((await store.get(key)).version).toBe(version)
    await holder.rollbackTransaction()
    await holder.release()
  })

  it('does not answer "written" on a connection that came back with a transaction open', async () => {
    const app = await backend().open({ poolSize: 1 })
    const store = new TypeOrmTokenStore(app)
    const key = aKey()
    const careless = app.createQueryRunner()
    await careless.query('START TRANSACTION')
    await careless.release()

    await expect(create(store, key)).rejects.toMatchObject(UNAVAILABLE)
    expect((await store.get(key)).version).toBe('absent')
    await create(store, key)
    expect((await new TypeOrmTokenStore(backend().owner).get(key)).revision).toBe(1)
  })

  it('reads from the primary though the DataSource has replicas', async () => {
    const { owner } = backend()
    const empty = await (type === 'postgres' ? createPostgresDatabase() : createMariaDbDatabase())
    others.push(empty)
    const { url } = owner.options as { url: string }
    const replication = { master: { url }, slaves: [{ url: empty.url }] }
    const app = await backend().open({ url: undefined, replication })
    const replica = app.createQueryBuilder().select('1').from('shopify_tokens', 't')
    await expect(replica.getRawMany()).rejects.toThrow()
    const store = new TypeOrmTokenStore(app)
    const key = aKey()
    const version = await create(store, key)
    expect((await store.get(key)).version).toBe(version)
    for await (const row of store.scan({ clientId: key.clientId })) expect(row.revision).toBeGreaterThan(0)
  })

  it('reads again, and writes, after a deadlock or a serialization failure that undid its statement', async () => {
    const { owner } = backend()
    const app = await backend().open({ poolSize: 1 })
    const store = new TypeOrmTokenStore(app)
    const key = aKey()
    const version = await create(store, key)
    const stop = await failFirstUpdate(backend(), 'deadlock')
    expect(await store.put(key, aRecord.empty(), version)).toMatchObject({ outcome: 'written', revision: 2 })
    await stop()
    expect((await new TypeOrmTokenStore(owner).get(key)).record).toEqual(aRecord.empty())
  })

  it('does not know what came of a write that waited too long for a lock', async () => {
    const app = await backend().open({ poolSize: 1 })
    const store = new TypeOrmTokenStore(app)
    const key = aKey()
    const version = await create(store, key)
    const stop = await failFirstUpdate(backend(), 'lock wait')
    await expect(store.put(key, aRecord.empty(), version)).rejects.toMatchObject(UNAVAILABLE)
    await stop()
  })

  it('goes on with new connections after the server has ended the old ones', async () => {
    const store = new TypeOrmTokenStore(await backend().open())
    const key = aKey()
    const version = await create(store, key)
    await cutConnections(backend())
    // Each of the pool's connections may be given out once more before the pool knows that it has ended.
    let seen: string | undefined
    for (let call = 0; call < 5 && seen === undefined; call += 1) {
      try {
        seen = (await store.get(key)).version
      } catch (error) {
        expect(error).toMatchObject(UNAVAILABLE)
      }
    }
    expect(seen).toBe(version)
  })

  it('does not know what came of a write whose connection was cut', async () => {
    const app = await backend().open()
    const store = new TypeOrmTokenStore(app)
    const key = aKey()
    const version = await create(store, key)
    const holder = backend().owner.createQueryRunner()
    await holder.startTransaction()
    await holder.query(`UPDATE shopify_tokens SET format = format WHERE shop = '${key.shop}'`)
    const writing = expect(store.put(key, aRecord.empty(), version)).rejects.toMatchObject(UNAVAILABLE)
    await untilWaiting(backend())
    await cutConnections(backend())
    await writing
    await holder.rollbackTransaction()
    await holder.release()
  })

  if (type === 'postgres') {
    it('loses to the first under serializable isolation as under any other', async () => {
      const app = await backend().open({
        poolSize: 8,
        extra: { options: '-c default_transaction_isolation=serializable' },
      })
      const store = new TypeOrmTokenStore(app)
      const key = aKey()
      const version = await create(store, key)
      const results = await Promise.all(Array.from({ length: 50 }, () => store.put(key, aRecord.empty(), version)))
      expect(results.filter(({ outcome }) => outcome === 'written')).toHaveLength(1)
    })
  }
})
