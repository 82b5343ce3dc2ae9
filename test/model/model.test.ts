/**
 * Random scripts, played against the real thing and compared with a small reference (`reference.ts`).
 *
 *     SHOPIFY_TOKENS_MODEL_RUNS=5000 SHOPIFY_TOKENS_MODEL_SEED=7 npx jest test/model --selectProjects workspace
 *
 * plays more scripts, or others. A failure prints the shrunk script, which goes as it stands into `play(…)`, and the
 * variables with which it is found again.
 */
import fc from 'fast-check'
import { play } from './play.js'
import { someCircumstances, someScript } from './scripts.js'
import type { Step } from './steps.js'
import type { Circumstances } from './world.js'

const { env } = process
const runs = Number(env.SHOPIFY_TOKENS_MODEL_RUNS ?? 80)
const seed = Number(env.SHOPIFY_TOKENS_MODEL_SEED ?? 20_261_120)
const path = env.SHOPIFY_TOKENS_MODEL_PATH
const replayPath = env.SHOPIFY_TOKENS_MODEL_REPLAY

let scripts = 0
let steps = 0

/** Fails with the script, one line per step. */
function report(details: fc.RunDetails<[Circumstances, Iterable<Step>]>): string {
  const [circumstances, script] = (details.counterexample ?? []) as [Circumstances?, Step?]
  const [, source = '', replay = ''] = /^(.*?)(?: ?\/\*replayPath="(.*)"\*\/)?$/s.exec(String(script)) ?? []
  const variables = { SEED: details.seed, PATH: details.counterexamplePath ?? '', REPLAY: replay }
  return [
    String((details.errorInstance as Error | null)?.message),
    `await play(${JSON.stringify(circumstances)}, [${source},\n])`,
    Object.entries(variables)
      .map(([name, value]) => `SHOPIFY_TOKENS_MODEL_${name}='${value}'`)
      .join(' '),
  ].join('\n')
}

it(
  `loses nothing, whatever happens in which order (${runs} scripts of seed ${seed})`,
  async () => {
    const property = fc.asyncProperty(someCircumstances, someScript(replayPath), async (circumstances, script) => {
      scripts++
      await play(circumstances, counted(script))
    })
    const details = await fc.check(property, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) })
    if (details.failed) throw new Error(report(details))
  },
  2 ** 31 - 1,
)

function* counted(script: Iterable<Step>): Iterable<Step> {
  for (const step of script) {
    steps++
    yield step
  }
}

afterAll(() => {
  process.stdout.write(`model: ${scripts} scripts with ${steps} steps (seed ${seed})\n`)
})
