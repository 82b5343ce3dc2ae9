import type { Grace, Replay } from '@shopify-tokens/testing'
import { explore } from './explore.js'
import { RememberedRuns } from './remembered-run.js'
import { type Scenario, titleOf } from './scenario.js'

const REPLAYS: readonly Replay[] = ['same-pair', 'same-verbatim', 'new-pair']
const GRACES: readonly Grace[] = ['until-used', '60-minutes', 'none']

/** Under every combination of replay and grace. The rest is what `pnpm interleavings` takes. */
const RUNS: readonly Pick<Scenario, 'wants' | 'faults' | 'leases'>[] = [
  { wants: ['refresh', 'refresh'], faults: 0, leases: true },
  { wants: ['refresh', 'refresh'], faults: 1, leases: true },
  { wants: ['refresh', 'refresh'], faults: 1, leases: false },
  { wants: ['refresh', 'acquire'], faults: 1, leases: true },
  { wants: ['refresh', 'acquire'], faults: 1, leases: false },
  { wants: ['acquire', 'acquire'], faults: 1, leases: true },
  { wants: ['acquire', 'acquire'], faults: 1, leases: false },
  { wants: ['refresh', 'authorize'], faults: 1, leases: true },
  { wants: ['refresh', 'authorize'], faults: 1, leases: false },
  { wants: ['acquire', 'authorize'], faults: 1, leases: false },
  { wants: ['refresh', 'refresh', 'refresh'], faults: 0, leases: true },
  { wants: ['refresh', 'refresh', 'refresh'], faults: 1, leases: true },
  { wants: ['refresh', 'refresh', 'refresh', 'refresh'], faults: 0, leases: true },
  { wants: ['migrate', 'migrate'], faults: 0, leases: true },
  { wants: ['migrate', 'migrate'], faults: 1, leases: true },
  { wants: ['migrate', 'migrate'], faults: 1, leases: false },
  { wants: ['migrate', 'renew'], faults: 1, leases: true },
  { wants: ['migrate', 'renew'], faults: 1, leases: false },
  { wants: ['migrate', 'refused'], faults: 1, leases: true },
  { wants: ['migrate', 'refused'], faults: 1, leases: false },
  { wants: ['migrate', 'acquire'], faults: 1, leases: true },
  { wants: ['migrate', 'acquire'], faults: 1, leases: false },
  { wants: ['migrate', 'authorize'], faults: 1, leases: false },
]

/** The dearer ones, each under one combination. */
const SELECTED: readonly Scenario[] = [
  { wants: ['refresh', 'refresh', 'acquire'], faults: 1, leases: true, replay: 'new-pair', grace: 'until-used' },
  { wants: ['refresh', 'refresh', 'acquire'], faults: 1, leases: true, replay: 'same-pair', grace: 'none' },
]

let schedules = 0
let states = 0
const runs = new RememberedRuns()

async function expectNothingWrong(scenario: Scenario): Promise<void> {
  const findings = await explore(scenario, {}, runs)
  schedules += findings.schedules
  states += findings.states
  expect(findings.schedules).toBeGreaterThan(10)
  expect(findings.lost).toBeLessThan(findings.ends.size)
  expect(Object.fromEntries(findings.flaws)).toEqual({})
}

afterAll(() => {
  const counted = `${schedules.toLocaleString('en')} schedules through ${states.toLocaleString('en')} situations`
  process.stdout.write(`interleavings: ${counted}, none of them loses a shop\n`)
})

describe.each(REPLAYS)('where a replay brings: %s', (replay) => {
  describe.each(GRACES)('and grace lasts: %s', (grace) => {
    it.each(RUNS)(
      'no schedule of $wants with $faults fault(s) loses the shop (leases: $leases)',
      async (chosen) => {
        await expectNothingWrong({ replay, grace, ...chosen })
      },
      120_000,
    )
  })
})

describe('three runs, of which one acquires', () => {
  it.each(SELECTED.map((scenario) => [titleOf(scenario), scenario] as const))(
    'lose no shop under any schedule: %s',
    async (_title, scenario) => {
      await expectNothingWrong(scenario)
    },
    120_000,
  )
})
