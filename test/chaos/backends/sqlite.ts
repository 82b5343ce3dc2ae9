import { openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import Database from 'better-sqlite3'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { AuditedWrite } from '../write-audit.js'
import type { Backend } from './backend.js'

const TRIGGERS = `
  CREATE TABLE chaos_writes (n INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT, replaced TEXT, written TEXT);
  CREATE TRIGGER chaos_insert AFTER INSERT ON shopify_tokens BEGIN
    INSERT INTO chaos_writes (shop, replaced, written) VALUES (NEW.shop, NULL, NEW.version);
  END;
  CREATE TRIGGER chaos_update AFTER UPDATE ON shopify_tokens BEGIN
    INSERT INTO chaos_writes (shop, replaced, written) VALUES (NEW.shop, OLD.version, NEW.version);
  END;`

/** One file that all workers have open. */
export async function sqliteBackend(outageMs: number): Promise<Backend> {
  const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-chaos-'))
  const file = join(folder, 'tokens.sqlite')
  const configuration = { database: { kind: 'embedded', file }, sealing: null } as const
  const opened = openTokenStore({ configuration, announce: () => undefined })
  await opened.ready()
  await opened.close()
  const database = new Database(file, { timeout: 5_000 })
  database.exec(TRIGGERS)
  const { version } = database.prepare('SELECT sqlite_version() AS version').get() as { version: string }
  return {
    databaseUrl: `sqlite:${file}`,
    redisUrl: null,
    versions: { SQLite: version },
    outages: [
      {
        name: 'store read-only',
        async strike() {
          database.exec('BEGIN IMMEDIATE')
          await sleep(outageMs)
          database.exec('ROLLBACK')
        },
      },
    ],
    async audit() {
      const rows = database.prepare('SELECT shop, replaced AS before, written AS after FROM chaos_writes ORDER BY n')
      return rows.all() as AuditedWrite[]
    },
    async close() {
      database.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
