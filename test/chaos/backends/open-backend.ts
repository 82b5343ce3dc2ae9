import { Redis } from 'ioredis6'
import { setTimeout as sleep } from 'node:timers/promises'
import { missingPrograms, type OwnServerName, startRedis } from '../../own-servers.js'
import type { BackendName } from '../plan.js'
import type { Backend } from './backend.js'
import { mariaDbBackend } from './mariadb.js'
import { postgresBackend } from './postgres.js'
import { sqliteBackend } from './sqlite.js'

const SERVERS: Readonly<Record<BackendName, readonly OwnServerName[]>> = {
  sqlite: [],
  postgres: ['PostgreSQL'],
  mariadb: ['MariaDB'],
  'postgres+redis': ['PostgreSQL', 'Redis'],
}

/** Names the programs that this machine lacks for a backend. */
export function missingFor(name: BackendName): readonly string[] {
  return SERVERS[name].flatMap(missingPrograms)
}

/** Starts the servers of a backend. `outageMs`: how long its longer outages last. */
export function openBackend(name: BackendName, outageMs: number): Promise<Backend> {
  switch (name) {
    case 'sqlite':
      return sqliteBackend(outageMs)
    case 'postgres':
      return postgresBackend(outageMs)
    case 'mariadb':
      return mariaDbBackend(outageMs)
    case 'postgres+redis':
      return withRedis(postgresBackend(outageMs), outageMs)
  }
}

async function withRedis(opening: Promise<Backend>, outageMs: number): Promise<Backend> {
  const backend = await opening
  const server = await startRedis()
  const client = new Redis(server.url, { lazyConnect: true })
  const info = await client.info('server')
  client.disconnect()
  return {
    ...backend,
    redisUrl: server.url,
    versions: { ...backend.versions, Redis: /redis_version:(\S+)/.exec(info)?.[1] ?? '' },
    outages: [
      ...backend.outages,
      { name: 'Redis restarted', strike: () => server.restart('immediate') },
      {
        name: 'Redis away',
        async strike() {
          await server.halt('fast')
          await sleep(outageMs)
          await server.resume()
        },
      },
      {
        name: 'Redis frozen',
        async strike() {
          server.freeze()
          await sleep(outageMs)
          server.thaw()
        },
      },
    ],
    async close() {
      await server.stop()
      await backend.close()
    },
  }
}
