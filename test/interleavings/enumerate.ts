import { RealRun } from './real-run.js'
import { renamingsOf } from './renaming.js'
import type { Runs } from './run.js'
import type { Scenario } from './scenario.js'
import { isRunning, keyOf } from './state.js'
import { World } from './world.js'

/**
 * Takes every schedule of a scenario from its beginning to its end with runs that are alive throughout: nothing is
 * remembered and nothing left out. What `explore` finds is measured by this.
 */
export async function enumerate(
  scenario: Scenario,
  rows: Runs['rows'],
): Promise<{ readonly schedules: number; readonly ends: ReadonlySet<string> }> {
  const renamings = renamingsOf(scenario.wants)
  const world = new World(scenario, { rows, begin: (beginning) => RealRun.begin(beginning) })
  const ends = new Set<string>()
  let schedules = 0
  let choices: { readonly chosen: number; readonly of: number }[] = []
  do {
    let state = await world.start()
    for (let depth = 0; isRunning(state); depth++) {
      const steps = world.steps(state)
      const { chosen } = (choices[depth] ??= { chosen: 0, of: steps.length })
      state = await steps[chosen]!.take()
    }
    schedules++
    ends.add(keyOf(state, renamings))
    const last = choices.findLastIndex(({ chosen, of }) => chosen + 1 < of)
    choices = choices
      .slice(0, last + 1)
      .map((choice, at) => (at === last ? { ...choice, chosen: choice.chosen + 1 } : choice))
  } while (choices.length > 0)
  return { schedules, ends }
}
