// `pnpm ablate`: takes each mechanism out of a copy of the tree and sees whether the test named for it falls there. Exits
// with 0 only if every test passes with its mechanism and fails without it, for the reason that is named. Arguments: the
// mechanisms to try, for example `pnpm ablate merge lease`; without any, all of them.
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { ABLATIONS, nameOf, patternOf, without } from '../test/ablation/ablations.mjs'
import { outcomeOf } from '../test/ablation/outcome.mjs'
import { TreeCopy } from '../test/ablation/tree-copy.mjs'
import { run } from './run.mjs'
import { root } from './workspace.mjs'

/** For one test: a busy machine shall not make it fall. */
const TEST_TIMEOUT_MS = 30_000
/** For a run of Jest: without its mechanism the code may go round in circles. */
const LONGEST_RUN_MS = 120_000
const BAR_WIDTH = 30
/** How much is told of a failure. */
const MAX_LINES = 12

const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !ABLATIONS.some(({ mechanism }) => mechanism === name))
const ablations = ABLATIONS.filter(({ mechanism }) => wanted.length === 0 || wanted.includes(mechanism))

if (unknown.length > 0) {
  console.error(
    `No such mechanism: ${unknown.join(', ')}. There are: ${ABLATIONS.map((one) => one.mechanism).join(', ')}.`,
  )
  process.exitCode = 1
} else {
  process.exitCode = (await ablate()) ? 0 : 1
}

async function ablate() {
  const copy = new TreeCopy(root)
  process.once('exit', () => copy.remove())
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(130))

  say(`${ablations.length} mechanisms; first their tests with everything in place`)
  const intact = await report(copy, ablations)
  const results = []
  for (const ablation of ablations) {
    const result = await judge(copy, ablation, outcomeOf(intact, ablation))
    results.push(result)
    say(lineOf(result))
    showProgress(results.length)
  }
  const fallen = results.filter(({ falls }) => falls)
  say('')
  for (const row of table(results)) say(row)
  say(`${fallen.length} of ${results.length} mechanisms are held by their test`)
  return fallen.length === results.length
}

/** Whether the test passes with the mechanism and fails without it; if not, why. */
async function judge(copy, ablation, withIt) {
  const started = Date.now()
  const answer = (problem) => ({ ablation, problem, falls: problem === undefined, ms: Date.now() - started })
  if (withIt.outcome !== 'passed') return answer(`with the mechanism: ${withIt.why ?? 'the test fails'}`)
  try {
    const change = (text) => without(ablation, text)
    const changed = await copy.whileChanged(ablation.file, change, () => report(copy, [ablation]))
    const { outcome, why } = outcomeOf(changed, ablation)
    return answer(outcome === 'failed' ? undefined : (why ?? 'the test passes without the mechanism'))
  } catch (error) {
    return answer(error.message)
  }
}

/** Runs the tests of some ablations in the copy and answers Jest's report. */
async function report(copy, some) {
  const outputFile = join(copy.root, 'ablate.json')
  rmSync(outputFile, { force: true })
  const files = [...new Set(some.map(({ test }) => test.file))]
  const names = some.map(({ test }) => `(?:${patternOf(test)})`).join('|')
  const limits = ['--runInBand', '--testTimeout', String(TEST_TIMEOUT_MS)]
  const options = ['--selectProjects', 'workspace', '--ci', '--json', '--outputFile', outputFile, ...limits]
  const jest = join(copy.root, 'node_modules/jest/bin/jest.js')
  const { output } = await run(process.execPath, [jest, ...files, ...options, '--testNamePattern', names], {
    cwd: copy.root,
    timeoutMs: LONGEST_RUN_MS,
    env: { NO_COLOR: '1', FORCE_COLOR: '0' },
  })
  if (!existsSync(outputFile)) throw new Error(`Jest ended without a report: ${output.slice(-2_000)}`)
  return JSON.parse(readFileSync(outputFile, 'utf8'))
}

function lineOf({ ablation: { mechanism, test }, falls, ms, problem }) {
  const seconds = `${(ms / 1_000).toFixed(1)} s`
  if (falls) return `  ok      ${mechanism}: without it falls "${nameOf(test)}" (${seconds})`
  // Of a stack only where it begins.
  const lines = problem.split('\n').filter((line) => !/^\s+at .*node_modules/.test(line) && line.trim() !== '')
  return [`  FAILED  ${mechanism} (${seconds})`, ...lines.slice(0, MAX_LINES)].join('\n          ')
}

function table(results) {
  const rows = results.map(({ ablation: { mechanism, test }, falls }) => [
    mechanism,
    falls ? 'falls' : 'FAILED',
    test.file,
  ])
  rows.unshift(['mechanism', 'its test', 'in'])
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column].length)))
  return rows.map(([first, second, last]) => `${first.padEnd(widths[0])}  ${second.padEnd(widths[1])}  ${last}`)
}

function say(line) {
  // The bar stands in the last line; what is said goes above it.
  process.stdout.write(process.stdout.isTTY ? `\r\u001b[K${line}\n` : `${line}\n`)
}

function showProgress(done) {
  if (!process.stdout.isTTY || done === ablations.length) return
  const filled = Math.round((done / ablations.length) * BAR_WIDTH)
  process.stdout.write(`[${'#'.repeat(filled)}${'.'.repeat(BAR_WIDTH - filled)}] ${done} of ${ablations.length}`)
}
