import { type Observation, RealRun } from './real-run.js'
import { type Renaming, renamed, SAME } from './renaming.js'
import type { Answer, Beginning, Run, Runs, Waiting } from './run.js'
import type { StoredRow } from './stored-row.js'

/** So many runs wait alive where they were left, so that their next step need not begin at the beginning. */
const MAX_ALIVE = 2_000

/**
 * What a run does next depends on nothing but what it wants and what it has seen so far. So each such past is lived by
 * the real code once, and remembered for all schedules that lead to it.
 */
export class RememberedRuns implements Runs {
  readonly rows = new Map<string, StoredRow>()
  readonly #beginnings = new Map<string, Promise<RememberedRun>>()
  readonly #ids = new Map<string, number>()
  readonly #alive = new Map<RememberedRun, RealRun>()
  #lived = 0

  /** How many pasts the real code has lived. */
  get lived(): number {
    return this.#lived
  }

  begin(beginning: Beginning): Promise<RememberedRun> {
    const key = JSON.stringify(beginning)
    const run = this.#beginnings.get(key) ?? this.live(beginning, null, null)
    this.#beginnings.set(key, run)
    return run
  }

  idOf(past: string): number {
    const id = this.#ids.get(past) ?? this.#ids.size
    this.#ids.set(past, id)
    return id
  }

  async live(beginning: Beginning, before: RememberedRun | null, last: Observation | null): Promise<RememberedRun> {
    this.#lived++
    const real = await this.#real(beginning, before, last)
    const run = new RememberedRun(this, beginning, before, last, real.waiting)
    this.#alive.set(run, real)
    for (const oldest of this.#alive.keys()) if (this.#alive.size > MAX_ALIVE) this.#alive.delete(oldest)
    return run
  }

  #real(beginning: Beginning, before: RememberedRun | null, last: Observation | null): Promise<RealRun> {
    if (before === null || last === null) return RealRun.begin(beginning)
    const alive = this.#alive.get(before)
    this.#alive.delete(before)
    return alive?.observe(last.answer, last.now) ?? RealRun.begin(beginning, [...before.past, last])
  }
}

class RememberedRun implements Run {
  readonly waiting: Waiting
  readonly age: number
  readonly #runs: RememberedRuns
  readonly #beginning: Beginning
  readonly #before: RememberedRun | null
  readonly #last: Observation | null
  readonly #next = new Map<string, RememberedRun>()
  readonly #ids = new Map<string, number>()

  constructor(
    runs: RememberedRuns,
    beginning: Beginning,
    before: RememberedRun | null,
    last: Observation | null,
    waiting: Waiting,
  ) {
    this.#runs = runs
    this.#beginning = beginning
    this.#before = before
    this.#last = last
    this.waiting = waiting
    this.age = before === null ? 0 : before.age + 1
  }

  get past(): readonly Observation[] {
    return this.#before === null || this.#last === null ? [] : [...this.#before.past, this.#last]
  }

  observe(answer: Answer, now: number): RememberedRun | Promise<RememberedRun> {
    const key = nameOf({ answer, now }, SAME)
    return this.#next.get(key) ?? this.#live(key, { answer, now })
  }

  idUnder(renaming: Renaming): number {
    let id = this.#ids.get(renaming.id)
    if (id === undefined) {
      id = this.#runs.idOf(this.#pastUnder(renaming))
      this.#ids.set(renaming.id, id)
    }
    return id
  }

  async #live(key: string, last: Observation): Promise<RememberedRun> {
    const next = await this.#runs.live(this.#beginning, this, last)
    this.#next.set(key, next)
    return next
  }

  #pastUnder(renaming: Renaming): string {
    if (this.#before !== null && this.#last !== null)
      return `${String(this.#before.idUnder(renaming))} ${nameOf(this.#last, renaming)}`
    const { process } = this.#beginning
    return JSON.stringify({ ...this.#beginning, process: renaming.numbers[process] ?? process })
  }
}

function nameOf({ answer, now }: Observation, renaming: Renaming): string {
  return `${answerUnder(answer, renaming)} at ${String(now)}`
}

function answerUnder(answer: Answer, renaming: Renaming): string {
  switch (answer.brings) {
    case 'row':
    case 'conflict':
      return `${answer.brings} ${String(answer.row.idUnder(renaming))}`
    case 'written':
      return renamed(answer.version, renaming)
    case 'tokens':
      return `tokens ${String(answer.id)}`
    default:
      return answer.brings
  }
}
