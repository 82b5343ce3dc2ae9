import { inspect } from 'node:util'
import { type RecordKey, type TokenStore, type Version } from '@shopify-tokens/core'
import { aKey, aRecord, FakeClock } from '@shopify-tokens/testing'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource } from 'typeorm'
import { createMariaDbDatabase, createPostgresDatabase } from '../../servers.js'
import { type Backend, onEveryDatabase } from './backends.js'

const UNAVAILABLE = { code: 'ERR_STORE_UNAVAILABLE' }

async function create(store: TokenStore, key: RecordKey, record = aRecord.expiring()): Promise<Version> {
  const result = await store.put(key, record, 'absent')
  if (result.outcome !== 'written') throw new Error('the row was there already')
  return result.version
}

onEveryDatabase((backend, type) => {
  const hasPool = type !== 'better-sqlite3'

  it('writes for one of 50 writers, in 20 rounds of 20', async () => {
    const stores = [new TypeOrmTokenStore(await backend().open()), new TypeOrmTokenStore(await backend().open())]
    const key = aKey()
    let version = await create(stores[0]!, key)
    for (let round = 0; round < 20; round += 1) {
      const results = await Promise.all(
        Array.from({ length: 50 }, (_, writer) => stores[writer % 2]!.put(key, aRecord.expiring(), version)),
      )
      const written = results.flatMap((result) => (result.outcome === 'written' ? [result.version] : []))
      expect(written).toHaveLength(1)
      version = written[0]!
    }
  }, 30_000)

  it('touches nothing when it is built, and refuses calls before the DataSource is initialized', async () => {
    const dataSource = new DataSource(backend().owner.options)
    const store = new TypeOrmTokenStore(dataSource)
    expect(dataSource.isInitialized).toBe(false)
    await expect(store.get(aKey())).rejects.toMatchObject(UNAVAILABLE)
    await expect(store.put(aKey(), aRecord.empty(), 'absent')).rejects.toMatchObject(UNAVAILABLE)
  })

  it('shows no token to the logger of the DataSource, and none in an error', async () => {
    const logged: unknown[] = []
    const log = (...things: unknown[]): number => logged.push(things)
    const logger = {
      logQuery: log,
      logQueryError: log,
      logQuerySlow: log,
      logSchemaBuild: log,
      logMigration: log,
      log,
    }
    const dataSource = await backend().open({ logging: 'all', logger, maxQueryExecutionTime: 0.001 })
    const store = new TypeOrmTokenStore(dataSource)
    await create(store, aKey())
    await refuseStaticTokens(backend())
    const error: unknown = await create(store, aKey(), aRecord.expiring({ mintedForRejected: true })).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject(UNAVAILABLE)
    for (const seen of [error, logged]) {
      expect(inspect(seen, { depth: Infinity, showHidden: true, maxStringLength: Infinity })).not.toMatch(/shp[ar]t_/)
    }
  })

  it('calls it unreadable, and not written, when one write has changed several rows', async () => {
    const { owner } = backend()
    const key = aKey()
    const version = await create(new TypeOrmTokenStore(owner), key)
    await owner.query(`CREATE TABLE loose_tokens AS SELECT * FROM shopify_tokens WHERE shop = '${key.shop}'`)
    await owner.query('INSERT INTO loose_tokens SELECT * FROM loose_tokens')
    const store = new TypeOrmTokenStore(owner, { tableName: 'loose_tokens' })
    await expect(store.put(key, aRecord.empty(), version)).rejects.toMatchObject({ code: 'ERR_STORE_UNREADABLE' })
  })

  it('writes apart from a transaction to which a library has bound the whole DataSource', async () => {
    const app = await backend().open()
    const key = aKey()
    const store = new TypeOrmTokenStore(app, { timeoutMs: 100 })
    const runner = app.createQueryRunner()
    await runner.startTransaction()
    await runner.query('SELECT 1')
    Object.defineProperty(app, 'manager', { value: runner.manager })
    app.query = (sql: string, parameters?: unknown[]) => runner.query(sql, parameters) as never
    app.createQueryBuilder = () => runner.manager.createQueryBuilder() as never

    const outcome = await create(store, key).then(
      () => 'written',
      () => 'refused',
    )
    await runner.rollbackTransaction()
    await runner.release()
    expect(outcome).toBe(hasPool ? 'written' : 'refused')
    expect((await store.get(key)).version === 'absent').toBe(outcome === 'refused')
  })

  it('gives back every connection, whatever came of the call', async () => {
    const app = await backend().open({ poolSize: 1 })
    const store = new TypeOrmTokenStore(app)
    const key = aKey()
    const version = await create(store, key)
    const { clientId } = key
    for (let round = 0; round < 5; round += 1) {
      await store.put(key, aRecord.empty(), 'absent')
      await store.ask(key)
      for await (const { revision } of store.scan({ clientId, pageSize: 1 })) if (revision > 0) break
      await expect(new TypeOrmTokenStore(app, { tableName: 'nothing' }).get(key)).rejects.toMatchObject(UNAVAILABLE)
    }
    expect((await store.get(key)).version).toBe(version)
    expect(await app.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  if (hasPool) {
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
      const { url } = owner.options as { url: string }
      const replication = { master: { url }, slaves: [{ url: empty.url }] }
      const app = await backend().open({ url: undefined, replication })
      const replica = app.createQueryBuilder().select('1').from('shopify_tokens', 't')
      await expect(replica.getRawMany()).rejects.toThrow()
      const store = new TypeOrmTokenStore(app)
      const key = aKey()
      const version = await create(store, key)
      expect((await store.get(key)).version).toBe(version)
      for await (const row of store.scan({ clientId: 'test-app', after: undefined }))
        expect(row.revision).toBeGreaterThan(0)
      await app.destroy()
      await empty.drop()
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
  }

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

  if (!hasPool) {
    describe('sharing the one connection of a SQLite DataSource', () => {
      const begun = async (): Promise<{ clock: FakeClock; app: DataSource; store: TokenStore }> => {
        const clock = new FakeClock()
        const app = await backend().open()
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
        const refused = [store.get(aKey()), store.put(aKey(), aRecord.empty(), 'absent'), store.ask(aKey())].map(
          (call) => expect(call).rejects.toThrow(/give the token store a DataSource of its own/),
        )
        await clock.advance(2_000)
        await Promise.all(refused)
        await app.query('ROLLBACK')
      })

      it('waits without blocking while another process writes', async () => {
        const { clock, store } = await begun()
        const key = aKey()
        const version = await create(store, key)
        await backend().owner.query('BEGIN IMMEDIATE')
        const writing = store.put(key, aRecord.empty(), version)
        await clock.untilAsleep()
        await backend().owner.query('COMMIT')
        await clock.advance(100)
        expect(await writing).toMatchObject({ outcome: 'written' })
      })
    })
  }
})

/** From now on the database refuses rows minted for a rejected token, in an error that repeats the row where it can. */
async function refuseStaticTokens({ type, owner }: Backend): Promise<void> {
  if (type === 'better-sqlite3') {
    await owner.query(
      `CREATE TRIGGER refuse BEFORE INSERT ON shopify_tokens WHEN new.minted_for_rejected
       BEGIN SELECT RAISE(ABORT, 'refused'); END`,
    )
  } else {
    await owner.query(
      'ALTER TABLE shopify_tokens ADD CONSTRAINT refuse CHECK (NOT coalesce(minted_for_rejected, false))',
    )
  }
}

/** Makes the first update of the next connection fail in this way; answers how to stop it. */
async function failFirstUpdate(
  { type, owner }: Backend,
  failure: 'deadlock' | 'lock wait',
): Promise<() => Promise<void>> {
  if (type === 'postgres') {
    const state = failure === 'deadlock' ? '40P01' : '55P03'
    await owner.query('CREATE SEQUENCE tried')
    await owner.query('GRANT USAGE ON SEQUENCE tried TO PUBLIC')
    await owner.query(
      `CREATE FUNCTION fail() RETURNS trigger AS $$ BEGIN
         IF nextval('tried') = 1 THEN RAISE EXCEPTION 'as told' USING ERRCODE = '${state}'; END IF;
         RETURN new;
       END $$ LANGUAGE plpgsql`,
    )
    await owner.query('CREATE TRIGGER fail BEFORE UPDATE ON shopify_tokens FOR EACH ROW EXECUTE FUNCTION fail()')
    return async () => {
      await owner.query('DROP FUNCTION fail CASCADE')
      await owner.query('DROP SEQUENCE tried')
    }
  }
  const errno = failure === 'deadlock' ? 1213 : 1205
  await owner.query(
    `CREATE TRIGGER fail BEFORE UPDATE ON shopify_tokens FOR EACH ROW BEGIN
       IF @tried IS NULL THEN
         SET @tried = 1;
         SIGNAL SQLSTATE '40001' SET MYSQL_ERRNO = ${errno}, MESSAGE_TEXT = 'as told';
       END IF;
     END`,
  )
  return async () => {
    await owner.query('DROP TRIGGER fail')
  }
}
