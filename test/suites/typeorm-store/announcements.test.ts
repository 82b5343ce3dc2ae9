import type { RecordKey, WriteWatch } from '@shopify-tokens/core'
import { aKey, aRecord } from '@shopify-tokens/testing'
import { tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { Client, type ClientConfig } from 'pg'
import type { DataSource } from 'typeorm'
import { until } from '../../until.js'
import { create, onEveryDatabase } from './backends.js'
import { cutConnections } from './database-faults.js'

onEveryDatabase((backend, type) => {
  if (type !== 'postgres') {
    it('announces nothing by itself', async () => {
      expect(new TypeOrmTokenStore(await backend().open()).watch).toBeUndefined()
    })
    return
  }

  const watches: WriteWatch[] = []
  afterEach(async () => {
    for (const watch of watches.splice(0)) await watch.close()
  })

  /** What a store hears, from when it is live. */
  async function listen(store: TypeOrmTokenStore): Promise<{ watch: WriteWatch; heard: RecordKey[] }> {
    const heard: RecordKey[] = []
    const watch = store.watch!((key) => heard.push(key))
    watches.push(watch)
    await until(() => watch.isLive(), 'the watch is live')
    return { watch, heard }
  }

  const announcing = (dataSource: DataSource, tableName?: string): TypeOrmTokenStore =>
    new TypeOrmTokenStore(dataSource, { announceWrites: true, tableName })

  /** Who listens at present, seen from the server. */
  const listening = async (): Promise<number> => {
    const rows: unknown[] = await backend().owner.query(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'`,
    )
    return rows.length
  }

  it('says nothing of its own writes, of conflicts, and of being asked', async () => {
    const store = announcing(await backend().open())
    const other = announcing(await backend().open())
    const { heard } = await listen(store)
    const [own, taken, last] = [aKey(), aKey(), aKey()]
    await create(store, own)
    await create(store, taken)
    await other.put(taken, aRecord.expiring(), 'absent')
    await other.ask(taken)
    await create(other, last)
    await until(() => heard.length > 0, 'a write is announced')
    expect(heard).toEqual([last])
  })

  it('says nothing of a write that is not committed', async () => {
    const { owner } = backend()
    const store = announcing(await backend().open())
    const other = announcing(await backend().open())
    const { heard } = await listen(store)
    const refused = aKey()
    // Checked when the transaction ends: the statement, and what it announces, have gone through by then.
    await owner.query(
      `CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$ LANGUAGE plpgsql`,
    )
    await owner.query(
      `CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON shopify_tokens INITIALLY DEFERRED FOR EACH ROW
       WHEN (new.shop = '${refused.shop}') EXECUTE FUNCTION refuse()`,
    )
    await expect(create(other, refused)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    const last = aKey()
    await create(other, last)
    await until(() => heard.length > 0, 'a write is announced')
    expect(heard).toEqual([last])
    await owner.query('DROP FUNCTION refuse CASCADE')
  })

  it('keeps tables and schemas apart', async () => {
    const { owner } = backend()
    await owner.query('CREATE SCHEMA elsewhere')
    const { url } = owner.options as { url: string }
    const migrated = async (options: object, tableName?: string): Promise<DataSource> => {
      const migrations = tokenMigrations({ tableName })
      const dataSource = await backend().open({ url, ...options, migrations, migrationsTableName: 'm_announcing' })
      await dataSource.runMigrations()
      return dataSource
    }
    const { heard } = await listen(announcing(await backend().open()))
    await create(announcing(await migrated({ schema: 'elsewhere' })), aKey())
    await create(announcing(await migrated({}, 'my_tokens'), 'my_tokens'), aKey())
    const last = aKey()
    await create(announcing(await backend().open()), last)
    await until(() => heard.length > 0, 'a write is announced')
    expect(heard).toEqual([last])
  })

  it('listens anew after its connection was cut, and says meanwhile that it does not', async () => {
    const store = announcing(await backend().open())
    const { watch, heard } = await listen(store)
    for (let round = 0; round < 2; round += 1) {
      await cutConnections(backend())
      await until(() => !watch.isLive(), 'the watch is no longer live')
      await until(() => watch.isLive(), 'the watch is live again')
      const key = aKey()
      await create(announcing(await backend().open()), key)
      await until(() => heard.some(({ shop }) => shop === key.shop), 'a write is announced')
    }
  })

  it('uses one connection of the pool, and none once it is closed', async () => {
    // A connection given back to the pool stays open.
    const store = announcing(await backend().open({ poolSize: 2, extra: { idleTimeoutMillis: 0 } }))
    const before = await listening()
    const { watch } = await listen(store)
    expect(await listening()).toBe(before + 1)
    await Promise.all(Array.from({ length: 10 }, () => create(store, aKey())))
    await watch.close()
    expect(watch.isLive()).toBe(false)
    await until(async () => (await listening()) === before, 'nobody listens any more')
  })

  it('ends with the DataSource, and begins with one that is initialized late', async () => {
    const app = await backend().open()
    const before = await listening()
    await app.destroy()
    const heard: RecordKey[] = []
    const watch = announcing(app).watch!((key) => heard.push(key))
    watches.push(watch)
    expect(watch.isLive()).toBe(false)
    await app.initialize()
    await until(() => watch.isLive(), 'the watch is live')
    expect(await listening()).toBe(before + 1)

    await app.destroy()
    await until(async () => !watch.isLive() && (await listening()) === before, 'nobody listens any more')
  })

  it('is not live behind a pooler that takes LISTEN and passes nothing on', async () => {
    let listens = 0
    // Each transaction has another connection of the server: what one subscribes to reaches somebody else.
    class PooledClient extends Client {
      constructor(config?: ClientConfig) {
        super(config)
        const query = this.query.bind(this) as (...statement: unknown[]) => unknown
        const withoutListen = (statement: { readonly text?: string }, ...rest: unknown[]): unknown => {
          if (statement.text?.startsWith('LISTEN') !== true) return query(statement, ...rest)
          listens += 1
          return query({ text: 'SELECT 1' }, ...rest)
        }
        Object.assign(this, { query: withoutListen })
      }
    }
    const app = await backend().open({ poolSize: 2, extra: { Client: PooledClient } })
    const store = new TypeOrmTokenStore(app, { announceWrites: true, timeoutMs: 100 })
    const watch = store.watch!(() => undefined)
    watches.push(watch)
    await until(() => listens === 2, 'it has tried twice')
    expect(watch.isLive()).toBe(false)
    expect((await new TypeOrmTokenStore(app).get(aKey())).version).toBe('absent')
  })
})
