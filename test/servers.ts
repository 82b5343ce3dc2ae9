import { randomBytes } from 'node:crypto'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import { type ServerName, serverUrls } from './server-urls.mjs'

/** An empty database of its own for one suite, so that two runs on one server never meet. */
export interface TestDatabase {
  readonly url: string
  readonly name: string
  /** Ends every connection to the database and removes it. */
  drop(): Promise<void>
}

/**
 * Declares a suite that needs a real server. When the server does not answer, the suite is declared as skipped under a
 * title that says so; the run names the server once more, and fails if skipping is not allowed.
 */
export function describeWithServer(server: ServerName, title: string, body: () => void): void {
  if (isReachable(server)) describe(title, body)
  else describe.skip(`${title} [skipped: ${server} does not answer]`, body)
}

/** Whether it has answered when the run began. */
export function isReachable(server: ServerName): boolean {
  return !(process.env.SHOPIFY_TOKENS_TEST_UNREACHABLE ?? '').split(',').includes(server)
}

/** Creates an empty PostgreSQL database owned by the configured role. */
export async function createPostgresDatabase(): Promise<TestDatabase> {
  const admin = serverUrls().PostgreSQL
  const name = uniqueName()
  await runOnPostgres(admin, `CREATE DATABASE ${name}`)
  return {
    name,
    url: withDatabase(admin, name),
    drop: () => runOnPostgres(admin, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  }
}

/** Creates an empty MariaDB (or MySQL) database. */
export async function createMariaDbDatabase(): Promise<TestDatabase> {
  const admin = serverUrls().MariaDB
  const name = uniqueName()
  await runOnMariaDb(admin, `CREATE DATABASE ${name}`)
  return { name, url: withDatabase(admin, name), drop: () => runOnMariaDb(admin, `DROP DATABASE IF EXISTS ${name}`) }
}

/** The Redis server and a key prefix that no other run uses. Redis has no databases to create: delete your own keys. */
export function redisWithPrefix(): { readonly url: string; readonly prefix: string } {
  return { url: serverUrls().Redis, prefix: `${uniqueName()}:` }
}

/** Runs one statement on the PostgreSQL server at `url`, on a connection of its own. */
export async function runOnPostgres(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}

async function runOnMariaDb(url: string, statement: string): Promise<void> {
  const connection = await createConnection(url)
  try {
    await connection.query(statement)
  } finally {
    await connection.end()
  }
}

function uniqueName(): string {
  return `shopify_tokens_${String(process.pid)}_${randomBytes(6).toString('hex')}`
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url)
  changed.pathname = `/${name}`
  return changed.href
}
