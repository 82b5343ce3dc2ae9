import { Redis } from 'ioredis6'
import { createConnection } from 'mysql2/promise'
import { Client } from 'pg'
import type { OwnServerName } from './binaries.js'
import type { Recipe } from './recipe.js'

// What a killed process has handed to the kernel is not lost, so nothing here waits for the disk.

const postgres: Recipe = {
  owner: 'postgres',
  setUp: ({ folder }) => ['initdb', '-D', folder, '-A', 'trust', '-U', 'postgres', '-E', 'UTF8', '--locale=C', '-N'],
  run: ({ folder, port }) => [
    ...(['postgres', '-D', folder, '-p', String(port), '-h', '127.0.0.1', '-k', ''] as const),
    ...['-c', 'fsync=off', '-c', 'max_connections=200', '-c', 'shared_buffers=32MB'],
  ],
  url: ({ port }) => `postgres://postgres@127.0.0.1:${String(port)}/postgres`,
  async ask(url) {
    const client = new Client({ connectionString: url, connectionTimeoutMillis: 2_000 })
    client.on('error', () => undefined)
    await client.connect()
    await client.end()
  },
  signals: { fast: 'SIGINT', immediate: 'SIGQUIT' },
}

const mariaDb: Recipe = {
  setUp: ({ folder, as }) => [
    ...(['mariadb-install-db', '--no-defaults', `--datadir=${folder}`] as const),
    ...['--auth-root-authentication-method=normal', ...asRoot(as)],
  ],
  run: ({ folder, port, as }) => [
    ...(['mariadbd', '--no-defaults', `--datadir=${folder}`, ...asRoot(as)] as const),
    ...[`--port=${String(port)}`, '--bind-address=127.0.0.1', `--socket=${folder}/socket`, `--pid-file=${folder}/pid`],
    ...['--skip-name-resolve', '--innodb-flush-log-at-trx-commit=2', '--innodb-buffer-pool-size=32M'],
  ],
  url: ({ port }) => `mysql://root@127.0.0.1:${String(port)}/test`,
  async ask(url) {
    const connection = await createConnection({ uri: url, connectTimeout: 2_000 })
    await connection.end()
  },
  signals: { fast: 'SIGTERM', immediate: 'SIGKILL' },
}

const redis: Recipe = {
  run: ({ folder, port }) => [
    ...(['redis-server', '--port', String(port), '--bind', '127.0.0.1'] as const),
    ...['--dir', folder, '--save', ''],
  ],
  url: ({ port }) => `redis://127.0.0.1:${String(port)}`,
  async ask(url) {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null })
    client.on('error', () => undefined)
    await client.connect()
    await client.ping()
    client.disconnect()
  },
  signals: { fast: 'SIGTERM', immediate: 'SIGKILL' },
}

/** How each server is set up and run. */
export const recipes: Readonly<Record<OwnServerName, Recipe>> = { PostgreSQL: postgres, MariaDB: mariaDb, Redis: redis }

/** MariaDB refuses to run as root unless it is told so. */
function asRoot({ uid }: { readonly uid?: number | undefined }): readonly string[] {
  return uid === undefined && process.getuid?.() === 0 ? ['--user=root'] : []
}
