import { candidates } from '@shopify-tokens/core'
import { type Scenario, World } from './world.js'

/** What the schedules of one scenario showed. Every list but the counts must be empty; each entry is a whole schedule. */
export interface Findings {
  schedules: number
  /** Shops that only their merchant can revive, after a fault for which that is allowed. */
  lost: number
  /** Shops that only their merchant can revive although nothing allows for that. */
  orphans: string[]
  /** Shops marked although the row holds a credential that Shopify accepts. */
  falseMarks: string[]
  /** Runs that wait for each other, or for ever. */
  stuck: string[]
  /** Lost shops whose row says nothing of it: no attempt, no mark, no early renewal. */
  silent: string[]
}

interface Frame {
  readonly options: readonly string[]
  /** Steps whose effect, taken here, has been seen in schedules already explored. */
  readonly asleep: Set<string>
  chosen: string
}

const MAX_STEPS = 400

/**
 * Runs every schedule of a scenario, depth first. Of schedules that differ only in the order of steps that cannot see
 * each other (two reads; the row and Shopify; different processes dying), one stands for all: sleep sets, after
 * Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems" (1996).
 */
export async function explore(scenario: Scenario): Promise<Findings> {
  const findings = noFindings()
  const frames: Frame[] = []
  do {
    const world = new World(scenario)
    await world.start()
    for (const { chosen } of frames) await world.take(chosen)
    if (await finish(world, frames, findings)) {
      findings.schedules++
      await judge(world, scenario, findings)
    }
  } while (backtrack(frames))
  return findings
}

/** Runs `schedules` schedules drawn by `random`, for scenarios with too many. */
export async function sample(scenario: Scenario, schedules: number, random: () => number): Promise<Findings> {
  const findings = noFindings()
  for (; findings.schedules < schedules; findings.schedules++) {
    const world = new World(scenario)
    await world.start()
    for (let step = 0; world.running; step++) {
      const names = world.options()
      const name = names[Math.floor(random() * names.length)]
      if (name === undefined || step > MAX_STEPS) break
      await world.take(name)
    }
    await judge(world, scenario, findings)
  }
  return findings
}

function noFindings(): Findings {
  return { schedules: 0, lost: 0, orphans: [], falseMarks: [], stuck: [], silent: [] }
}

/** Goes on from the last frame to the end. `false`: every way on has been seen in another schedule. */
async function finish(world: World, frames: Frame[], findings: Findings): Promise<boolean> {
  while (world.running) {
    const last = frames.at(-1)
    const asleep = new Set([...(last?.asleep ?? [])].filter((name) => independent(name, last?.chosen ?? '')))
    const options = world.options()
    if (options.length === 0 || frames.length > MAX_STEPS) {
      findings.stuck.push(world.story)
      return true
    }
    const chosen = options.find((name) => !asleep.has(name))
    if (chosen === undefined) return false
    frames.push({ options, asleep, chosen })
    await world.take(chosen)
  }
  return true
}

function backtrack(frames: Frame[]): boolean {
  for (let frame = frames.at(-1); frame !== undefined; frame = frames.at(-1)) {
    frame.asleep.add(frame.chosen)
    const next = frame.options.find((name) => !frame.asleep.has(name))
    if (next !== undefined) {
      frame.chosen = next
      return true
    }
    frames.pop()
  }
  return false
}

/** Whether two steps of different processes have the same effect in either order. */
function independent(a: string, b: string): boolean {
  const [one, other] = [partsOf(a), partsOf(b)]
  if (one.process === other.process || a === 'time' || b === 'time') return false
  // Faults share a budget: taking one takes the other's place.
  if (one.fault && other.fault) return false
  if (one.touches === 'nothing' || other.touches === 'nothing') return true
  return one.touches !== other.touches || (one.reads && other.reads)
}

function partsOf(name: string): {
  process: string
  fault: boolean
  touches: 'row' | 'shopify' | 'nothing'
  reads: boolean
} {
  const [process = '', kind = '', ...fault] = name.split(' ')
  const untouched = fault.join(' ') === 'killed before' || fault[0] === 'late'
  const touches = untouched ? 'nothing' : kind === 'get' || kind === 'put' ? 'row' : 'shopify'
  return { process, fault: fault.length > 0, touches, reads: kind === 'get' }
}

/** With everything delivered and no more faults: does the row still bring a token, and does it say nothing untrue? */
async function judge(world: World, scenario: Scenario, findings: Findings): Promise<void> {
  world.deliverLateRequests()
  world.noMoreFaults()
  const excused = world.acquisitionInDoubt || (scenario.grace !== 'until-used' && world.refreshInDoubt)
  const record = await world.record()
  const alive = candidates(record).some((token) => world.accepts(token))
  if (alive && record !== null && record.mark !== null) findings.falseMarks.push(world.story)
  if (!alive) {
    if (!excused) findings.orphans.push(world.story)
    else findings.lost++
    const renewsSoon = record?.kind === 'expiring' && record.renewAt <= record.obtainedAt + 75_000
    const told = record !== null && (record.attempts.length > 0 || record.mark !== null || renewsSoon)
    if (!told) findings.silent.push(world.story)
    return
  }
  // Invariant 1 provides that a renewal follows: here it comes, from a process that knows nothing but the row.
  world.elapse(120_000)
  const last = await world.runAlone('refresh')
  if (last !== 'done') findings.orphans.push(`${world.story}; then ${String(last)}`)
}
