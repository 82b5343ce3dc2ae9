// `npm test`: sets up, then runs every check there is and ends with one line: N passed, N failed, N skipped.
// Each Jest test counts as one, each other check counts as one. What the terminal does not show stands in a log file.
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.mjs'
import { install, reportingSetupErrors } from './setup.mjs'
import { packageFolders, root } from './workspace.mjs'

/** Set to 1 where every server must be there: then a skipped test fails the run. */
const REQUIRE_ALL = process.env.SHOPIFY_TOKENS_REQUIRE_ALL === '1'
const MIN_COVERAGE = 95
/** As many as a small machine has cores. They end before the tests begin, so that these have the processor for themselves. */
const CHECKS_AT_ONCE = 2
/** Searches the log for the secrets that the tests planted; run last, with the log file as its argument. */
const LEAK_SEARCH = 'test/leaks/search-output.mjs'

const folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-test-'))
const logFile = join(folder, 'output.log')
const total = { passed: 0, failed: 0, skipped: 0 }

const log = (chunk) => appendFileSync(logFile, chunk)
const show = (chunk) => {
  process.stdout.write(chunk)
  log(chunk)
}
const say = (line) => show(`${line}\n`)
const node = (script, ...args) => [process.execPath, [script, ...args]]

function count({ passed = 0, failed = 0, skipped = 0 }) {
  total.passed += passed
  total.failed += failed
  total.skipped += skipped
}

/** Runs one check whose exit code is its verdict; its output is shown only if it fails. */
async function check(title, [command, args]) {
  const started = Date.now()
  const { code, output } = await run(command, args, { log })
  if (code !== 0) process.stdout.write(`${output}\n`)
  verdict(title, code === 0, `${((Date.now() - started) / 1000).toFixed(1)} s`)
}

/** Runs checks that do not need each other side by side; those that come first begin first. */
async function checkAll(checks) {
  const waiting = [...checks]
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await check(...next)
  }
  await Promise.all(Array.from({ length: CHECKS_AT_ONCE }, lane))
}

function verdict(title, passed, detail) {
  count(passed ? { passed: 1 } : { failed: 1 })
  say(`- ${title}: ${passed ? 'ok' : 'FAILED'} (${detail})`)
}

async function runJest() {
  say('- tests (jest, every project)')
  const results = join(folder, 'jest.json')
  const coverage = [
    '--coverage',
    '--coverageDirectory',
    join(folder, 'coverage'),
    '--coverageReporters',
    'json-summary',
    'text',
  ]
  const jest = node('node_modules/jest/bin/jest.js', '--ci', '--json', '--outputFile', results, ...coverage)
  const { code } = await run(...jest, { log: show })
  if (!existsSync(results)) return verdict('tests', false, `jest ended with ${String(code)} and without results`)
  const summary = JSON.parse(readFileSync(results, 'utf8'))
  const failed = summary.numFailedTests + summary.numRuntimeErrorTestSuites
  count({ passed: summary.numPassedTests, failed, skipped: summary.numPendingTests + summary.numTodoTests })
  // A failure outside every test, for example in the global setup or a worker that died.
  if (code !== 0 && failed === 0) verdict('tests', false, `jest ended with ${String(code)} although no test failed`)
  if (summary.numTotalTests === 0) verdict('tests', false, 'no test was found')
}

function checkCoverage() {
  const file = join(folder, 'coverage/coverage-summary.json')
  if (!existsSync(file)) return verdict('coverage of packages/core', false, 'no figures')
  const { lines, branches } = JSON.parse(readFileSync(file, 'utf8')).total
  const enough = lines.pct >= MIN_COVERAGE && branches.pct >= MIN_COVERAGE
  const figures = `lines ${String(lines.pct)} %, branches ${String(branches.pct)} %`
  verdict('coverage of packages/core', enough, `${figures}, at least ${String(MIN_COVERAGE)} % each`)
  verdict('coverage without exceptions', coverageIgnores().length === 0, coverageIgnores().join(', ') || 'none')
}

function coverageIgnores() {
  const sources = join(root, 'packages/core/src')
  const files = readdirSync(sources, { recursive: true }).filter((file) => file.endsWith('.ts'))
  return files.filter((file) => /(?:istanbul|c8|v8) ignore/.test(readFileSync(join(sources, file), 'utf8')))
}

async function runEverything() {
  await install({ say, log })
  await check('build', node('scripts/build.mjs'))
  const depcruise = 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'
  await checkAll([
    ['lint', node('node_modules/eslint/bin/eslint.js', '.', '--max-warnings', '0')],
    ['types of tests and examples', node('scripts/typecheck.mjs')],
    ['format', node('node_modules/prettier/bin/prettier.cjs', '--check', '.')],
    ['import rules', node(depcruise, '--config', '.dependency-cruiser.cjs', 'packages')],
    ...packageFolders().map((name) => [`package ${name}`, node('scripts/check-package.mjs', name)]),
  ])
  await runJest()
  checkCoverage()
  if (existsSync(join(root, LEAK_SEARCH)))
    await check('no secret in any output of this run', node(LEAK_SEARCH, logFile))
}

await reportingSetupErrors(async () => {
  await runEverything()
  const missing = REQUIRE_ALL && total.skipped > 0
  if (missing) say('Tests were skipped, and SHOPIFY_TOKENS_REQUIRE_ALL=1 does not allow that.')
  const failed = total.failed > 0 || missing
  if (failed) say(`Everything that was printed: ${logFile}`)
  else rmSync(folder, { recursive: true, force: true })
  process.stdout.write(
    `${String(total.passed)} passed, ${String(total.failed)} failed, ${String(total.skipped)} skipped\n`,
  )
  process.exitCode = failed ? 1 : 0
})
