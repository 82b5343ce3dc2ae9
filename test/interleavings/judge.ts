import { candidates, type TokenRecord } from '@shopify-tokens/core'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { isMigrationBegun } from '../../packages/core/src/renewal/begun-migration.js'
import { arrived } from './effects.js'
import { isNamedBy } from './renaming.js'
import type { Scenario, Wanted } from './scenario.js'
import { type Call, isRunning, type State } from './state.js'
import type { World } from './world.js'

/** What may turn out wrong. */
export type Flaw =
  /** Only the merchant can revive the shop, although nothing excuses that. */
  | 'orphan'
  /** The shop is marked although the row holds a credential that Shopify accepts. */
  | 'false mark'
  /** Runs wait for each other, or for ever. */
  | 'stuck'
  /** The shop is lost, and its row says nothing of it: no attempt, no mark, no early renewal. */
  | 'silent loss'
  /** A put was acknowledged that did not replace what its writer had read last. */
  | 'unread overwrite'
  /** A mark was written although a candidate had not been refused, or another attempt was young. */
  | 'unproven mark'
  /** More than one request, although no lease expired and no fault struck. */
  | 'second request'

/** Several runs that want one of these do with one request. */
const WANT_ONE_REQUEST: ReadonlySet<Wanted> = new Set(['refresh', 'migrate'])

/** What is wrong with a call that is about to take effect. */
export function flawOf(scenario: Scenario, state: State, index: number, call: Call): Flaw | null {
  const { row, now, shopify, processes } = state
  if (call.at === 'get') return null
  if (call.at === 'fetch') {
    const wantTheSame = scenario.wants.every((want) => want === scenario.wants[0] && WANT_ONE_REQUEST.has(want))
    const isAlone = scenario.leases && scenario.faults === 0 && wantTheSame
    return isAlone && !shopify.isUntouched ? 'second request' : null
  }
  if (call.expected !== row.version) return null
  const { read, refused, run } = processes[index]!
  if (read !== row.version) return 'unread overwrite'
  const mark = run.waiting.at === 'put' ? run.waiting.record.mark : null
  if (mark === null || mark.triedAt === row.record.mark?.triedAt) return null
  const isProven =
    candidatesOf(row.record).every((token) => refused.has(token)) &&
    row.record.attempts.every(({ id, at }) => isNamedBy(index, id) || now - at >= DEFAULT_DURATIONS.leaseMs)
  return isProven ? null : 'unproven mark'
}

/** With everything delivered and no more faults: does the row still bring a token, and does it say nothing untrue? */
export async function verdictOn(world: World, state: State): Promise<Flaw | 'lost' | null> {
  let end = state
  for (const late of state.late) end = arrived(end, late)
  const { record } = end.row
  const credentials = record.kind === 'non-expiring' ? [record.accessToken] : candidates(record)
  const isAlive = credentials.some((credential) => end.shopify.accepts(credential, end.now))
  if (isAlive && record.mark !== null) return 'false mark'
  if (!isAlive) {
    const renewsSoon = record.kind === 'expiring' && record.renewAt <= record.obtainedAt + 75_000
    if (!end.excused) return 'orphan'
    return record.attempts.length > 0 || record.mark !== null || renewsSoon ? 'lost' : 'silent loss'
  }
  // Invariant 1 provides that a renewal follows: here it comes, from a process that knows nothing but the row.
  end = await world.join({ ...end, now: end.now + 120_000, faults: 0 }, comingNext(end))
  while (isRunning(end)) {
    const [step] = world.steps(end)
    if (step === undefined) return 'stuck'
    end = await step.take()
  }
  return end.processes.at(-1)?.run.waiting.at === 'end' && outcomeOf(end) === 'done' ? null : 'orphan'
}

/** Whoever comes next to a non-expiring token is refused: with 401 where a migration has ended it. */
function comingNext({ row: { record }, shopify }: State): Wanted {
  if (record.kind !== 'non-expiring') return 'refresh'
  return shopify.hasEndedOriginal ? 'refused' : 'migrate'
}

/** What must be refused before a mark. The token itself has been, by the Admin API; if it was to be exchanged, that too. */
function candidatesOf(record: TokenRecord): readonly string[] {
  return record.kind === 'non-expiring' && isMigrationBegun(record) ? [record.accessToken] : candidates(record)
}

function outcomeOf({ processes }: State): string | null {
  const waiting = processes.at(-1)?.run.waiting
  return waiting?.at === 'end' ? waiting.outcome : null
}
