import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { type Entry, JournalReader } from './journal.js'
import type { Blow } from './kill-switch.js'
import type { Order, Report, WorkerSetup } from './orders.js'
import { type KillPoint, SKEWS_MS } from './plan.js'
import type { Seeded } from './seeded.js'

/** What the workers of a run have in common. */
export type CommonSetup = Omit<WorkerSetup, 'journal' | 'skewMs' | 'seed'>

/** How a call at a worker ended: well, with an error's code, or with the worker. */
export type Outcome = 'ok' | 'died' | { readonly code: string; readonly message: string }

interface Living {
  readonly n: number
  readonly child: ChildProcess
  readonly pending: Map<number, (outcome: Outcome) => void>
  isReady: boolean
  /** Whether it has been told to die or to stop. */
  falls: boolean
  isPaused: boolean
}

type Call =
  | { readonly do: 'visit'; readonly idToken: string; readonly how: 'token' | 'acquire' }
  | { readonly do: 'remove' | 'serve' | 'force' }

/** Keeps so many workers alive, each a process of its own. */
export class Workers {
  /** What ended otherwise than by an order to. */
  readonly crashes: string[] = []
  readonly #folder: string
  readonly #common: CommonSetup
  readonly #seed: string
  readonly #chance: Seeded
  readonly #slots: (Living | undefined)[]
  /** By worker, in the order in which they were started. */
  readonly #journals = new Map<number, { readonly reader: JournalReader; hasEnded: boolean }>()
  #started = 0
  #calls = 0
  #isQuiet = false
  #isOver = false

  constructor(folder: string, common: CommonSetup, workers: number, seed: string, chance: Seeded) {
    this.#folder = folder
    this.#common = common
    this.#seed = seed
    this.#chance = chance
    this.#slots = Array.from({ length: workers })
    // One that is stopped does not see that the driver has gone.
    process.once('exit', () => {
      for (const worker of this.#slots) worker?.child.kill('SIGKILL')
    })
  }

  async start(): Promise<void> {
    await Promise.all(this.#slots.map((_, slot) => this.#fork(slot)))
  }

  /** Everything that has been written down since the last time, and by whom. */
  *entries(): Generator<readonly [entry: Entry, worker: number]> {
    for (const [worker, { reader, hasEnded }] of [...this.#journals]) {
      for (const entry of reader.read()) yield [entry, worker]
      if (!hasEnded) continue
      reader.close()
      this.#journals.delete(worker)
    }
  }

  /** Whether a worker may still write something down. */
  isLiving(worker: number): boolean {
    return this.#journals.has(worker)
  }

  /** Tells a worker to die or to stop at a point. `false`: all who live have been told to already. */
  strike(blow: Blow, point: KillPoint): boolean {
    const candidates = this.#ready().filter(({ falls }) => !falls)
    if (candidates.length === 0) return false
    const victim = this.#chance.pick(candidates)
    victim.falls = true
    this.#send(victim, { do: 'fall', blow, point })
    return true
  }

  /** A worker has stopped: it is asked for nothing until it goes on. */
  paused(n: number): void {
    const worker = this.#slots.find((each) => each?.n === n)
    if (worker !== undefined) worker.isPaused = true
  }

  /** Lets a worker that has stopped go on. */
  resume(n: number): void {
    const worker = this.#slots.find((each) => each?.n === n)
    if (worker === undefined) return
    worker.child.kill('SIGCONT')
    worker.isPaused = false
    worker.falls = false
  }

  /** Lets some worker do something for a shop. Waits for one that lives. */
  async call(shop: string, call: Call): Promise<Outcome> {
    while (this.#ready().length === 0) await new Promise((resolve) => setTimeout(resolve, 20))
    const worker = this.#chance.pick(this.#ready())
    const id = (this.#calls += 1)
    return new Promise((resolve) => {
      worker.pending.set(id, resolve)
      this.#send(worker, { ...call, id, shop })
    })
  }

  /** Lets every worker close its manager and go, and starts one that sends no requests of its own. */
  async replaceByOne(): Promise<void> {
    const before = this.#slots.splice(0)
    await Promise.all(before.map((worker) => this.#dismiss(worker)))
    this.#isQuiet = true
    await this.#fork(0)
  }

  /** Ends all of them. */
  async leave(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#slots.map((worker) => this.#dismiss(worker)))
  }

  /** Ends all of them at once, whatever they are doing. */
  abandon(): void {
    this.#isOver = true
    for (const worker of this.#slots) worker?.child.kill('SIGKILL')
    for (const { reader } of this.#journals.values()) reader.close()
  }

  async #dismiss(worker: Living | undefined): Promise<void> {
    if (worker?.child.exitCode !== null || worker.child.signalCode !== null) return
    const exited = once(worker.child, 'exit')
    this.#send(worker, { do: 'leave' })
    await exited
  }

  async #fork(slot: number): Promise<void> {
    const n = this.#started
    this.#started += 1
    const path = join(this.#folder, `${n}.jsonl`)
    const skew = SKEWS_MS[(slot + Math.floor(n / SKEWS_MS.length)) % SKEWS_MS.length] ?? 0
    // Who has sent no request cannot have learned the time from an answer.
    const skewMs = this.#isQuiet ? 0 : skew
    const requestsPerSecond = this.#isQuiet ? 0 : this.#common.requestsPerSecond
    const seed = `${this.#seed} ${n}`
    const setup: WorkerSetup = { ...this.#common, requestsPerSecond, journal: path, skewMs, seed }
    const child = fork(join(import.meta.dirname, 'worker.js'), [JSON.stringify(setup)], {
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    const journal = { reader: new JournalReader(path), hasEnded: false }
    this.#journals.set(n, journal)
    const worker: Living = { n, child, pending: new Map(), isReady: false, falls: false, isPaused: false }
    this.#slots[slot] = worker
    let errors = ''
    child.stderr?.on('data', (chunk: Buffer) => (errors = (errors + chunk.toString()).slice(-2_000)))
    child.once('exit', (code, signal) => {
      for (const resolve of worker.pending.values()) resolve('died')
      worker.pending.clear()
      journal.hasEnded = true
      if (signal !== 'SIGKILL' && code !== 0)
        this.crashes.push(`a worker ended with ${String(code ?? signal)}: ${errors}`)
      if (this.#slots[slot] === worker && !this.#isOver) void this.#fork(slot)
    })
    const ready = new Promise<void>((resolve) => {
      child.once('exit', () => {
        resolve()
      })
      child.on('message', (report: Report) => {
        if (report.say === 'ready') {
          worker.isReady = true
          resolve()
          return
        }
        const { id, code, message = '' } = report
        worker.pending.get(id)?.(code === undefined ? 'ok' : { code, message })
        worker.pending.delete(id)
      })
    })
    await ready
  }

  #ready(): Living[] {
    return this.#slots.filter(
      (worker) => worker?.isReady === true && !worker.isPaused && worker.child.connected,
    ) as Living[]
  }

  #send(worker: Living, order: Order): void {
    // Whoever is about to die does not listen any more.
    if (worker.child.connected) worker.child.send(order, () => undefined)
  }
}
