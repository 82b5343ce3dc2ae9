import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** The root package.json. */
export const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** The pinned package manager, as `npx` wants it. Its one home is `packageManager` in the root package.json. */
export const pnpm = manifest.packageManager

/** The folder names of the published packages, alphabetically. */
export function packageFolders() {
  const folders = readdirSync(join(root, 'packages'))
  return folders.filter((name) => existsSync(join(root, 'packages', name, 'package.json'))).sort()
}
