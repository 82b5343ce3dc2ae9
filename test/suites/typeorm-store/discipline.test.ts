import { inspect } from 'node:util'
import { aKey, aRecord } from '@shopify-tokens/testing'
import { TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource } from 'typeorm'
import { create, onEveryDatabase } from './backends.js'
import { refuseMintedForRejected } from './database-faults.js'

const UNAVAILABLE = { code: 'ERR_STORE_UNAVAILABLE' }

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
    await refuseMintedForRejected(backend())
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
    const store = new TypeOrmTokenStore(app, { timeoutMs: hasPool ? 5_000 : 100 })
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
})
