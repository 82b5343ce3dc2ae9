import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)
const root = resolve(__dirname, '../..')
const windows = process.platform === 'win32'

let folder: string
let tarballs: Record<string, string>

/** Runs the pinned pnpm. Its store already holds what the workspace installed, the compiled database included. */
async function pnpm(cwd: string, ...args: readonly string[]): Promise<void> {
  const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as {
    packageManager: string
  }
  const env = { ...process.env, npm_config_loglevel: 'error' }
  await execute('npx', ['--yes', packageManager, ...args], { cwd, env, shell: windows, maxBuffer: 2 ** 24 }).catch(tell)
}

async function node(cwd: string, ...args: readonly string[]): Promise<string> {
  const { stdout } = await execute(process.execPath, args, { cwd, env: withoutJest() }).catch(tell)
  return stdout
}

/** Tools print what is wrong on stdout; an error of `execFile` shows stderr alone. */
function tell(error: Error & { stdout?: string }): never {
  throw new Error(`${error.message}\n${error.stdout ?? ''}`, { cause: error })
}

/** The consumer is no test: Jest's own variables would change what frameworks do. */
function withoutJest(): NodeJS.ProcessEnv {
  return { ...process.env, NODE_ENV: undefined, JEST_WORKER_ID: undefined }
}

/** Packs every package as for the registry. */
async function pack(to: string): Promise<Record<string, string>> {
  await pnpm(root, '--recursive', '--filter', './packages/*', 'pack', '--pack-destination', to)
  const files = (await readdir(to)).filter((file) => file.endsWith('.tgz'))
  const name = (file: string): string => file.replace(/^shopify-tokens-(.+)-\d+\.\d+\.\d+\.tgz$/, '@shopify-tokens/$1')
  return Object.fromEntries(files.map((file) => [name(file), `file:${join(to, file).replaceAll('\\', '/')}`]))
}

/** A project outside the workspace that has installed the tarballs and nothing of this repository. */
async function consumer(name: 'esm' | 'commonjs'): Promise<string> {
  const project = join(folder, name)
  await cp(join(root, 'test/packaging/consumers', name), project, { recursive: true })
  const manifest = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as Record<string, unknown>
  Object.assign(manifest.dependencies as object, tarballs)
  await writeFile(join(project, 'package.json'), JSON.stringify(manifest))
  // JSON is YAML. Among themselves the packages ask for versions that only these tarballs have.
  const settings = {
    overrides: tarballs,
    allowBuilds: { 'better-sqlite3': true, '@nestjs/core': false, 'msgpackr-extract': false },
  }
  await writeFile(join(project, 'pnpm-workspace.yaml'), JSON.stringify(settings))
  await pnpm(project, 'install', '--prefer-offline', '--no-frozen-lockfile')
  return project
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-consumers-'))
  tarballs = await pack(folder)
}, 120_000)

afterAll(() => rm(folder, { recursive: true, force: true }))

it.each([
  ['an ES module with the newest peers', 'esm'],
  ['a CommonJS module with Express 4, Nest 11 and TypeORM 0.3', 'commonjs'],
] as const)(
  'installs from tarballs, compiles and runs in %s',
  async (_title, name) => {
    const project = await consumer(name)
    await node(project, require.resolve('typescript/bin/tsc'), '--project', project)
    expect(await node(project, 'out/main.js')).toContain(
      'every entry has one identity; a token was acquired and stored',
    )
  },
  300_000,
)
