// What `pnpm chaos` runs: every backend, one table, JSON in a folder. Ends with 1 if a promise did not hold.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { missingFor } from './backends/open-backend.js'
import { type BackendName, BACKENDS, fullPlan, shortPlan } from './plan.js'
import { printProgress } from './progress.js'
import type { Result } from './result.js'
import { run } from './run.js'
import { table } from './table.js'

const DEFAULT_SEED = 20_261_120
const DEFAULT_ROTATIONS = 10_000

const { values } = parseArgs({
  options: {
    backend: { type: 'string', multiple: true },
    seed: { type: 'string' },
    rotations: { type: 'string' },
    short: { type: 'boolean' },
    results: { type: 'string' },
  },
})
const seed = wholeNumber('seed', values.seed ?? String(DEFAULT_SEED))
const rotations = wholeNumber('rotations', values.rotations ?? String(DEFAULT_ROTATIONS))
const results: Result[] = []

endWithSignals()
const isShort = values.short === true
const backends = backendsOf(values.backend ?? BACKENDS).filter(isPossible)
// A short run is small enough to share the machine with the others.
if (isShort) await Promise.all(backends.map(play))
else for (const backend of backends) await play(backend)
process.stdout.write(`\nseed ${seed}, Node ${process.versions.node}\n${table(results)}\n`)

/** What has been started ends with the process. */
function endWithSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
}

/** Everything about one backend. */
async function play(backend: BackendName): Promise<void> {
  const plan = isShort ? shortPlan(backend, seed) : fullPlan(backend, seed, rotations)
  const result = await run(plan, printProgress(backend, process.stdout))
  results.push(result)
  if (values.results !== undefined) await keep(values.results, result)
  for (const { promise, what, trail = [] } of result.broken) {
    process.stdout.write(`BROKEN: ${promise}: ${what} (seed ${seed})\n${trail.map((line) => `    ${line}\n`).join('')}`)
  }
  if (result.broken.length > 0) process.exitCode = 1
}

function isPossible(backend: BackendName): boolean {
  const missing = missingFor(backend)
  if (missing.length === 0) return true
  process.stdout.write(`${backend}: SKIPPED, because this machine has no ${missing.join(', ')}\n`)
  process.exitCode = 1
  return false
}

async function keep(folder: string, result: Result): Promise<void> {
  await mkdir(folder, { recursive: true })
  const text = JSON.stringify({ ...result, versions: { Node: process.versions.node, ...result.versions } }, null, 2)
  await writeFile(join(folder, `${result.backend}.json`), `${text}\n`)
}

function backendsOf(names: readonly string[]): readonly BackendName[] {
  const known: readonly string[] = BACKENDS
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) throw new Error(`There is no backend ${unknown}; there are ${BACKENDS.join(', ')}.`)
  return names as readonly BackendName[]
}

function wholeNumber(name: string, text: string): number {
  const value = Number(text)
  if (text !== '' && Number.isInteger(value) && value > 0) return value
  throw new Error(`--${name} must be a whole number greater than 0.`)
}
