import { tokenEntity, tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource, type DataSourceOptions } from 'typeorm'

const dataSource = new DataSource({ type: 'better-sqlite3', database: 'never-opened.sqlite' })

it.each<[string, object]>([
  ['tableName', { tableName: 'tokens; DROP TABLE users' }],
  ['tableName', { tableName: '' }],
  ['tableName', { tableName: 'x'.repeat(41) }],
  ['tableName', { tableName: 7 }],
  ['timeoutMs', { timeoutMs: 99 }],
  ['timeoutMs', { timeoutMs: 60_001 }],
  ['timeoutMs', { timeoutMs: NaN }],
  ['timeoutMs', { timeoutMs: '1000' }],
  ['tabelName', { tabelName: 'x' }],
  ['announceWrites', { announceWrites: 'yes' }],
])('refuses %s in %p when the store is built', (name, options) => {
  const build = (): unknown => new TypeOrmTokenStore(dataSource, options)
  expect(build).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [name] }) as Error)
})

it('refuses a DataSource of a database that it does not know', () => {
  const oracle = { options: { type: 'oracle' } } as unknown as DataSource
  expect(() => new TypeOrmTokenStore(oracle)).toThrow(/must be one of better-sqlite3, postgres, mysql, mariadb/)
  expect(() => tokenEntity('oracle' as 'postgres')).toThrow(/must be one of/)
})

it('refuses unusable table names in the entity and the migrations too', () => {
  expect(() => tokenEntity('postgres', { tableName: 'a b' })).toThrow(/tableName/)
  expect(() => tokenMigrations({ tableName: '1st' })).toThrow(/tableName/)
})

it('refuses pages of no row and of too many', async () => {
  const store = new TypeOrmTokenStore(dataSource)
  for (const pageSize of [0, 1_001, 1.5]) {
    await expect(store.scan({ clientId: 'app', pageSize }).next()).rejects.toThrow(/pageSize/)
  }
})

it('gives every table its own migration names, which end in their times', () => {
  const names = [{}, { tableName: 'others' }].map((options) =>
    tokenMigrations(options).map((Migration) => new Migration().name),
  )
  expect(names).toEqual([
    [
      'CreateShopifyTokens1795176000000',
      'CreateShopifyDeployments1795190400000',
      'CreateShopifyDeliveries1795204800000',
    ],
    [
      'CreateShopifyTokens_others_1795176000000',
      'CreateShopifyDeployments_others_1795190400000',
      'CreateShopifyDeliveries_others_1795204800000',
    ],
  ])
})

describe('announceWrites', () => {
  it.each<[string, DataSourceOptions]>([
    ['SQLite', { type: 'better-sqlite3', database: 'never-opened.sqlite' }],
    ['MySQL', { type: 'mysql' }],
    ['MariaDB', { type: 'mariadb' }],
    ['a pool of one', { type: 'postgres', poolSize: 1 }],
    ['a pool of one, as pg spells it', { type: 'postgres', poolSize: 4, extra: { max: 1 } }],
  ])('is refused on %s', (_title, options) => {
    const build = (): unknown => new TypeOrmTokenStore(new DataSource(options), { announceWrites: true })
    expect(build).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: ['announceWrites'] }) as Error)
  })

  it('gives a store its watch, which it does not have without', () => {
    const postgres = new DataSource({ type: 'postgres' })
    expect(new TypeOrmTokenStore(postgres).watch).toBeUndefined()
    expect(new TypeOrmTokenStore(dataSource, { announceWrites: false }).watch).toBeUndefined()
    expect(new TypeOrmTokenStore(postgres, { announceWrites: true }).watch).toBeInstanceOf(Function)
  })
})
