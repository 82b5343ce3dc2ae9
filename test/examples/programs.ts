import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** Preloaded into all of them. */
const SHOPS_ARE_FAKE = join(__dirname, '../restarts/shops-are-fake.mjs')

/** A program that runs, or has run. */
export interface Program {
  /** What a platform sends first. */
  terminate(): void
  /** Resolves with the exit code, or the signal that has ended it, and all that it has printed. */
  ended(): Promise<{ readonly with: number | string; readonly said: string }>
}

/** The programs of one example, as they are deployed; their requests to shops go to the fake Shopify. */
export class Programs {
  readonly #folder: string
  readonly #environment: Readonly<Record<string, string>>
  readonly #children: ChildProcess[] = []

  /** @param environment beside that of the tests; `FAKE_SHOPIFY_URL` among it */
  constructor(example: string, environment: Readonly<Record<string, string>>) {
    this.#folder = join(__dirname, '../../examples', example, 'dist')
    this.#environment = environment
  }

  start(name: string, args: readonly string[] = [], preloaded: readonly string[] = []): Program {
    const imports = [SHOPS_ARE_FAKE, ...preloaded].flatMap((file) => ['--import', file])
    const child = spawn(process.execPath, [...imports, join(this.#folder, name), ...args], {
      env: { ...process.env, ...this.#environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#children.push(child)
    let said = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()))
    const closed = once(child, 'close')
    return {
      terminate: () => child.kill('SIGTERM'),
      async ended() {
        await closed
        return { with: child.signalCode ?? child.exitCode ?? '', said }
      },
    }
  }

  killAll(): void {
    for (const child of this.#children) child.kill('SIGKILL')
  }
}
