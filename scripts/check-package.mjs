// Packs one package as it would be published and runs publint and attw over the tarball: no ignores, no exceptions.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.mjs'
import { pnpm, root } from './workspace.mjs'

const name = process.argv[2]
const folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-pack-'))
const log = (chunk) => process.stdout.write(chunk)

try {
  const pack = ['--yes', pnpm, '--dir', join('packages', name), 'pack', '--pack-destination', folder]
  const packed = await run('npx', pack, { env: { npm_config_loglevel: 'error' } })
  if (packed.code !== 0) throw new Error(packed.output)
  const tarball = join(folder, readdirSync(folder)[0])
  const bin = (path) => join(root, 'node_modules', path)
  const publint = await run(process.execPath, [bin('publint/src/cli.js'), tarball, '--strict'], { log })
  const attw = await run(process.execPath, [bin('@arethetypeswrong/cli/dist/index.js'), tarball, '--no-color'], { log })
  process.exitCode = publint.code || attw.code
} finally {
  rmSync(folder, { recursive: true, force: true })
}
