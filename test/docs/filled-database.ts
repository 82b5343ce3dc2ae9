import { Secret, type TokenRecord } from '@shopify-tokens/core'
import { aKey } from '@shopify-tokens/testing'
import { migrateTokenDatabase, openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { DataSource } from 'typeorm'
import type { TestDatabase } from '../servers.js'

/** A database with our tables and some rows, for the queries of a document. */
export interface FilledDatabase {
  query(sql: string, parameters?: unknown[]): Promise<Record<string, unknown>[]>
  end(): Promise<void>
}

/** @param rows by the first part of their shops' domains */
export async function fillDatabase(
  type: 'postgres' | 'mariadb',
  create: () => Promise<TestDatabase>,
  rows: Readonly<Record<string, TokenRecord>>,
): Promise<FilledDatabase> {
  const database = await create()
  await migrateTokenDatabase({ url: database.url })
  const { store, close } = openTokenStore({
    configuration: {
      database: { kind: 'server', url: new Secret(database.url) },
      sealing: { kind: 'keys', keys: [{ id: 'k1', bytes: Buffer.alloc(32, 1) }] },
    },
    announce: () => undefined,
  })
  for (const [name, record] of Object.entries(rows)) await store.put(aKey({ shop: name }), record, 'absent')
  await close()
  const connection = await new DataSource({ type, url: database.url }).initialize()
  return {
    query: (sql, parameters) => connection.query(sql, parameters),
    async end() {
      await connection.destroy()
      await database.drop()
    },
  }
}
