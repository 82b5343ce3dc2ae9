import { fault, type StoreFault } from '@shopify-tokens/testing'
import { type Action, type ProcessIndex, written } from './actions.js'
import { judge, lookAt } from './judge.js'
import type { Mishap } from './network.js'
import { hostOf, type ShopName, type World } from './world.js'
import type { Death } from './worker.js'

/** One line of a script. As a string it is its own source, on a line of its own. */
export interface Step {
  /** Whether it can be played now. */
  check(world: Readonly<World>): boolean
  run(world: World): Promise<void>
  toString(): string
}

/** These happen at the same time, or as long after the beginning as they say; then everybody comes to rest. */
export const together = (...actions: readonly Action[]): Step => ({
  check: () => true,
  async run(world) {
    const before = await lookAt(world)
    const outcomes = await Promise.all(actions.map((action) => world.act(action)))
    await world.quiesce()
    await judge(world, before, outcomes)
  },
  toString: () => `\n  together(${actions.map(written).join(', ')})`,
})

export const PERIODS = [
  '1 s',
  '20 s',
  '80 s',
  '10 min',
  '54 min',
  '56 min',
  '61 min',
  '3 h',
  '26 h',
  '9 d',
  '25 d',
] as const
export type Period = (typeof PERIODS)[number]
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** Nothing happens for a while, but what is late arrives. */
export const pass = (period: Period): Step => {
  const [count, unit] = period.split(' ')
  return silent(`pass('${period}')`, async (world) => {
    const before = await lookAt(world)
    await world.pass(Number(count) * UNIT_MS[unit!]!)
    await judge(world, before, [])
  })
}

/** What meets the next `times` token requests of a shop. */
export const network = (shop: ShopName, mishap: Mishap, times = 1): Step =>
  silent(`network('${shop}', '${mishap}'${times === 1 ? '' : `, ${String(times)}`})`, (world) => {
    world.network.arm(hostOf(shop), mishap, times)
  })

export const STORE_FAULTS = {
  'put fails': ['put', () => fault.failBefore()],
  'put written, answer lost': ['put', () => fault.failAfter()],
  'second put written, answer lost': ['put', () => [fault.pass(), fault.failAfter()]],
  'second put fails': ['put', () => [fault.pass(), fault.failBefore()]],
  'second put fails for a while': [
    'put',
    () => [fault.pass(), ...Array.from({ length: 12 }, () => fault.failBefore())],
  ],
  'put late': ['put', () => fault.delay(20_000)],
  'second put late': ['put', () => [fault.pass(), fault.delay(20_000)]],
  'get fails': ['get', () => fault.failBefore()],
  'get slow': ['get', () => fault.delay(2_500)],
  'get stale': ['get', () => fault.stale()],
  'second get stale': ['get', () => [fault.pass(), fault.stale()]],
} as const satisfies Record<string, readonly ['get' | 'put', () => StoreFault | StoreFault[]]>
export type StoreFaultName = keyof typeof STORE_FAULTS

/** What meets the next calls of a process to its store. */
export const store = (worker: ProcessIndex, name: StoreFaultName): Step =>
  silent(`store(${String(worker)}, '${name}')`, (world) => {
    const [verb, faults] = STORE_FAULTS[name]
    world.workers[worker]!.breakStore(verb, ...[faults()].flat())
  })

/** The process dies at its `nth` next call of this kind; another one takes its place. */
export const crash = (worker: ProcessIndex, when: Death['when'], nth: number, verb: Death['verb']): Step =>
  silent(`crash(${String(worker)}, '${when}', ${String(nth)}, '${verb}')`, (world) => {
    world.workers[worker]!.dieAt({ verb, when, nth })
  })

/** The clock of a process is this wrong from now on. */
export const clockOff = (worker: ProcessIndex, minutes: number): Step => ({
  // Larger steps are believed only when two answers agree, and until then nothing can be said of the process.
  check: (world) => world.workers[worker]!.wouldBeOffBy(minutes * 60_000) < 14 * 60_000,
  run: (world) => {
    world.workers[worker]!.machine.skewMs = minutes * 60_000
    return Promise.resolve()
  },
  toString: () => `\n  clockOff(${String(worker)}, ${String(minutes)})`,
})

function silent(source: string, run: (world: World) => void | Promise<void>): Step {
  return { check: () => true, run: async (world) => run(world), toString: () => `\n  ${source}` }
}
