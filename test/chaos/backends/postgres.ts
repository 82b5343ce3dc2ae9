import { migrateTokenDatabase } from '@shopify-tokens/typeorm-store/from-environment'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import { startPostgres } from '../../own-servers.js'
import type { AuditedWrite } from '../write-audit.js'
import type { Backend } from './backend.js'

const TRIGGERS = `
  CREATE TABLE chaos_writes (n bigserial PRIMARY KEY, shop text, replaced text, written text);
  CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF TG_OP = 'INSERT' THEN
      INSERT INTO chaos_writes (shop, replaced, written) VALUES (NEW.shop, NULL, NEW.version);
    ELSE
      INSERT INTO chaos_writes (shop, replaced, written) VALUES (NEW.shop, OLD.version, NEW.version);
    END IF;
    RETURN NEW;
  END $$;
  CREATE TRIGGER chaos_note AFTER INSERT OR UPDATE ON shopify_tokens FOR EACH ROW EXECUTE FUNCTION chaos_note();`

/** A PostgreSQL of the run's own. */
export async function postgresBackend(outageMs: number): Promise<Backend> {
  const server = await startPostgres()
  const connected = async <T>(work: (client: Client) => Promise<T>): Promise<T> => {
    const client = new Client({ connectionString: server.url })
    client.on('error', () => undefined)
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  const run = (...statements: readonly string[]): Promise<void> =>
    connected(async (client) => {
      for (const statement of statements) await client.query(statement)
    })
  await migrateTokenDatabase({ url: server.url })
  await run(TRIGGERS)
  const version = await connected(async (client) => (await client.query<{ v: string }>('SHOW server_version')).rows)
  return {
    databaseUrl: server.url,
    redisUrl: null,
    versions: { PostgreSQL: Object.values(version[0] ?? {}).join() },
    outages: [
      { name: 'store restarted', strike: () => server.restart('fast') },
      { name: 'store crashed', strike: () => server.restart('immediate') },
      {
        name: 'store read-only',
        async strike() {
          await run('ALTER SYSTEM SET default_transaction_read_only = on', 'SELECT pg_reload_conf()')
          await sleep(outageMs)
          await run(
            'SET default_transaction_read_only = off',
            'ALTER SYSTEM RESET default_transaction_read_only',
            'SELECT pg_reload_conf()',
          )
        },
      },
      {
        name: 'store frozen',
        strike: () =>
          connected(async (client) => {
            await client.query('BEGIN')
            await client.query('LOCK TABLE shopify_tokens IN ACCESS EXCLUSIVE MODE')
            await sleep(outageMs)
            await client.query('ROLLBACK')
          }),
      },
      {
        name: 'connections cut',
        strike: () => run('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()'),
      },
    ],
    audit: () =>
      connected(async (client) => {
        const query = 'SELECT shop, replaced AS before, written AS after FROM chaos_writes ORDER BY n'
        return (await client.query<AuditedWrite>(query)).rows
      }),
    close: () => server.stop(),
  }
}
