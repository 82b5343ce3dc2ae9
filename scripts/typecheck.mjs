// Type-checks what no build compiles: the tests and the examples. The packages themselves are checked by the build.
import { existsSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { root } from './workspace.mjs'

const examples = existsSync(join(root, 'examples')) ? readdirSync(join(root, 'examples')).sort() : []
const folders = ['test', 'bench', ...examples.map((name) => `examples/${name}`)]
const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')

for (const folder of folders) {
  if (!existsSync(join(root, folder, 'tsconfig.json'))) continue
  const { status } = spawnSync(process.execPath, [tsc, '--noEmit', '--project', folder], {
    cwd: root,
    stdio: 'inherit',
  })
  if (status !== 0) process.exitCode = 1
}
