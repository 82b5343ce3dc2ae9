import { type Flaw, flawOf, verdictOn } from './judge.js'
import { RememberedRuns } from './remembered-run.js'
import { renamingsOf } from './renaming.js'
import type { Scenario } from './scenario.js'
import { isRunning, keyOf, type State } from './state.js'
import { World } from './world.js'

/** What the schedules of a scenario showed. */
export interface Findings {
  /** How many schedules have been explored, those included that lead to a situation that others had led to before. */
  readonly schedules: number
  /** How many different situations they lead through. */
  readonly states: number
  /** The different situations in which they end. */
  readonly ends: ReadonlySet<string>
  /** Ends at which only the merchant can revive the shop, after a fault for which that is allowed. */
  readonly lost: number
  /** For each flaw the first schedule that showed it. */
  readonly flaws: ReadonlyMap<Flaw, string>
  /** Whether these were all the schedules there are. */
  readonly complete: boolean
}

export interface Bounds {
  /** Stops once there are more. Default: no limit. */
  readonly states?: number
  /** Stops as soon as this flaw has shown. Default: at none. */
  readonly until?: Flaw
}

/** Longer schedules are taken to have no end. */
const MAX_STEPS = 400

/**
 * Explores every schedule of a scenario, depth first. Schedules that lead to one situation have everything after it in
 * common, so each situation is explored once and the schedules through it are counted; situations that differ only in
 * which of several equal processes is which are one.
 *
 * The real code lives through each run's possible pasts alone; `runs` may be shared by scenarios.
 *
 * @see Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems" (1996), section 2, for stateful
 *   search; Clarke, Enders, Filkorn, Jha, "Exploiting Symmetry in Temporal Logic Model Checking" (1996)
 */
export async function explore(
  scenario: Scenario,
  { states = Infinity, until }: Bounds = {},
  runs = new RememberedRuns(),
): Promise<Findings> {
  const schedulesFrom = new Map<string, number>()
  const flaws = new Map<Flaw, string>()
  const ends = new Set<string>()
  const path: string[] = []
  const renamings = renamingsOf(scenario.wants)
  let lost = 0
  let complete = true

  const found = (flaw: Flaw | null): void => {
    if (flaw !== null && !flaws.has(flaw)) flaws.set(flaw, path.join(', '))
  }
  const world = new World(scenario, runs, (state, index, call) => {
    found(flawOf(scenario, state, index, call))
  })

  async function visit(state: State, key: string): Promise<number> {
    let schedules = 0
    const steps = isRunning(state) && path.length <= MAX_STEPS ? world.steps(state) : []
    for (const { name, take } of steps) {
      if (schedulesFrom.size > states || (until !== undefined && flaws.has(until))) complete = false
      if (!complete) return schedules
      path.push(name)
      const next = await take()
      const nextKey = keyOf(next, renamings)
      schedules += schedulesFrom.get(nextKey) ?? (await visit(next, nextKey))
      path.pop()
    }
    if (steps.length === 0) {
      schedules = 1
      ends.add(key)
      const verdict = isRunning(state) ? 'stuck' : await verdictOn(world, state)
      if (verdict === 'lost') lost++
      else found(verdict)
    }
    schedulesFrom.set(key, schedules)
    return schedules
  }

  const start = await world.start()
  const schedules = await visit(start, keyOf(start, renamings))
  return { schedules, states: schedulesFrom.size, ends, lost, flaws, complete }
}
