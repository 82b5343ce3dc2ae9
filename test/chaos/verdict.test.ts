import type { LogEntry } from '@shopify-tokens/testing'
import { ShopHistory } from './history.js'
import { deathOf, isAnnounced } from './verdict.js'
import { wrongWrites } from './write-audit.js'

const INSTALLED_AT = 1_000

function call(requestId: string, at: number, given: Partial<LogEntry> = {}): LogEntry {
  const common = { sequence: at, endpoint: 'token', shop: 's', method: 'POST', path: '/', outcome: 'granted' } as const
  return { ...common, grant: 'refresh', requestId, at, ...given }
}

/** A shop in whose row the pairs of these answers have been. */
function stored(...requestIds: readonly string[]): ShopHistory {
  const history = new ShopHistory()
  for (const requestId of requestIds) {
    history.arrived.set(requestId, { requestId, grant: 'refresh', refreshToken: requestId, at: 0, worker: 0 })
    history.stored.set(requestId, 0)
  }
  return history
}

function death(
  grace: 'none' | '60-minutes' | 'until-used',
  history: ShopHistory,
  ...calls: readonly LogEntry[]
): string {
  const switches = { replay: 'same-pair', grace } as const
  return deathOf({ switches, installedAt: INSTALLED_AT, calls, history, latestMs: 100 }).death
}

const acquired = call('a', 2_000, { grant: 'id-token' })
const refused = call('r', 4_000, { outcome: 'refused', reason: 'grace-over' })

describe('a dead shop', () => {
  it('waits for its merchant when nobody has acquired a pair since the app was installed', () => {
    expect(death('none', stored('old'), call('old', 500, { grant: 'id-token' }))).toBe('not-acquired')
  })

  it('is lost with the answer of its newest acquisition', () => {
    expect(death('until-used', stored(), acquired)).toBe('acquisition-lost')
  })

  it.each(['late', 'twice'])('is lost by an acquisition that is delivered %s', (fault) => {
    const late = call('b', 1_950, { grant: 'id-token', fault })
    expect(death('until-used', stored('a', 'b'), late, acquired)).toBe('acquisition-late')
  })

  it('is lost by an acquisition sent before the app was installed anew, and delivered after it', () => {
    const late = call('b', 950, { grant: 'id-token', fault: 'twice' })
    const soon = call('a', 1_010, { grant: 'id-token' })
    expect(death('until-used', stored('a'), soon, late)).toBe('acquisition-late')
  })

  it('is lost by a repetition, which is no newer acquisition', () => {
    const first = call('b', 1_950, { grant: 'id-token', fault: 'twice' })
    const again = { ...first, duplicate: true } as const
    expect(death('until-used', stored('a'), first, acquired, again)).toBe('acquisition-late')
  })

  it.each(['none', '60-minutes'] as const)('is lost with an answer when the grace is over (%s)', (grace) => {
    expect(death(grace, stored('a'), acquired, call('lost', 3_000), refused)).toBe('refresh-lost')
  })

  it('is orphaned when Shopify would have taken the token again', () => {
    expect(death('until-used', stored('a'), acquired, call('lost', 3_000), refused)).toBe('orphaned')
  })

  it('is orphaned when every answer was stored', () => {
    expect(death('none', stored('a', 'kept'), acquired, call('kept', 3_000), refused)).toBe('orphaned')
  })

  it('is orphaned when its answer was lost before a later one was stored', () => {
    const calls = [acquired, call('lost', 2_500), call('kept', 3_000), refused]
    expect(death('none', stored('a', 'kept'), ...calls)).toBe('orphaned')
  })
})

describe('an acquisition that was lost', () => {
  const verdict = { death: 'acquisition-lost', at: 10_000 } as const
  const inDoubt = { type: 'grant.inDoubt', shop: 's', grant: 'id-token', ageMs: 1 } as never

  it('is announced by the next attempt, not by one before it', () => {
    const history = stored()
    expect(isAnnounced(verdict, null, history)).toBe(false)
    history.events.push({ ...(inDoubt as object), at: 5_000 } as never)
    expect(isAnnounced(verdict, null, history)).toBe(false)
    history.events.push({ ...(inDoubt as object), at: 11_000 } as never)
    expect(isAnnounced(verdict, null, history)).toBe(true)
  })
})

describe('the writes of a run', () => {
  const put = (expected: string, version: string) =>
    ({ shop: 's', step: 'pair', expected, tokens: [], verdict: { outcome: 'written', version } }) as const
  const one = { shop: 's', before: null, after: '1' }
  const two = { shop: 's', before: '1', after: '2' }

  it('are right when each replaced what its writer had read', () => {
    expect(wrongWrites([put('absent', '1'), put('1', '2')], [one, two])).toEqual([])
  })

  it('are wrong when one replaced another record', () => {
    expect(wrongWrites([put('absent', '1'), put('absent', '2')], [one, two])).toHaveLength(1)
  })

  it('are wrong when an acknowledged one is not in the database', () => {
    expect(wrongWrites([put('absent', '1'), put('1', '2')], [one])).toHaveLength(1)
  })

  it('are wrong when one has vanished under the next', () => {
    expect(wrongWrites([], [one, two, { shop: 's', before: '1', after: '3' }])).toHaveLength(1)
  })
})
