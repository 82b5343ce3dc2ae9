import { randomBytes } from 'node:crypto'
import { createTokenManager, fingerprint, type RecordKey, Secret } from '@shopify-tokens/core'
import { aKey, aRecord } from '@shopify-tokens/testing'
import {
  migrateTokenDatabase,
  openTokenStore,
  type StoreConfiguration,
} from '@shopify-tokens/typeorm-store/from-environment'
import { DataSource } from 'typeorm'
import { createMariaDbDatabase, createPostgresDatabase, describeWithServer, type TestDatabase } from '../servers.js'
import { MarkdownDocument } from './markdown.js'

const document = new MarkdownDocument('SECURITY.md')

interface Server {
  readonly type: 'postgres' | 'mariadb'
  /** The heading under which the statements stand: those before the first migration, then those after it. */
  readonly heading: string
  create(): Promise<TestDatabase>
  /** What removes a role again. */
  forget(role: string): readonly string[]
}

/** A database whose roles have exactly what the page says. Role names live in the server, so each run has its own. */
async function prepared({ type, heading, create, forget }: Server): Promise<{
  urlOf(role: string): string
  execute(role: string, statement: string): Promise<unknown>
  drop(): Promise<void>
}> {
  const database = await create()
  const suffix = randomBytes(6).toString('hex')
  const named = (text: string): string =>
    text.replace(/\bshopify_(migrations|app|asker|reader)\b/g, `$&_${suffix}`).replace(/\bapp\./g, `${database.name}.`)
  const connect = (url: string): Promise<DataSource> => new DataSource({ type, url }).initialize()
  const admin = await connect(database.url)
  const grant = async (part: string): Promise<void> => {
    for (const statement of named(part).split(';')) if (statement.trim() !== '') await admin.query(statement)
  }
  const urlOf = (role: string): string => {
    const url = new URL(database.url)
    url.username = named(role)
    url.password = ''
    return url.href
  }

  await grant(blockUnder(heading, 0).code)
  await migrateTokenDatabase({ url: urlOf('shopify_migrations') })
  await grant(blockUnder(heading, 1).code)
  return {
    urlOf,
    async execute(role, statement) {
      const connection = await connect(urlOf(role))
      try {
        return (await connection.query(statement)) as unknown
      } finally {
        await connection.destroy()
      }
    },
    async drop() {
      const roles = ['shopify_migrations', 'shopify_app', 'shopify_asker', 'shopify_reader'].map(named)
      for (const statement of roles.flatMap(forget)) await admin.query(statement)
      await admin.destroy()
      await database.drop()
    },
  }
}

function blockUnder(heading: string, index: number): { readonly code: string } {
  const from = document.headings.find(({ text }) => text === heading)?.line ?? Infinity
  const found = document.blocks.filter(({ language, line }) => language === 'sql' && line > from)[index]
  if (found === undefined) throw new Error(`SECURITY.md has no statements under ${heading}`)
  return found
}

function eachRoleHasWhatItNeeds(server: Server): void {
  let database: Awaited<ReturnType<typeof prepared>>

  beforeAll(async () => {
    database = await prepared(server)
  }, 30_000)
  afterAll(() => database.drop())

  function configurationOf(role: string): StoreConfiguration {
    return {
      database: { kind: 'server', url: new Secret(database.urlOf(role)) },
      sealing: { kind: 'keys', keys: [{ id: 'k1', bytes: Buffer.alloc(32, 1) }] },
    }
  }

  it('and the app can do all that a store does, and nothing else', async () => {
    const opened = openTokenStore({ configuration: configurationOf('shopify_app'), announce: () => undefined })
    const key: RecordKey = aKey({ shop: 'roles' })
    try {
      await opened.store.put(key, aRecord.expiring(), 'absent')
      const { version } = await opened.store.get(key)
      expect(await opened.store.put(key, aRecord.removed(), version)).toMatchObject({ outcome: 'written', revision: 2 })
      await opened.store.ask(key)
      for await (const row of opened.store.scan({ clientId: key.clientId })) expect(row.record.kind).toBe('removed')
      const { deployments } = opened.store
      expect(await deployments?.write(key.clientId, 'copy', null)).toBe(true)
      expect(await deployments?.write(key.clientId, 'production', 'copy')).toBe(true)
      expect(await deployments?.read(key.clientId)).toBe('production')
      const { deliveries } = opened.store
      const delivery = { clientId: key.clientId, id: 'webhook:1' }
      const state = await deliveries?.begin(delivery, 1_000)
      await deliveries?.finish(delivery, state?.outcome === 'run' ? state.claim : '')
      expect(await deliveries?.begin(delivery, 1_000)).toEqual({ outcome: 'done' })
    } finally {
      await opened.close()
    }
    await database.execute('shopify_app', 'DELETE FROM shopify_tokens_deliveries WHERE noted_at < 1')
    const forbidden = ['shopify_tokens', 'shopify_tokens_deployments', 'shopify_tokens_deliveries'].flatMap((table) => [
      ...(table === 'shopify_tokens_deliveries' ? [] : [`DELETE FROM ${table}`]),
      `DROP TABLE ${table}`,
    ])
    for (const statement of ['CREATE TABLE mine (a int)', ...forbidden]) {
      await expect(database.execute('shopify_app', statement)).rejects.toThrow(/denied|must be owner/)
    }
  })

  it('and a process that only reads can ask, and calls Shopify for nothing though it is told to renew', async () => {
    const asApp = openTokenStore({ configuration: configurationOf('shopify_app'), announce: () => undefined })
    const asked = openTokenStore({ configuration: configurationOf('shopify_asker'), announce: () => undefined })
    const key = aKey({ clientId: 'asked', shop: 'asked' })
    const fetch = jest.fn()
    try {
      await asApp.store.put(key, aRecord.expiring({ expiresAt: 1, secretId: fingerprint('secret') }), 'absent')
      const tokens = createTokenManager({
        ...{ clientId: key.clientId, clientSecret: 'secret', store: asked.store, fetch },
        sealing: 'unsealed-tokens-readable-in-store',
      })

      await asked.store.ask(key)
      await expect(tokens.token(key.shop)).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })

      expect(fetch).not.toHaveBeenCalled()
      const { askedAt, revision } = await asApp.store.get(key)
      expect({ askedAt, revision }).toEqual({ askedAt: expect.any(Number) as number, revision: 1 })
    } finally {
      await asked.close()
      await asApp.close()
    }
  })

  it('and the reader sees states, and no credential', async () => {
    const seen = await database.execute('shopify_reader', 'SELECT shop, kind, scopes, expires_at FROM shopify_tokens')
    expect(seen).toContainEqual(expect.objectContaining({ shop: 'roles.myshopify.com', kind: 'removed' }))
    for (const column of ['access_token', 'refresh_token', 'predecessor', 'alternates', 'attempts']) {
      const select = `SELECT ${column} FROM shopify_tokens`
      await expect(database.execute('shopify_reader', select)).rejects.toThrow(/denied/)
    }
  })
}

describeWithServer('PostgreSQL', 'the roles for PostgreSQL have what they need', () => {
  eachRoleHasWhatItNeeds({
    type: 'postgres',
    heading: 'PostgreSQL',
    create: createPostgresDatabase,
    forget: (role) => [`DROP OWNED BY ${role} CASCADE`, `DROP ROLE ${role}`],
  })
})

describeWithServer('MariaDB', 'the roles for MariaDB and MySQL have what they need', () => {
  eachRoleHasWhatItNeeds({
    type: 'mariadb',
    heading: 'MariaDB and MySQL',
    create: createMariaDbDatabase,
    forget: (role) => [`DROP USER ${role}`],
  })
})
