import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecordKey, TokenStore, Version } from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'
import { type DatabaseType, tokenEntity, tokenMigrations } from '@shopify-tokens/typeorm-store'
import { DataSource, type DataSourceOptions } from 'typeorm'
import {
  createMariaDbDatabase,
  createPostgresDatabase,
  describeWithServer,
  runOnPostgres,
  type TestDatabase,
} from '../../servers.js'

/** Each table, and what the role of the app may do there. */
const GRANTS = {
  shopify_tokens: 'SELECT, INSERT, UPDATE',
  shopify_tokens_deployments: 'SELECT, INSERT, UPDATE',
  shopify_tokens_deliveries: 'SELECT, INSERT, UPDATE, DELETE',
}

/** A migrated database for one suite, and the ways into it. */
export interface Backend {
  readonly type: DatabaseType
  /** A DataSource as the role of the app, which may read and write the table and nothing else. */
  open(overrides?: Readonly<Record<string, unknown>>): Promise<DataSource>
  /** A DataSource as the role that owns the table. */
  readonly owner: DataSource
  /** Closes what was opened and removes the database. */
  close(): Promise<void>
}

/** Creates a row and answers its version. */
export async function create(store: TokenStore, key: RecordKey, record = aRecord.expiring()): Promise<Version> {
  const result = await store.put(key, record, 'absent')
  if (result.outcome !== 'written') throw new Error('the row was there already')
  return result.version
}

type Suite<Type> = (backend: () => Backend, type: Type) => void

/** Runs a suite on each database; `backend()` is there from `beforeAll` on. */
export function onEveryDatabase(suite: Suite<DatabaseType>): void {
  describe('on a SQLite file', on(sqliteBackend, 'better-sqlite3', suite))
  onEveryServer(suite)
}

/** Runs a suite on each database that is a server; `backend()` is there from `beforeAll` on. */
export function onEveryServer(suite: Suite<'postgres' | 'mariadb'>): void {
  const title = (server: string): string => `on ${server}, as a role that may change no schema`
  describeWithServer('PostgreSQL', title('PostgreSQL'), on(postgresBackend, 'postgres', suite))
  describeWithServer('MariaDB', title('MariaDB'), on(mariaDbBackend, 'mariadb', suite))
}

function on<Type extends DatabaseType>(start: () => Promise<Backend>, type: Type, suite: Suite<Type>): () => void {
  return () => {
    let backend: Backend
    beforeAll(async () => {
      backend = await start()
    })
    afterAll(() => backend.close())
    suite(() => backend, type)
  }
}

async function backend(
  type: DatabaseType,
  asOwner: object,
  asApp: () => Promise<object>,
  remove: () => Promise<void>,
): Promise<Backend> {
  const opened: DataSource[] = []
  const open = async (options: object): Promise<DataSource> => {
    const dataSource = new DataSource({ type, ...options } as DataSourceOptions)
    opened.push(dataSource)
    return dataSource.initialize()
  }
  const owner = await open({ ...asOwner, entities: [tokenEntity(type)], migrations: [...tokenMigrations()] })
  await owner.runMigrations()
  const app = await asApp()
  return {
    type,
    owner,
    open: (overrides) => open({ ...app, ...overrides }),
    async close() {
      for (const dataSource of opened) if (dataSource.isInitialized) await dataSource.destroy()
      await remove()
    },
  }
}

export async function sqliteBackend(): Promise<Backend> {
  const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-'))
  const options = {
    database: join(folder, 'tokens.sqlite'),
    timeout: 20,
    enableWAL: true,
    prepareDatabase: (database: { pragma(text: string): void }) => {
      database.pragma('synchronous = FULL')
    },
  }
  return backend(
    'better-sqlite3',
    options,
    async () => options,
    () => rm(folder, { recursive: true }),
  )
}

export async function postgresBackend(): Promise<Backend> {
  const database = await createPostgresDatabase()
  const role = roleName()
  const url = withUser(database, role)
  return backend(
    'postgres',
    { url: database.url },
    async () => {
      await runOnPostgres(database.url, `CREATE ROLE ${role} LOGIN`)
      await runOnPostgres(database.url, 'REVOKE CREATE ON SCHEMA public FROM PUBLIC')
      for (const [table, rights] of Object.entries(GRANTS)) {
        await runOnPostgres(database.url, `GRANT ${rights} ON ${table} TO ${role}`)
      }
      return { url, poolSize: 4 }
    },
    async () => {
      await runOnPostgres(database.url, `REVOKE ALL ON ${Object.keys(GRANTS).join(', ')} FROM ${role}`)
      await runOnPostgres(database.url, `DROP ROLE ${role}`)
      await database.drop()
    },
  )
}

async function mariaDbBackend(): Promise<Backend> {
  const database = await createMariaDbDatabase()
  const role = roleName()
  const asAdmin = async (statement: string): Promise<void> => {
    const admin = await new DataSource({ type: 'mariadb', url: database.url }).initialize()
    await admin.query(statement)
    await admin.destroy()
  }
  return backend(
    'mariadb',
    { url: database.url },
    async () => {
      await asAdmin(`CREATE USER ${role}@'%'`)
      for (const [table, rights] of Object.entries(GRANTS)) {
        await asAdmin(`GRANT ${rights} ON ${database.name}.${table} TO ${role}@'%'`)
      }
      return { url: withUser(database, role), poolSize: 4 }
    },
    async () => {
      await asAdmin(`DROP USER ${role}@'%'`)
      await database.drop()
    },
  )
}

function roleName(): string {
  return `tokens_${randomBytes(8).toString('hex')}`
}

function withUser({ url }: TestDatabase, user: string): string {
  const changed = new URL(url)
  changed.username = user
  changed.password = ''
  return changed.href
}
