// Builds every package, or the packages named on the command line, in dependency order: an ESM and a CommonJS pass each.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { packageFolders, root } from './workspace.mjs'

const OUTPUT = /\.(?:d\.ts|js)(?:\.map)?$/

/** Compiles the named packages and what they depend on; all of them, and the examples, when none is named. Returns tsc's exit code. */
export function build(names) {
  const packages = names ?? packageFolders()
  for (const name of packages) removeOrphans(name)
  const projects = packages.flatMap((name) => [`packages/${name}`, `packages/${name}/tsconfig.cjs.json`])
  if (names === undefined) projects.push(...compiledExamples())
  const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
  const { status } = spawnSync(process.execPath, [tsc, '--build', ...projects], { cwd: root, stdio: 'inherit' })
  for (const name of packageFolders()) markCommonJs(name)
  return status ?? 1
}

/** The examples written in TypeScript; the others run as they are. */
function compiledExamples() {
  const examples = existsSync(join(root, 'examples')) ? readdirSync(join(root, 'examples')).sort() : []
  return examples.map((name) => `examples/${name}`).filter((folder) => existsSync(join(root, folder, 'src')))
}

/** The package says `"type": "module"`; without this marker Node would read the CommonJS files as ESM. */
function markCommonJs(name) {
  const folder = join(root, 'packages', name, 'dist/cjs')
  if (existsSync(folder)) writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n')
}

/** An output whose source is gone would still be published and still be importable. */
function removeOrphans(name) {
  for (const format of ['esm', 'cjs']) {
    const folder = join(root, 'packages', name, 'dist', format)
    if (!existsSync(folder)) continue
    for (const file of readdirSync(folder, { recursive: true })) {
      if (!OUTPUT.test(file)) continue
      const source = join(root, 'packages', name, 'src', file.replace(OUTPUT, '.ts'))
      if (!existsSync(source)) rmSync(join(folder, file))
    }
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const names = process.argv.slice(2)
  process.exitCode = build(names.length > 0 ? names : undefined)
}
