import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

declare global {
  /** Set by the Jest project: its name, and the versions its package.json asks for. */
  var MATRIX: { readonly project: string; readonly versions: Readonly<Record<string, string>> }
}

/** The version of the package that owns `file`, a path that `require.resolve` answered. */
export function versionOf(file: string, name: string): string {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json')
    if (!existsSync(manifest)) continue
    const { name: found, version } = JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string; version?: string }
    if (found === name && version !== undefined) return version
  }
  throw new Error(`no package.json of ${name} above the file it resolved to`)
}
