import { aKey, aRecord, anAttempt } from '@shopify-tokens/testing'
import { tokenEntity, tokenMigrations, type TokenRow, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import type { DataSource } from 'typeorm'
import { type Backend, onEveryDatabase } from './backends.js'

/** What TypeORM would change so that the database is what the entities declare. */
async function drift(dataSource: DataSource): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log()
  return upQueries.map(({ query }) => query)
}

onEveryDatabase((backend, type) => {
  describe('the schema', () => {
    it('is after the migrations what the entity declares', async () => {
      expect(await drift(backend().owner)).toEqual([])
    })

    it('is not what the entity declares once a column or an index has gone', async () => {
      const { owner } = backend()
      const ofTable = type === 'mariadb' ? ' ON shopify_tokens' : ''
      await owner.query(`DROP INDEX idx_shopify_tokens_asked${ofTable}`)
      await owner.query('ALTER TABLE shopify_tokens DROP COLUMN predecessor')
      expect((await drift(owner)).length).toBeGreaterThan(0)

      await owner.query(`ALTER TABLE shopify_tokens ADD predecessor ${type === 'mariadb' ? 'mediumtext' : 'text'} NULL`)
      await owner.query('CREATE INDEX idx_shopify_tokens_asked ON shopify_tokens (client_id, asked_at, shop)')
      expect(await drift(owner)).toEqual([])
    })

    it('goes and comes back with its migrations, under another name too', async () => {
      const tableName = 'my_tokens'
      const dataSource = await backend().open({
        ...credentialsOf(backend()),
        entities: [tokenEntity(type, { tableName })],
        migrations: tokenMigrations({ tableName }),
        migrationsTableName: 'my_migrations',
      })
      await dataSource.runMigrations()
      expect(await drift(dataSource)).toEqual([])
      const store = new TypeOrmTokenStore(dataSource, { tableName })
      expect(await store.put(aKey(), aRecord.empty(), 'absent')).toMatchObject({ outcome: 'written', revision: 1 })

      expect(await store.deployments.write('app', 'production', null)).toBe(true)
      expect(await new TypeOrmTokenStore(backend().owner).deployments.read('app')).toBeNull()

      const delivery = { clientId: 'app', id: 'webhook:1' }
      expect(await store.deliveries.begin(delivery, 1_000)).toMatchObject({ outcome: 'run' })
      expect(await new TypeOrmTokenStore(backend().owner).deliveries.begin(delivery, 1_000)).toMatchObject({
        outcome: 'run',
      })

      await dataSource.undoLastMigration()
      await expect(store.deliveries.begin(delivery, 1_000)).rejects.toThrow(/run migrateTokenDatabase\(\)/)
      expect(await store.deployments.read('app')).toBe('production')
      await dataSource.undoLastMigration()
      await expect(store.deployments.read('app')).rejects.toThrow(/run migrateTokenDatabase\(\)/)
      expect((await store.get(aKey())).version).toBe('absent')
      await dataSource.undoLastMigration()
      await expect(store.get(aKey())).rejects.toThrow(/run migrateTokenDatabase\(\)/)
    })

    if (type === 'better-sqlite3') return
    it('lies where the DataSource puts its tables: behind its prefix, and in its schema', async () => {
      const { owner } = backend()
      if (type === 'postgres') await owner.query('CREATE SCHEMA apart')
      const dataSource = await backend().open({
        ...credentialsOf(backend()),
        ...(type === 'postgres' ? { schema: 'apart' } : {}),
        entityPrefix: 'my_',
        entities: [tokenEntity(type)],
        migrations: tokenMigrations(),
        migrationsTableName: 'migrations_apart',
      })
      await dataSource.runMigrations()
      expect(await drift(dataSource)).toEqual([])
      const store = new TypeOrmTokenStore(dataSource)
      await store.put(aKey(), aRecord.empty(), 'absent')
      await store.deployments.write('app', 'production', null)
      const table = type === 'postgres' ? 'apart.my_shopify_tokens' : 'my_shopify_tokens'
      expect(await owner.query(`SELECT shop FROM ${table}`)).toHaveLength(1)
      expect(await owner.query(`SELECT deployment FROM ${table}_deployments`)).toEqual([{ deployment: 'production' }])
      await store.deliveries.begin({ clientId: 'app', id: 'webhook:1' }, 1_000)
      expect(await owner.query(`SELECT delivery FROM ${table}_deliveries`)).toEqual([{ delivery: 'webhook:1' }])
    })

    it('cannot be changed by the role of the app, which the store never needs to', async () => {
      const app = await backend().open()
      await expect(app.query('CREATE TABLE anything (id int)')).rejects.toThrow()
      await expect(app.query('DELETE FROM shopify_tokens')).rejects.toThrow()
      await expect(app.query('DELETE FROM shopify_tokens_deployments')).rejects.toThrow()
    })
  })

  describe('the entity', () => {
    it('shows rows to a repository, and their credentials only when they are named', async () => {
      const [key, record] = [aKey(), aRecord.expiring({ attempts: [anAttempt()] })]
      const { owner } = backend()
      await new TypeOrmTokenStore(owner).put(key, record, 'absent')
      const repository = owner.getRepository<TokenRow>('ShopifyToken')

      const row = await repository.findOneByOrFail({ shop: key.shop })
      expect({ ...row }).toMatchObject({ ...key, kind: 'expiring', marked: false, revision: 1 })
      expect(JSON.stringify(row)).not.toMatch(/shp[ar]t_|attempt-/)

      const named = await repository.findOneOrFail({ where: { shop: key.shop }, select: { accessToken: true } })
      expect(named.accessToken).toBe(record.accessToken)
    })

    it('writes nothing: neither a row saved whole nor an update reaches the table', async () => {
      const [key, record] = [aKey(), aRecord.expiring()]
      const { owner } = backend()
      const store = new TypeOrmTokenStore(owner)
      await store.put(key, record, 'absent')
      const before = await store.get(key)
      const repository = owner.getRepository<TokenRow>('ShopifyToken')

      const row = await repository.findOneByOrFail({ shop: key.shop })
      await repository.save({ ...row, kind: 'static', version: 'old' }).catch(() => undefined)
      await repository.update({ shop: key.shop }, { kind: 'static' }).catch(() => undefined)
      await repository.save({ ...row, shop: aKey().shop }).catch(() => undefined)

      expect({ ...(await store.get(key)), now: 0 }).toEqual({ ...before, now: 0 })
      expect(await repository.countBy({ clientId: key.clientId, kind: 'static' })).toBe(0)
    })
  })
})

/** How the owner of the table gets in. */
function credentialsOf({ owner }: Backend): object {
  const { url, database } = owner.options as { url?: string; database?: string }
  return url === undefined ? { database } : { url }
}
