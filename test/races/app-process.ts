import { type ChildProcess, fork } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { join } from 'node:path'
import type {
  Durations,
  KeepAliveOptions,
  RepinOptions,
  RepinReport,
  Shop,
  TokenEvent,
  TokenManagerOptions,
} from '@shopify-tokens/core'

export interface AppOptions {
  readonly shopifyUrl: string
  /** What configures the app: client, database, sealing keys. */
  readonly environment: Readonly<Record<string, string>>
  /** How it comes by its tokens. Default: by pairs. */
  readonly grant?: TokenManagerOptions['grant']
  readonly durations?: Partial<Durations> | undefined
  /** How it looks after shops that nobody visits, from its start. Default: it does not. */
  readonly keepAlive?: KeepAliveOptions | undefined
  /** How far the process's wall clock is off. Default 0. */
  readonly skewMs?: number | undefined
  /** A Redis to hold the lock in front of the store. Default: none. */
  readonly redis?: { readonly url: string; readonly prefix: string } | undefined
  /** How long `close` may take at SIGTERM. Default 8 000. */
  readonly closeDeadlineMs?: number | undefined
}

/** What came of `close` when the process was asked to end. */
export interface Closed {
  readonly stored: boolean
  readonly code?: string
  /** The shops that `close` named because their newest pair was not stored. */
  readonly shops: readonly string[]
}

interface Message {
  readonly id?: number
  readonly result?: unknown
  readonly error?: string
  readonly event?: TokenEvent
  readonly waiting?: Shop
  readonly ready?: true
  readonly closing?: true
  readonly closed?: Closed
}

/** One process of an app, over the built packages, against a fake Shopify and a real database. */
export class AppProcess {
  readonly events: TokenEvent[] = []
  /** Shops at whose renewal by others this process has been seen to wait. */
  readonly waiting = new Set<Shop>()
  /** Whether the process has been asked to end, and knows it. */
  isClosing = false
  readonly #child: ChildProcess
  readonly #changes = new EventEmitter().setMaxListeners(0)
  readonly #answers = new Map<number, Message>()
  #calls = 0
  #closed: Closed | null = null
  #ready = false

  private constructor(options: AppOptions) {
    const { skewMs = 0, redis = null, closeDeadlineMs = 8_000, durations = {}, keepAlive = null } = options
    const argument = JSON.stringify({ ...options, skewMs, redis, closeDeadlineMs, durations, keepAlive })
    this.#child = fork(join(__dirname, 'app.mjs'), [argument], { execArgv: [] })
    this.#child.on('message', (message: Message) => {
      if (message.event !== undefined) this.events.push(message.event)
      if (message.waiting !== undefined) this.waiting.add(message.waiting)
      if (message.closed !== undefined) this.#closed = message.closed
      if (message.id !== undefined) this.#answers.set(message.id, message)
      this.#ready ||= message.ready === true
      this.isClosing ||= message.closing === true
      this.#changes.emit('change')
    })
    this.#child.on('exit', () => this.#changes.emit('change'))
  }

  /** Starts one, and waits until it has reached its database. */
  static async start(options: AppOptions): Promise<AppProcess> {
    const app = new AppProcess(options)
    await app.until(() => app.#ready)
    return app
  }

  /** Resolves when `happened` is true of what the process has told; rejects when the process has ended before. */
  async until(happened: () => boolean): Promise<void> {
    while (!happened()) {
      if (this.hasEnded) throw new Error(`The process ended (${this.#child.signalCode ?? this.#child.exitCode}).`)
      await once(this.#changes, 'change')
    }
  }

  /** Asks the Admin API for something, `times` times at once. Answers with the codes of what failed. */
  requests(shop: Shop, times: number): Promise<string[]> {
    return this.#call('requests', shop, times)
  }

  /** How many answers of the Admin API so far were 401, because the token had ended. */
  expiredAnswers(): Promise<number> {
    return this.#call('expiredAnswers')
  }

  /** How often the process has called the token endpoint. */
  tokenCalls(): Promise<number> {
    return this.#call('tokenCalls')
  }

  /** Lets `ms` milliseconds pass on both of the process's clocks. */
  pass(ms: number): Promise<void> {
    return this.#call('pass', ms)
  }

  /** Waits until nothing goes on behind requests any more. */
  settle(): Promise<void> {
    return this.#call('settle')
  }

  /** Makes the database's tokens this process's deployment's. */
  adoptDeployment(): Promise<boolean> {
    return this.#call('adopt')
  }

  /** Renews every shop with this process's client secret. */
  repinAll(options: Pick<RepinOptions, 'perSecond' | 'concurrency'> = {}): Promise<RepinReport> {
    return this.#call('repin', options)
  }

  /** What a platform sends first. */
  terminate(): void {
    this.#child.kill('SIGTERM')
  }

  async kill(): Promise<void> {
    if (this.hasEnded) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** Resolves with what `close` said and the exit code, when the process has ended by itself. */
  async ended(): Promise<{ readonly closed: Closed | null; readonly code: number | null }> {
    while (!this.hasEnded) await once(this.#changes, 'change')
    return { closed: this.#closed, code: this.#child.exitCode }
  }

  /** Lets the process close and end, if it has not already. */
  async leave(): Promise<void> {
    if (!this.hasEnded && this.#child.connected) this.#child.send({ id: 0, verb: 'leave', args: [] })
    await this.ended()
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }

  eventsOf<Type extends TokenEvent['type']>(type: Type): Extract<TokenEvent, { type: Type }>[] {
    return this.events.filter((event): event is Extract<TokenEvent, { type: Type }> => event.type === type)
  }

  async #call<Result>(verb: string, ...args: unknown[]): Promise<Result> {
    this.#calls += 1
    const id = this.#calls
    this.#child.send({ id, verb, args })
    await this.until(() => this.#answers.has(id))
    const { error, result } = this.#answers.get(id) ?? {}
    this.#answers.delete(id)
    if (error !== undefined) throw new Error(error)
    return result as Result
  }
}
