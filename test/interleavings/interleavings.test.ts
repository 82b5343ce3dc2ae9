import type { Grace, Replay } from '@shopify-tokens/testing'
import { explore, type Findings } from './explore.js'
import type { Scenario } from './world.js'

const REPLAYS: readonly Replay[] = ['same-pair', 'same-verbatim', 'new-pair']
const GRACES: readonly Grace[] = ['until-used', '60-minutes', 'none']

/** Every combination of runs whose schedules are explored completely. */
const RUNS: readonly Pick<Scenario, 'wants' | 'faults' | 'leases'>[] = [
  { wants: ['refresh', 'refresh'], faults: 1, leases: true },
  { wants: ['refresh', 'refresh'], faults: 1, leases: false },
  { wants: ['refresh', 'acquire'], faults: 1, leases: true },
  { wants: ['refresh', 'acquire'], faults: 1, leases: false },
  { wants: ['acquire', 'acquire'], faults: 0, leases: false },
  { wants: ['refresh', 'refresh', 'refresh'], faults: 0, leases: true },
]

let schedules = 0

function expectNothingWrong({ schedules: explored, lost, ...wrong }: Findings): void {
  schedules += explored
  expect(explored).toBeGreaterThan(10)
  expect(lost).toBeLessThan(explored)
  for (const [what, stories] of Object.entries(wrong)) expect({ what, story: stories[0] }).toEqual({ what })
}

afterAll(() => {
  process.stdout.write(`interleavings: ${String(schedules)} schedules, none of them loses a shop\n`)
})

describe.each(REPLAYS)('where a replay brings: %s', (replay) => {
  describe.each(GRACES)('and grace lasts: %s', (grace) => {
    it.each(RUNS)(
      'no schedule of $wants with $faults fault(s) loses the shop (leases: $leases)',
      async (runs) => {
        expectNothingWrong(await explore({ replay, grace, ...runs }))
      },
      120_000,
    )
  })
})
