import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { FleetRate } from '@shopify-tokens/bullmq'

export interface FleetProcessOptions {
  readonly shopifyUrl: string
  readonly connection: { readonly host: string; readonly port: number }
  readonly prefix: string
  readonly queueName: string
  readonly rate: FleetRate
  readonly concurrency: number
  /** Whether it is to tell of its jobs before it begins them, and to wait. */
  readonly isToStall: boolean
}

/** What one machine has done. */
export interface FleetCounts {
  readonly renewed: number
  readonly notDue: number
  /** Jobs that were another worker's when this one came to their end, and locks that it could not keep. */
  readonly lostLocks: number
}

interface Message {
  readonly ready?: true
  readonly held?: readonly string[]
  readonly failed?: string
  readonly counts?: FleetCounts
}

/** A machine of the fleet, as a process. */
export class FleetProcess {
  /** The shops whose jobs it has in hand, and has not begun. */
  held: readonly string[] = []
  /** Codes of errors. */
  readonly failures: string[] = []
  readonly #child: ChildProcess
  #isReady = false
  #counts: FleetCounts | null = null

  private constructor(options: FleetProcessOptions, environment: Readonly<Record<string, string>>) {
    this.#child = fork(join(__dirname, 'fleet-worker.mjs'), [JSON.stringify(options)], {
      execArgv: [],
      env: { ...process.env, ...environment },
    })
    this.#child.on('message', ({ counts, failed, held, ready }: Message) => {
      this.#isReady ||= ready === true
      this.held = held ?? this.held
      this.#counts = counts ?? this.#counts
      if (failed !== undefined) this.failures.push(failed)
    })
  }

  static async start(
    options: FleetProcessOptions,
    environment: Readonly<Record<string, string>>,
  ): Promise<FleetProcess> {
    const machine = new FleetProcess(options, environment)
    const ended = once(machine.#child, 'exit').then(() => Promise.reject(new Error('A worker of the fleet has ended.')))
    ended.catch(() => undefined)
    while (!machine.#isReady) await Promise.race([once(machine.#child, 'message'), ended])
    return machine
  }

  /** Stops it where it stands: it does nothing at all any more, not even keep its locks. */
  stop(): void {
    this.#child.kill('SIGSTOP')
  }

  goOn(): void {
    this.#child.kill('SIGCONT')
    this.#child.send('go on')
  }

  /** Lets it end what it has begun. */
  async leave(): Promise<FleetCounts> {
    const ended = once(this.#child, 'exit')
    this.#child.send('leave')
    await ended
    if (this.#counts === null) throw new Error('A worker of the fleet ended without a word.')
    return this.#counts
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await ended
  }
}
