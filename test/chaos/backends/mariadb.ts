import { migrateTokenDatabase } from '@shopify-tokens/typeorm-store/from-environment'
import { createConnection } from 'mysql2/promise'
import { setTimeout as sleep } from 'node:timers/promises'
import { startMariaDb } from '../../own-servers.js'
import type { AuditedWrite } from '../write-audit.js'
import type { Backend } from './backend.js'

const SET_UP = [
  // Who may do everything is not stopped by read_only.
  "CREATE USER app@'127.0.0.1'",
  "GRANT ALL PRIVILEGES ON test.* TO app@'127.0.0.1'",
  'CREATE TABLE chaos_writes (n bigint AUTO_INCREMENT PRIMARY KEY, shop text, replaced text, written text)',
  `CREATE TRIGGER chaos_insert AFTER INSERT ON shopify_tokens FOR EACH ROW
    INSERT INTO chaos_writes (shop, replaced, written) VALUES (NEW.shop, NULL, NEW.version)`,
  `CREATE TRIGGER chaos_update AFTER UPDATE ON shopify_tokens FOR EACH ROW
    INSERT INTO chaos_writes (shop, replaced, written) VALUES (NEW.shop, OLD.version, NEW.version)`,
]

/** A MariaDB of the run's own. */
export async function mariaDbBackend(outageMs: number): Promise<Backend> {
  const server = await startMariaDb()
  const ask = async (...statements: readonly string[]): Promise<unknown> => {
    const connection = await createConnection(server.url)
    try {
      let rows: unknown
      for (const statement of statements) [rows] = await connection.query(statement)
      return rows
    } finally {
      await connection.end()
    }
  }
  await migrateTokenDatabase({ url: server.url })
  await ask(...SET_UP)
  const [row] = (await ask('SELECT version() AS version')) as { version: string }[]
  const run = async (statement: string): Promise<void> => {
    await ask(statement)
  }
  return {
    databaseUrl: server.url.replace('root@', 'app@'),
    redisUrl: null,
    versions: { MariaDB: row?.version ?? '' },
    outages: [
      { name: 'store restarted', strike: () => server.restart('fast') },
      { name: 'store crashed', strike: () => server.restart('immediate') },
      {
        name: 'store read-only',
        async strike() {
          await run('SET GLOBAL read_only = 1')
          await sleep(outageMs)
          await run('SET GLOBAL read_only = 0')
        },
      },
      {
        name: 'store frozen',
        async strike() {
          server.freeze()
          await sleep(outageMs)
          server.thaw()
        },
      },
    ],
    async audit() {
      const query = 'SELECT shop, replaced AS `before`, written AS `after` FROM chaos_writes ORDER BY n'
      return (await ask(query)) as AuditedWrite[]
    },
    close: () => server.stop(),
  }
}
