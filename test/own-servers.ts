import { missingPrograms, type OwnServerName } from './own-servers/binaries.js'
import { OwnServer } from './own-servers/own-server.js'
import { recipes } from './own-servers/recipes.js'

export type { OwnServerName } from './own-servers/binaries.js'
export type { Ending, OwnServer } from './own-servers/own-server.js'
export { missingPrograms }

/**
 * Declares a suite that starts servers of its own. Where their programs are missing, the suite is declared as skipped
 * under a title that names them; the run fails if skipping is not allowed.
 */
export function describeWithOwnServers(servers: readonly OwnServerName[], title: string, body: () => void): void {
  const missing = servers.flatMap(missingPrograms)
  if (missing.length > 0) describe.skip(`${title} [skipped: this machine has no ${missing.join(', ')}]`, body)
  else describe(title, body)
}

/** Starts a PostgreSQL; `postgres` may do everything without a password. As root it runs as the user `postgres`. */
export function startPostgres(): Promise<OwnServer> {
  return OwnServer.start(recipes.PostgreSQL)
}

/** Starts a MariaDB with an empty database `test`; `root` may do everything without a password. */
export function startMariaDb(): Promise<OwnServer> {
  return OwnServer.start(recipes.MariaDB)
}

/** Starts a Redis without persistence: a restart forgets everything. */
export function startRedis(): Promise<OwnServer> {
  return OwnServer.start(recipes.Redis)
}
