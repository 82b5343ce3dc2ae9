// `pnpm chaos`: builds, compiles what it needs of the tests, and runs test/chaos/main.ts with the arguments it was given.
import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { transformSync } from '@swc/core'
import { build } from './build.mjs'
import { root } from './workspace.mjs'

const tests = join(root, 'test')
/** Ignored by git, like every `dist`. */
const output = join(tests, 'dist')
const results = join(tests, 'chaos/results')
const SOURCES = ['own-servers.ts', 'own-servers', 'chaos']

/** Node does not read TypeScript everywhere; `npm run typecheck` looks after the types. */
function compile(file) {
  const { code } = transformSync(readFileSync(file, 'utf8'), {
    filename: file,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' } },
    module: { type: 'es6' },
  })
  const path = join(output, relative(tests, file)).replace(/\.ts$/, '.js')
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, code)
}

function sources(path) {
  if (path.endsWith('.ts')) return [path]
  const names = readdirSync(path, { recursive: true })
  return names.filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts')).map((name) => join(path, name))
}

const args = process.argv.slice(2)
const isBuilt = args[0] === '--built'
const status = isBuilt ? 0 : build()
if (status === 0) {
  for (const source of SOURCES.flatMap((name) => sources(join(tests, name)))) compile(source)
  const rest = isBuilt ? args.slice(1) : args
  const kept = rest.includes('--short') ? [] : ['--results', results]
  const driver = spawn(process.execPath, [join(output, 'chaos/main.js'), ...kept, ...rest], { stdio: 'inherit' })
  // A terminal's Ctrl-C reaches the driver by itself.
  process.on('SIGINT', () => undefined)
  process.on('SIGTERM', () => driver.kill('SIGTERM'))
  process.exitCode = await new Promise((resolve) => driver.once('close', (code) => resolve(code ?? 1)))
} else {
  process.exitCode = status
}
