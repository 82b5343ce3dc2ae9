import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'

const TAIL = 4_000

/** A server process that never outlives the test process, however that one ends. */
export class GuardedProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #output = ''

  private constructor(child: ChildProcess, guard: ChildProcess) {
    this.#child = child
    const guardExited = once(guard, 'exit')
    this.#exited = once(child, 'exit').then(() => {
      guard.kill('SIGKILL')
      return guardExited
    })
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', (chunk: Buffer) => (this.#output = (this.#output + chunk.toString()).slice(-TAIL)))
    }
  }

  /** Starts a program. `folder` is removed too when the test process ends without having ended the program. */
  static async start(
    program: string,
    args: readonly string[],
    folder: string,
    options: SpawnOptions,
  ): Promise<GuardedProcess> {
    const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    await once(child, 'spawn')
    // The shell reads until this process is gone: then its end of the pipe closes, which no signal can prevent.
    const script = 'cat; kill -KILL "$0" && while kill -0 "$0"; do sleep 0.1; done; rm -rf "$1"'
    const guard = spawn('sh', ['-c', script, String(child.pid), folder], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    return new GuardedProcess(child, guard)
  }

  /** Whether it has ended. */
  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  /** The end of what it has printed. */
  get output(): string {
    return this.#output
  }

  signal(signal: NodeJS.Signals): void {
    if (!this.ended) this.#child.kill(signal)
  }

  /** Sends the signal and resolves when the program has ended. */
  async end(signal: NodeJS.Signals): Promise<void> {
    this.signal(signal)
    await this.#exited
  }
}
