import type { Faults } from './faults.js'
import type { History } from './history.js'
import type { Incident, Lives } from './lives.js'
import { KILL_POINTS, type Plan } from './plan.js'
import type { Broken, Result } from './result.js'
import { rotationsPerPair } from './run.js'
import type { Shopifys } from './shopifys.js'
import { SWITCHES } from './switches.js'
import { type AuditedWrite, wrongWrites } from './write-audit.js'

/** Counts what has happened, and names every promise that did not hold. */
export function summary(parts: {
  readonly plan: Plan
  readonly versions: Readonly<Record<string, string>>
  readonly seconds: number
  readonly history: History
  readonly lives: Lives
  readonly shopifys: Shopifys
  readonly faults: Faults
  readonly outages: Readonly<Record<string, number>>
  readonly shopsChecked: number
  readonly isGivenUp: boolean
  readonly audit: readonly AuditedWrite[]
  readonly crashes: readonly string[]
}): Result {
  const { plan, history, lives, shopifys, audit } = parts
  const { backend, seed, lifetimeMs } = plan
  const counters = shopifys.counters()
  const rotations = rotationsPerPair(history)
  const pairs = SWITCHES.map((switches, n) => {
    const { tokenCalls = 0, tokenCallsByGrant, retiredTokensPresented = 0 } = counters[n] ?? {}
    const acquisitions = tokenCallsByGrant?.['id-token'].granted ?? 0
    return { ...switches, rotations: rotations[n] ?? 0, tokenCalls, acquisitions, retiredTokensPresented }
  })
  const sum = (figure: 'rotations' | 'tokenCalls' | 'acquisitions' | 'retiredTokensPresented'): number =>
    pairs.reduce((total, pair) => total + pair[figure], 0)
  const verdicts = [...history.puts.values()].map(({ verdict }) => verdict?.outcome)
  const acquired = history.events.get('token.acquired') ?? 0
  const deaths = (...kinds: readonly Incident['death'][]): readonly Incident[] =>
    lives.incidents.filter(({ death }) => kinds.includes(death))
  const orphans = deaths('orphaned', 'falsely-marked', 'not-acquired')
  const lostAcquisitions = deaths('acquisition-lost', 'acquisition-late')
  const fromLivingPair = lostAcquisitions.filter(({ hadLivingPair, wasOrdered }) => hadLivingPair && !wasOrdered)
  const wrong = wrongWrites(history.puts.values(), audit)
  const unannounced = lives.incidents.filter(({ isAnnounced }) => !isAnnounced)

  const broken: Broken[] = [
    ...orphans.map(({ shop, death, trail }) => ({ promise: 'no shop is orphaned', what: `${shop} (${death})`, trail })),
    ...unannounced.map(({ shop, death, trail }) => ({
      promise: 'each shop that needs its merchant is announced',
      ...{ what: `${shop} (${death})`, trail },
    })),
    ...fromLivingPair.map(({ shop, trail }) => ({
      promise: 'no acquisition that nobody ordered takes away a living pair',
      ...{ what: shop, trail },
    })),
    ...history.unannounced.map((what) => ({ promise: 'nothing is presented without an attempt in the row', what })),
    ...lives.failedOnValidTokens.map((failure) => ({ promise: 'no request fails on a valid token', ...failure })),
    ...lives.neverServed.map((what) => ({ promise: 'one token() per shop succeeds', what })),
    ...wrong.map((what) => ({ promise: 'a put replaces exactly the record that its writer has read', what })),
    ...(parts.isGivenUp ? [{ promise: 'a run comes to its end', what: missing(history, plan) }] : []),
    ...parts.crashes.map((what) => ({ promise: 'no worker ends by itself', what })),
  ]
  return {
    ...{ backend, seed, lifetimeMs, versions: parts.versions, seconds: Math.round(parts.seconds) },
    shops: SWITCHES.length * plan.shopsPerPair,
    ...{ rotations: sum('rotations'), acquisitions: acquired },
    ...{ requestsServed: history.requestsServed, requestsFailed: history.requestsFailed },
    kills: Object.fromEntries(KILL_POINTS.map((point) => [point, history.kills.get(point) ?? 0])) as Result['kills'],
    ...{ faults: parts.faults.struck, outages: parts.outages },
    tokenCallsPerRotation: Number((sum('tokenCalls') / (sum('rotations') + acquired)).toFixed(3)),
    pauses: history.pauses,
    leasesExpired: history.leasesExpired,
    retiredTokensPresented: sum('retiredTokensPresented'),
    acknowledgedWrites: verdicts.filter((outcome) => outcome === 'written').length,
    conflicts: verdicts.filter((outcome) => outcome === 'conflict').length,
    unknownWrites: verdicts.filter((outcome) => outcome === undefined).length,
    events: Object.fromEntries([...history.events].sort(([a], [b]) => a.localeCompare(b))),
    pairs,
    refreshesLost: deaths('refresh-lost').length,
    acquisitionsLost: lostAcquisitions.length,
    acquisitionsLostFromLivingPair: fromLivingPair.length,
    shopsChecked: parts.shopsChecked,
    shopsOrphaned: orphans.length,
    failedOnValidTokens: lives.failedOnValidTokens.length,
    wrongWrites: wrong.length,
    broken,
  }
}

function missing({ kills, pauses }: History, plan: Plan): string {
  const counts = KILL_POINTS.map((point) => `${point} ${String(kills.get(point) ?? 0)}`).join(', ')
  return `kills: ${counts} of ${String(plan.killsPerPoint)} each; pauses: ${String(pauses)} of ${String(plan.pauses)}`
}
