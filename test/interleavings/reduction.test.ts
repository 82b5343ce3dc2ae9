import { enumerate } from './enumerate.js'
import { explore } from './explore.js'
import { RememberedRuns } from './remembered-run.js'
import { type Scenario, titleOf } from './scenario.js'

/** Small enough to take every schedule from its beginning. */
const SMALL: readonly Scenario[] = [
  { wants: ['refresh', 'refresh'], faults: 0, leases: true, replay: 'new-pair', grace: 'until-used' },
  { wants: ['refresh', 'refresh'], faults: 0, leases: false, replay: 'same-pair', grace: 'none' },
  { wants: ['refresh', 'acquire'], faults: 0, leases: false, replay: 'same-verbatim', grace: '60-minutes' },
  { wants: ['acquire', 'acquire'], faults: 0, leases: false, replay: 'new-pair', grace: 'until-used' },
  { wants: ['refresh', 'refresh', 'refresh'], faults: 0, leases: true, replay: 'same-pair', grace: 'until-used' },
  { wants: ['migrate', 'refused'], faults: 0, leases: false, replay: 'new-pair', grace: 'until-used' },
  { wants: ['refresh', 'acquire'], faults: 1, leases: true, replay: 'new-pair', grace: 'until-used' },
]

describe('exploring each situation once', () => {
  it.each(SMALL.map((scenario) => [titleOf(scenario), scenario] as const))(
    'finds the schedules and ends that taking every schedule finds: %s',
    async (_title, scenario) => {
      const runs = new RememberedRuns()
      const { schedules, ends } = await explore(scenario, {}, runs)
      const all = await enumerate(scenario, runs.rows)
      expect(schedules).toBe(all.schedules)
      expect([...ends].sort()).toEqual([...all.ends].sort())
    },
    120_000,
  )
})
