import { type Renaming, renamed } from './renaming.js'
import type { Run } from './run.js'
import type { Wanted } from './scenario.js'
import type { Shopify } from './shopify.js'
import type { StoredRow } from './stored-row.js'

/** One process, as far as others and the invariants are concerned. Only `run` decides what it does. */
export interface Process {
  readonly want: Wanted
  readonly run: Run
  /** The version of the row that it has read or written last. */
  readonly read: string | null
  /** The credentials that got the terminal answer. */
  readonly refused: ReadonlySet<string>
  /** Whether a request of its may have brought a pair that no put has stored yet. */
  readonly holds: boolean
  readonly puts: number
}

/** A request or a write that its sender has given up, and that may still arrive. */
export type Late =
  | { readonly at: 'fetch'; readonly credential: string | null }
  | { readonly at: 'put'; readonly json: string; readonly expected: string; readonly version: string }

export type Call = Late | { readonly at: 'get' }

/** Everything that the next steps depend on. Immutable. */
export interface State {
  readonly now: number
  readonly row: StoredRow
  readonly shopify: Shopify
  readonly late: readonly Late[]
  readonly faults: number
  /** Whether a fault has struck after which a shop may need its merchant. */
  readonly excused: boolean
  readonly processes: readonly Process[]
}

/**
 * Equal for states from which the same can happen, whichever of the processes that want the same is which. A run that
 * has ended matters by its outcome alone.
 */
export function keyOf(state: State, renamings: readonly Renaming[]): string {
  const { now, shopify, faults, excused, processes } = state
  const looks = processes.map(({ run }) => lookOf(run))
  let first: string | null = null
  for (const renaming of renamings) {
    if (!isInOrder(processes, looks, renaming)) continue
    const key = keyUnder(state, looks, renaming)
    if (first === null || key < first) first = key
  }
  return `${now} ${shopify.id} ${faults} ${excused ? 1 : 0} ${String(first)}`
}

function keyUnder({ row, late, processes }: State, looks: readonly string[], renaming: Renaming): string {
  const runs: string[] = []
  processes.forEach(({ run }, index) => {
    runs[renaming.numbers[index]!] = run.waiting.at === 'end' ? looks[index]! : String(run.idUnder(renaming))
  })
  const key = `${row.idUnder(renaming)} ${runs.join(' ')}`
  return late.length === 0 ? key : `${key} ${renamed(JSON.stringify(late), renaming)}`
}

/** What shows of a run whatever its number. */
function lookOf({ waiting, age }: Run): string {
  return waiting.at === 'end' ? waiting.outcome : `${waiting.at} ${age}`
}

/** Of the renamings only those that sort the processes by their looks are worth comparing. */
function isInOrder(processes: readonly Process[], looks: readonly string[], { numbers }: Renaming): boolean {
  for (let a = 0; a < looks.length; a++) {
    for (let b = 0; b < looks.length; b++) {
      const areAlike = processes[a]!.want === processes[b]!.want
      if (areAlike && numbers[a]! < numbers[b]! && looks[a]! > looks[b]!) return false
    }
  }
  return true
}

export function isRunning(state: State): boolean {
  return state.processes.some((process) => process.run.waiting.at !== 'end' && hasBegun(process, state))
}

/** Whether the process is there already: nobody is refused a token that works. */
export function hasBegun({ want, run }: Process, { shopify }: State): boolean {
  return want !== 'refused' || run.age > 0 || shopify.hasEndedOriginal
}

/** The state with one process changed. */
export function withProcess(state: State, index: number, change: Partial<Process>): State {
  const processes = state.processes.map((process, at) => (at === index ? { ...process, ...change } : process))
  return { ...state, processes }
}
