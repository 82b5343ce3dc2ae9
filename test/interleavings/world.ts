import { fingerprint } from '@shopify-tokens/core'
import { aRecord, FAKE_EPOCH } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { arrived, effectOf } from './effects.js'
import type { Answer, Run, Runs } from './run.js'
import { named } from './renaming.js'
import { CLIENT_SECRET, isUnmigrated, type Scenario, type Wanted } from './scenario.js'
import { ORIGINAL, Shopify } from './shopify.js'
import { type Call, hasBegun, isRunning, type Process, type State, withProcess } from './state.js'
import { StoredRow } from './stored-row.js'

/** Pauses up to this length are looks at the row in turn. */
const POLL_MS = 150

/** Something that may happen next. */
export interface Step {
  readonly name: string
  readonly take: () => Promise<State>
}

/**
 * Several processes over one row and one Shopify. Every port call is a step, and so is every fault that may strike it;
 * whoever explores decides which one comes next.
 */
export class World {
  readonly #scenario: Scenario
  readonly #runs: Runs
  /** Hears of every call before it takes effect. */
  readonly #watch: (state: State, index: number, call: Call) => void

  constructor(
    scenario: Scenario,
    runs: Runs,
    watch: (state: State, index: number, call: Call) => void = () => undefined,
  ) {
    this.#scenario = scenario
    this.#runs = runs
    this.#watch = watch
  }

  async start(): Promise<State> {
    const { replay, grace, faults, wants } = this.#scenario
    const shopify = Shopify.opened(replay, grace)
    const secretId = fingerprint(CLIENT_SECRET)
    const record = isUnmigrated(this.#scenario)
      ? aRecord.nonExpiring({ accessToken: ORIGINAL, secretId })
      : aRecord.expiring({ ...shopify.firstPair, secretId })
    const row = StoredRow.of(this.#runs.rows, 'first', JSON.stringify(record))
    let state: State = { now: FAKE_EPOCH, row, shopify, late: [], faults, excused: false, processes: [] }
    for (const want of wants) state = await this.join(state, want)
    return state
  }

  /** One more process begins. */
  async join(state: State, want: Wanted): Promise<State> {
    const { leases } = this.#scenario
    const run = await this.#runs.begin({ process: state.processes.length, want, leases, now: state.now })
    const newcomer: Process = { want, run, read: null, refused: new Set(), holds: false, puts: 0 }
    return { ...state, processes: [...state.processes, newcomer] }
  }

  /** What may happen next. Nothing: all runs have ended, or wait for ever. */
  steps(state: State): readonly Step[] {
    const steps: Step[] = []
    const there = state.processes.map((process) => hasBegun(process, state))
    const isBusy = state.processes.some(
      ({ run: { waiting } }, index) => there[index] && waiting.at !== 'sleep' && waiting.at !== 'end',
    )
    state.processes.forEach((process, index) => {
      if (!there[index]) return
      const call = callOf(process, index)
      if (call !== null) {
        steps.push({ name: `${index} ${call.at}`, take: () => this.#call(state, index, call) })
        if (state.faults > 0) steps.push(...this.#faults(state, index, call))
      } else if (isBusy && mayWake(process, state)) {
        steps.push({ name: `${index} wakes`, take: () => this.#answer(state, index, { brings: 'wake-up' }) })
      }
    })
    for (const late of state.late) {
      steps.push({ name: `late ${late.at} arrives`, take: () => Promise.resolve(arrived(state, late)) })
    }
    if (!isBusy && isRunning(state)) steps.push({ name: 'time passes', take: () => this.#pass(state) })
    return steps
  }

  #faults(before: State, index: number, call: Call): readonly Step[] {
    const state = { ...before, faults: before.faults - 1 }
    const fault = (what: string, take: () => State | Promise<State>): Step => ({
      name: `${index} ${call.at} ${what}`,
      take: async () => take(),
    })
    const killed = fault('killed before', () => this.#kill(state, index))
    if (call.at === 'get') return [killed]

    const unheard: Answer = { brings: 'nothing' }
    const done = (): { state: State; answer: Answer } => {
      this.#watch(state, index, call)
      return effectOf(state, call)
    }
    const after = (): State => {
      const { state: next, answer } = done()
      return withProcess(next, index, learned(next.processes[index]!, call, answer))
    }
    const lost = (): State => this.#inDoubt(done().state, index, call, false)
    const late = (): State => ({ ...this.#inDoubt(state, index, call, true), late: [...state.late, call] })
    return [
      killed,
      fault('killed after', () => this.#kill(after(), index)),
      fault('answer lost', () => this.#answer(lost(), index, unheard)),
      fault('late', () => this.#answer(late(), index, unheard)),
      fault('late and killed', () => this.#kill(late(), index)),
    ]
  }

  #call(state: State, index: number, call: Call): Promise<State> {
    this.#watch(state, index, call)
    const { state: next, answer } = effectOf(state, call)
    return this.#answer(next, index, answer)
  }

  async #answer(state: State, index: number, answer: Answer): Promise<State> {
    const process = state.processes[index]!
    const call = callOf(process, index)
    const run = await process.run.observe(answer, state.now)
    return withProcess(state, index, { ...(call === null ? {} : learned(process, call, answer)), run })
  }

  #kill(state: State, index: number): State {
    const { want, holds } = state.processes[index]!
    const excused = state.excused || (holds && (isAcquisition(want) || this.#scenario.grace === 'none'))
    return withProcess({ ...state, excused }, index, { run: KILLED })
  }

  /** A request whose answer nobody has heard. */
  #inDoubt(state: State, index: number, call: Call, isLate: boolean): State {
    if (call.at !== 'fetch') return state
    const { want } = state.processes[index]!
    const isRepeatable = call.credential === ORIGINAL
    const excused = !isRepeatable && LOSES_WITH_ANSWER[want](isLate, this.#scenario)
    return withProcess({ ...state, excused: state.excused || excused }, index, { holds: true })
  }

  /** Everybody sleeps. Where all wait for somebody's attempt, nobody is left to take it out: it has to age. */
  async #pass(state: State): Promise<State> {
    const sleepers = state.processes.flatMap(({ run: { waiting } }) => (waiting.at === 'sleep' ? [waiting] : []))
    const next = sleepers.every(({ ms }) => ms <= POLL_MS)
      ? state.now + DEFAULT_DURATIONS.leaseMs
      : Math.min(...sleepers.map(({ since, ms }) => since + ms))
    let later: State = { ...state, now: Math.max(state.now, next) }
    for (const [index, { run }] of later.processes.entries()) {
      const { waiting } = run
      if (waiting.at === 'sleep' && waiting.since + waiting.ms <= later.now)
        later = await this.#answer(later, index, { brings: 'wake-up' })
    }
    return later
  }
}

/** Whether a pair may be lost with the answer of a request. */
const LOSES_WITH_ANSWER: Readonly<Record<Wanted, (isLate: boolean, scenario: Scenario) => boolean>> = {
  refresh: isLostRefresh,
  renew: isLostRefresh,
  // What comes after the exchange.
  migrate: isLostRefresh,
  refused: isLostRefresh,
  // It is presented again, and so retires what the lost answer brought; unless that is minted last.
  acquire: (isLate) => isLate,
  authorize: () => true,
}

function isLostRefresh(_isLate: boolean, { grace }: Scenario): boolean {
  return grace === 'none'
}

function isAcquisition(want: Wanted): boolean {
  return want === 'acquire' || want === 'authorize'
}

const KILLED: Run = {
  waiting: { at: 'end', outcome: 'killed' },
  age: 0,
  idUnder: () => -1,
  observe: () => {
    throw new Error('The dead see nothing.')
  },
}

function callOf({ run: { waiting }, puts }: Process, index: number): Call | null {
  switch (waiting.at) {
    case 'get':
    case 'fetch':
      return waiting
    case 'put':
      return { at: 'put', json: waiting.json, expected: waiting.expected, version: named(index, String(puts)) }
    default:
      return null
  }
}

/** A sleep may end while others' calls take their time; but a second look at the row that made it wait is none. */
function mayWake({ run: { waiting }, read }: Process, { row }: State): boolean {
  return waiting.at === 'sleep' && (waiting.ms > POLL_MS || read !== row.version)
}

/** What a process knows once its call has been answered. */
function learned(process: Process, call: Call, answer: Answer): Partial<Process> {
  const puts = call.at === 'put' ? process.puts + 1 : process.puts
  switch (answer.brings) {
    case 'row':
    case 'conflict':
      return { puts, read: answer.row.version }
    case 'written':
      return { puts, read: answer.version, holds: false }
    case 'tokens':
      return { holds: true }
    case 'refusal':
      return call.at === 'fetch' && call.credential !== null
        ? { refused: new Set([...process.refused, call.credential]) }
        : {}
    case 'nothing':
    case 'wake-up':
      return { puts }
  }
}
