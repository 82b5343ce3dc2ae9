import type { Findings } from './explore.js'
import { type Flaw, flawOf, verdictOn } from './judge.js'
import { RememberedRuns } from './remembered-run.js'
import { renamingsOf } from './renaming.js'
import type { Scenario } from './scenario.js'
import { isRunning, keyOf } from './state.js'
import { World } from './world.js'

/** Longer schedules are taken to have no end. */
const MAX_STEPS = 400

/** Takes schedules drawn by `random`, for scenarios with too many situations. */
export async function sample(scenario: Scenario, schedules: number, random: () => number): Promise<Findings> {
  const flaws = new Map<Flaw, string>()
  const ends = new Set<string>()
  const states = new Set<string>()
  const renamings = renamingsOf(scenario.wants)
  let lost = 0
  let path: string[] = []

  const found = (flaw: Flaw | null): void => {
    if (flaw !== null && !flaws.has(flaw)) flaws.set(flaw, path.join(', '))
  }
  const world = new World(scenario, new RememberedRuns(), (state, index, call) => {
    found(flawOf(scenario, state, index, call))
  })
  for (let taken = 0; taken < schedules; taken++) {
    path = []
    let state = await world.start()
    for (let steps = world.steps(state); isRunning(state) && path.length < MAX_STEPS; steps = world.steps(state)) {
      const step = steps[Math.floor(random() * steps.length)]
      if (step === undefined) break
      path.push(step.name)
      state = await step.take()
      states.add(keyOf(state, renamings))
    }
    const end = keyOf(state, renamings)
    if (ends.has(end)) continue
    ends.add(end)
    const verdict = isRunning(state) ? 'stuck' : await verdictOn(world, state)
    if (verdict === 'lost') lost++
    else found(verdict)
  }
  return { schedules, states: states.size, ends, lost, flaws, complete: false }
}
