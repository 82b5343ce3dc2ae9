import { existsSync, readdirSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** The servers that can be started here, by the names that test/servers.ts uses. */
export type OwnServerName = 'PostgreSQL' | 'MariaDB' | 'Redis'

const NEEDED: Readonly<Record<OwnServerName, readonly string[]>> = {
  PostgreSQL: ['initdb', 'postgres'],
  MariaDB: ['mariadb-install-db', 'mariadbd'],
  Redis: ['redis-server'],
}

/** Names the programs that this machine lacks to start such a server; none if it can. */
export function missingPrograms(server: OwnServerName): readonly string[] {
  return NEEDED[server].filter((name) => findProgram(name) === undefined)
}

/** Where a program is. Throws, naming it, if it is nowhere. */
export function programPath(name: string): string {
  const path = findProgram(name)
  if (path === undefined) throw new Error(`This machine has no ${name}.`)
  return path
}

function findProgram(name: string): string | undefined {
  return folders()
    .map((folder) => join(folder, name))
    .find((path) => existsSync(path))
}

/** `PATH`, the folders for administrators, which it often leaves out, and Debian's folder of each PostgreSQL, newest first. */
function folders(): readonly string[] {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  const path = (process.env.PATH ?? '').split(delimiter)
  return [...path, '/usr/local/sbin', '/usr/sbin', ...versions.map((version) => join(debian, version, 'bin'))]
}
