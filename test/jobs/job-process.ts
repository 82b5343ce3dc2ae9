import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** A process that does a job, or waits for one: one of the programs beside this file. */
export class JobProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #errors = ''

  constructor(program: string, setup: object, environment: Readonly<Record<string, string>>) {
    this.#child = spawn(process.execPath, [join(__dirname, program), JSON.stringify(setup)], {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    this.#child.stderr?.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()))
    this.#exited = once(this.#child, 'close')
  }

  /** Resolves when the process has done its job and has gone; rejects with what it said when it ended otherwise. */
  async done(): Promise<void> {
    await this.#exited
    const { exitCode, signalCode } = this.#child
    if (exitCode !== 0) throw new Error(`The job's process ended with ${signalCode ?? exitCode}:\n${this.#errors}`)
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}
