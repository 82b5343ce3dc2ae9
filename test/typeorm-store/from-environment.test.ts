import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rename, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import {
  type EnvironmentConfiguration,
  fingerprint,
  InvalidOptionError,
  readEnvironment,
  sealedStore,
  Secret,
  type StoreUnavailableError,
} from '@shopify-tokens/core'
import { aKey, aRecord } from '@shopify-tokens/testing'
import {
  migrateTokenDatabase,
  type OpenedTokenStore,
  openTokenManager,
  openTokenStore,
  type OpenTokenStoreOptions,
} from '@shopify-tokens/typeorm-store/from-environment'
import { DataSource } from 'typeorm'
import { embeddedOptions } from '../../packages/typeorm-store/src/environment/embedded-file.js'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer, type TestDatabase } from '../servers.js'

const EMBEDDED = { database: { kind: 'embedded', file: null }, sealing: null } as const
const KEYS = `one:${Buffer.alloc(32, 7).toString('base64')}`

const opened: OpenedTokenStore[] = []
const lines: string[] = []
const home = process.cwd()
let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-'))
  process.chdir(folder)
})
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close()
  lines.splice(0)
  process.chdir(home)
  await rm(folder, { recursive: true })
})

function open(options: OpenTokenStoreOptions): OpenedTokenStore {
  const store = openTokenStore({ announce: (line) => lines.push(line), ...options })
  opened.push(store)
  return store
}

/** The option error that `run` throws. */
function refusalOf(run: () => unknown): InvalidOptionError {
  try {
    run()
  } catch (error) {
    if (error instanceof InvalidOptionError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

async function modeOf(...path: string[]): Promise<string> {
  return ((await stat(join(folder, ...path))).mode & 0o777).toString(8)
}

describe('the embedded default', () => {
  it('keeps tokens for the next process, sealed, without any configuration', async () => {
    const [key, record] = [aKey(), aRecord.expiring()]
    const first = open({ configuration: EMBEDDED })
    await sealedStore(first.store, first.keyRing).put(key, record, 'absent')
    expect(JSON.stringify(await first.store.get(key))).not.toContain(record.accessToken)
    await first.close()

    const second = open({ configuration: EMBEDDED })
    expect((await sealedStore(second.store, second.keyRing).get(key)).record).toEqual(record)
  })

  it('makes everything for this user alone, and nothing for git to commit', async () => {
    const { store, keyRing } = open({ configuration: EMBEDDED })
    await store.put(aKey(), aRecord.expiring(), 'absent')
    await keyRing.current()

    expect(await modeOf('.shopify-tokens')).toBe('700')
    for (const file of ['tokens.sqlite', 'tokens.sqlite-wal', 'tokens.sqlite.key']) {
      expect([file, await modeOf('.shopify-tokens', file)]).toEqual([file, '600'])
    }
    expect(await readFile('.shopify-tokens/.gitignore', 'utf8')).toBe('*\n')
  })

  it('says in one line where the tokens are, named files too', () => {
    open({ configuration: EMBEDDED })
    expect(lines).toEqual([
      'shopify-tokens: tokens are kept in .shopify-tokens/tokens.sqlite, ' +
        'sealed with .shopify-tokens/tokens.sqlite.key (for one machine and a local disk).',
    ])
    const named = {
      SHOPIFY_API_KEY: 'id',
      SHOPIFY_API_SECRET: 'secret',
      SHOPIFY_TOKENS_DATABASE_URL: 'sqlite:a.sqlite',
    }
    open({ configuration: readEnvironment({ ...named, SHOPIFY_TOKENS_SEALING_KEYS: KEYS }) })
    expect(lines[1]).toBe('shopify-tokens: tokens are kept in a.sqlite (for one machine and a local disk).')
  })

  it('opens nothing before it is asked to', async () => {
    const store = open({ configuration: EMBEDDED })
    expect(existsSync('.shopify-tokens')).toBe(false)
    await store.ready()
    expect(existsSync('.shopify-tokens/tokens.sqlite')).toBe(true)
  })

  it('writes ahead, and to the disk before it acknowledges', async () => {
    const dataSource = await new DataSource(embeddedOptions('tokens.sqlite')).initialize()
    expect(await dataSource.query('PRAGMA journal_mode')).toEqual([{ journal_mode: 'wal' }])
    expect(await dataSource.query('PRAGMA synchronous')).toEqual([{ synchronous: 2 }])
    expect(await dataSource.query('PRAGMA busy_timeout')).toEqual([{ timeout: 50 }])
    await dataSource.destroy()
  })

  it('is opened by several processes at once, which find one table and one key', async () => {
    const stores = Array.from({ length: 5 }, () => open({ configuration: EMBEDDED }))
    await Promise.all(stores.map((store) => store.ready()))
    const keys = await Promise.all(stores.map(async ({ keyRing }) => keyRing.current()))
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1)
    const key = aKey()
    await stores[0]!.store.put(key, aRecord.empty(), 'absent')
    expect((await stores[4]!.store.get(key)).record).toEqual(aRecord.empty())
  })

  it('never makes a second key when the first has gone', async () => {
    const { keyRing } = open({ configuration: EMBEDDED })
    const { id } = await keyRing.current()
    await rename('.shopify-tokens/tokens.sqlite.key', 'elsewhere')
    await expect(keyRing.byId('another')).rejects.toThrow()
    expect((await keyRing.current()).id).toBe(id)
    expect(existsSync('.shopify-tokens/tokens.sqlite.key')).toBe(false)
  })

  it('leaves a folder that it has not made as it is', async () => {
    const { ready } = open({ configuration: { ...EMBEDDED, database: { kind: 'embedded', file: 'tokens.sqlite' } } })
    await ready()
    expect(existsSync('.gitignore')).toBe(false)
    expect(await modeOf('tokens.sqlite')).toBe('600')
  })

  it('refuses a database in memory', () => {
    const configuration = { ...EMBEDDED, database: { kind: 'embedded', file: ':memory:' } } as const
    expect(refusalOf(() => openTokenStore({ configuration })).options).toEqual(['SHOPIFY_TOKENS_DATABASE_URL'])
  })

  it('refuses options that it does not know', () => {
    const misspelt = { configuration: EMBEDDED, anounce: () => undefined }
    expect(refusalOf(() => openTokenStore(misspelt)).options).toEqual(['anounce'])
  })

  it('says what failed when the file cannot be made', async () => {
    const configuration = { ...EMBEDDED, database: { kind: 'embedded', file: '/dev/null/tokens.sqlite' } } as const
    await expect(open({ configuration }).ready()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it('refuses every call once it is closed', async () => {
    const { store, ready, close } = open({ configuration: EMBEDDED })
    await ready()
    await close()
    await close()
    await expect(store.get(aKey())).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await expect(ready()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })
})

describe('a manager over the environment', () => {
  const env = { SHOPIFY_API_KEY: 'test-app', SHOPIFY_API_SECRET: 'secret', SHOPIFY_API_VERSION: '2026-10' }

  it('serves tokens from the embedded store, and closes both', async () => {
    const configuration = readEnvironment(env)
    const [key, record] = [aKey(), aRecord.expiring({ obtainedAt: Date.now(), secretId: fingerprint('secret') })]
    const { store, keyRing } = open({ configuration })
    await sealedStore(store, keyRing).put(key, record, 'absent')

    const { tokens, ready, close } = openTokenManager(configuration, { announce: (line) => lines.push(line) })
    await ready()
    expect((await tokens.token(key.shop)).value).toBe(record.accessToken)
    await close()
    await expect(ready()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
  })

  it.each([
    ['the environment itself', { ...env }],
    ['nothing', null],
    ['an URL that is no Secret', { ...readEnvironment(env), database: { kind: 'server', url: 'postgres://a:b@c/d' } }],
  ])('refuses %s in the place of what readEnvironment() returns', (_what, configuration) => {
    const refusal = refusalOf(() => openTokenManager(configuration as unknown as EnvironmentConfiguration))
    expect(refusal.message).toMatch(/^Option configuration must be what readEnvironment\(\) returns; got /)
    expect(refusal.options).toEqual(['configuration'])
  })

  it.each([
    ['never', {}, 'ERR_INVALID_OPTION'],
    ['never', { renewal: undefined }, 'ERR_INVALID_OPTION'],
    ['never', { renewal: 'lazy' }, 'ERR_REAUTHORIZATION_REQUIRED'],
    ['lazy', { renewal: 'never' }, 'ERR_INVALID_OPTION'],
    [undefined, {}, 'ERR_REAUTHORIZATION_REQUIRED'],
  ] as const)('only reads, or renews, as %s and then %j say: force ends in %s', async (variable, overrides, code) => {
    const configuration = readEnvironment({ ...env, SHOPIFY_TOKENS_RENEWAL: variable })
    const { tokens, close } = openTokenManager(configuration, { ...overrides, announce: () => undefined })

    await expect(tokens.force(aKey().shop)).rejects.toMatchObject({ code })
    await close()
  })

  it('refuses what the manager refuses', () => {
    const overrides = { leaseMs: -1, announce: () => undefined }
    expect(refusalOf(() => openTokenManager(readEnvironment(env), overrides)).options).toEqual(['leaseMs'])
  })
})

describe('in production', () => {
  it('refuses to begin without a named database and keys, and names all that is missing', () => {
    const { message, options } = refusalOf(() =>
      openTokenStore({ configuration: readEnvironment({ NODE_ENV: 'production' }) }),
    )
    const [database, keys] = ['SHOPIFY_TOKENS_DATABASE_URL', 'SHOPIFY_TOKENS_SEALING_KEYS']
    expect(options).toEqual(expect.arrayContaining([database, keys]))
    for (const part of [database, keys, 'gone with its container']) expect(message).toContain(part)
  })

  it('refuses a database server without sealing keys', () => {
    const url = new Secret('postgres://host/database')
    const configuration = { database: { kind: 'server', url }, sealing: null } as const
    expect(refusalOf(() => openTokenStore({ configuration })).options).toEqual(['SHOPIFY_TOKENS_SEALING_KEYS'])
  })
})

describe('a database URL', () => {
  const openUrl = (url: string): OpenedTokenStore =>
    open({
      configuration: readEnvironment({
        SHOPIFY_API_KEY: 'id',
        SHOPIFY_API_SECRET: 'secret',
        SHOPIFY_TOKENS_DATABASE_URL: url,
        SHOPIFY_TOKENS_SEALING_KEYS: KEYS,
      }),
    })

  it.each([
    ['without a database', 'postgres://user:hunter2@host'],
    ['with a parameter that means nothing here', 'mysql://user:hunter2@host/db?sslmode=require'],
    ['with an ssl parameter that is not understood', 'mariadb://user:hunter2@host/db?ssl=perhaps'],
    ['that is none', 'postgres://user:hunter2@host:port/db'],
  ])('is refused at once %s, without being repeated', (_, url) => {
    const { message, options } = refusalOf(() => openUrl(url))
    expect(options).toEqual(['SHOPIFY_TOKENS_DATABASE_URL'])
    expect(message).not.toContain('hunter2')
  })

  it('where nobody answers makes calls reject without repeating it', async () => {
    const store = openUrl('postgres://user:hunter2@127.0.0.1:1/db')
    const error = (await store.ready().catch((reason: unknown) => reason)) as StoreUnavailableError
    expect(error).toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    expect(error.message).toContain('ECONNREFUSED')
    expect(inspect(error, { depth: Infinity, showHidden: true })).not.toContain('hunter2')
  })

  function suiteOn(create: () => Promise<TestDatabase>): void {
    let database: TestDatabase
    beforeEach(async () => {
      database = await create()
    })
    afterEach(async () => {
      for (const store of opened.splice(0)) await store.close()
      await database.drop()
    })

    it('is never migrated by opening it; the error says how, and the same store works afterwards', async () => {
      const { store } = openUrl(database.url)
      await expect(store.get(aKey())).rejects.toThrow(/run migrateTokenDatabase\(\)/)
      expect(await migrateTokenDatabase({ url: database.url })).toHaveLength(3)
      expect(await migrateTokenDatabase({ url: database.url })).toEqual([])
      expect((await store.get(aKey())).version).toBe('absent')
      expect(lines).toEqual([])
    })
  }
  describeWithServer('PostgreSQL', 'of PostgreSQL', () => {
    suiteOn(createPostgresDatabase)
  })
  describeWithServer('MariaDB', 'of MariaDB', () => {
    suiteOn(createMariaDbDatabase)
  })
})
