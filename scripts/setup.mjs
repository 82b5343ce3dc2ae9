// Makes a bare clone ready to run: checks Node, installs with the pinned pnpm, repairs the embedded database, builds.
// Needs nothing but Node and npm. Works on Linux, macOS and Windows.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { run } from './run.mjs'
import { manifest, pnpm, root } from './workspace.mjs'

const CANNOT_COMPILE =
  'The embedded database (better-sqlite3) could not be compiled: install Python 3, make and a C++ compiler ' +
  '(Debian and Ubuntu: "apt-get install python3 make g++"; macOS: "xcode-select --install"; Windows: Visual Studio ' +
  'Build Tools with "Desktop development with C++") and run the command again.'

/** A sentence for the reader instead of a stack trace. */
class SetupError extends Error {}

/**
 * Installs and builds. `say` receives a line per step; `log` everything that the tools print, which is otherwise shown
 * only when something fails.
 */
export async function setup({ say = console.log, log = () => {} } = {}) {
  await install({ say, log })
  say('Building the packages')
  const { code, output } = await run(process.execPath, ['scripts/build.mjs'], { log })
  if (code !== 0) throw new SetupError(`${output}\nBuilding failed: see above.`)
}

/** Installs the dependencies and makes sure that the embedded database loads in this Node. */
export async function install({ say = console.log, log = () => {} } = {}) {
  checkNode()
  say(`Installing dependencies with ${pnpm} (the first time compiles the embedded database: about a minute)`)
  const { code, output } = await runPnpm(['install', '--frozen-lockfile', '--reporter=append-only'], { say, log })
  if (code !== 0) {
    const compiling = /gyp ERR|better-sqlite3.*(?:failed|ELIFECYCLE)/i.test(output)
    throw new SetupError(`${output}\n${compiling ? CANNOT_COMPILE : 'Installing failed: see above.'}`)
  }
  await repairDatabase({ say, log })
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if ((major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major > 22) return
  throw new SetupError(
    `This project needs Node.js 20.19, or 22.12 or newer (${manifest.engines.node}) and this is ${process.versions.node}: ` +
      'install a newer one and run the command again.',
  )
}

/** A compiled addon belongs to one Node major: after a change of Node the installed one cannot be loaded. */
async function repairDatabase({ say, log }) {
  if (databaseLoads()) return
  say(`Rebuilding the embedded database for Node.js ${process.versions.node} (about a minute)`)
  const { output } = await runPnpm(['--recursive', '--reporter=append-only', 'rebuild', 'better-sqlite3'], { say, log })
  if (!databaseLoads()) throw new SetupError(`${output}\n${CANNOT_COMPILE}`)
}

function databaseLoads() {
  const script = "new (require('better-sqlite3'))(':memory:').close()"
  const cwd = join(root, 'packages/typeorm-store')
  return spawnSync(process.execPath, ['--eval', script], { cwd, stdio: 'ignore' }).status === 0
}

/** Runs the pinned pnpm through npx: neither a global pnpm nor corepack is needed. */
async function runPnpm(args, { say, log }) {
  const started = process.hrtime.bigint()
  const heartbeat = setInterval(() => {
    say(`  still at it after ${String((process.hrtime.bigint() - started) / 1_000_000_000n)} s`)
  }, 20_000)
  try {
    // An outer npm hands its settings down as environment variables; the inner one, npx, would warn about some.
    return await run('npx', ['--yes', pnpm, '--loglevel=info', ...args], { log, env: { npm_config_loglevel: 'error' } })
  } finally {
    clearInterval(heartbeat)
  }
}

/** Runs `main`; what setting up has to say becomes its message on stderr and exit code 1, without a stack. */
export async function reportingSetupErrors(main) {
  try {
    await main()
  } catch (error) {
    if (!(error instanceof SetupError)) throw error
    console.error(error.message.trim())
    process.exitCode = 1
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await reportingSetupErrors(setup)
