import type { Clock, SleepOptions } from '@shopify-tokens/core'

/** Where a fake clock and the record builders start: 2026-11-20T12:00:00Z, in epoch milliseconds. */
export const FAKE_EPOCH = Date.UTC(2026, 10, 20, 12)

/** How many turns of the event loop must pass with nothing happening before everything counts as asleep. */
const QUIET_TURNS = 8

/** @see FakeClock */
export interface FakeClockOptions {
  /** Wall time at the start, epoch milliseconds. Default {@link FAKE_EPOCH}. */
  readonly now?: number | undefined
  /**
   * Moves time on by itself, to the next sleeper, whenever nothing else is going on. Default false.
   *
   * While all that sleep do so with `ref: false` it stands still: a timer that repeats until `close()` would never end.
   *
   * Work that waits for something outside this process (a socket, a file) looks like nothing: pass such functions
   * through {@link FakeClock.watch}, and time stands still while one of their calls is under way.
   */
  readonly autoAdvance?: boolean | undefined
}

interface Sleeper {
  readonly dueAt: number
  readonly ref: boolean
  readonly wake: () => void
}

/**
 * A {@link Clock} that a test drives: no test sleeps, and hours pass in microseconds.
 *
 * ```ts
 * const clock = new FakeClock()
 * const nap = clock.sleep(60_000)
 * await clock.advance(60_000) // nap has resolved, and what was chained to it has run
 * ```
 */
export class FakeClock implements Clock {
  readonly #autoAdvance: boolean
  #wall: number
  #elapsed = 0
  #sleepers: Sleeper[] = []
  #watched = 0
  #activity = 0
  #idling = false
  #arrivals: { readonly count: number; readonly resolve: () => void }[] = []

  constructor(options: FakeClockOptions = {}) {
    this.#wall = options.now ?? FAKE_EPOCH
    this.#autoAdvance = options.autoAdvance ?? false
  }

  /** Wall time in epoch milliseconds. Moves with {@link advance} and {@link jump}. */
  now(): number {
    return this.#wall
  }

  /** Milliseconds since the clock was made. Moves with {@link advance} only. */
  monotonic(): number {
    return this.#elapsed
  }

  /** How many sleeps are pending. */
  get sleepers(): number {
    return this.#sleepers.length
  }

  /** Resolves when `ms` fake milliseconds have passed (at once for 0 and less), or rejects with `signal.reason`. */
  sleep(ms: number, signal?: AbortSignal, { ref = true }: SleepOptions = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason as Error)
        return
      }
      if (ms <= 0) {
        resolve()
        return
      }
      const onAbort = (): void => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
        this.#stir()
        reject(signal?.reason as Error)
      }
      const sleeper: Sleeper = {
        dueAt: this.#elapsed + ms,
        ref,
        wake: () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        },
      }
      signal?.addEventListener('abort', onAbort, { once: true })
      this.#sleepers.push(sleeper)
      this.#stir()
      this.#announceArrivals()
    })
  }

  /**
   * Lets `ms` milliseconds pass on both clocks. Sleepers wake in the order in which they are due, each at its own
   * instant; between two of them, and at the end, everything that the last one set off runs until it waits again.
   */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsed + ms
    await this.settle()
    for (;;) {
      const next = this.#nextDue()
      if (next === undefined || next.dueAt > target) break
      this.#wake(next)
      await this.settle()
    }
    this.#moveTo(target)
    await this.settle()
  }

  /** Sets the wall clock forward, or back, without any time passing: a correction by NTP or by hand. */
  jump(ms: number): void {
    this.#wall += ms
  }

  /** Resolves once at least `count` sleeps are pending: the code under test has come to where it waits. Default 1. */
  async untilAsleep(count = 1): Promise<void> {
    if (this.#sleepers.length >= count) return
    await new Promise<void>((resolve) => this.#arrivals.push({ count, resolve }))
  }

  /**
   * Lets pending promise chains run to where they wait again. Knows nothing of sockets and files: after those, wait for
   * what they bring, or for {@link untilAsleep}.
   */
  async settle(): Promise<void> {
    for (let turn = 0; turn < QUIET_TURNS; turn += 1) await turnOfTheEventLoop()
  }

  /** The same function, during whose calls an automatic clock stands still: for `fetch`, for a store's methods. */
  watch<Arguments extends unknown[], Result>(
    work: (...args: Arguments) => Promise<Result>,
  ): (...args: Arguments) => Promise<Result> {
    return async (...args) => {
      this.#watched += 1
      this.#activity += 1
      try {
        return await work(...args)
      } finally {
        this.#watched -= 1
        this.#stir()
      }
    }
  }

  #stir(): void {
    this.#activity += 1
    if (this.#autoAdvance && !this.#idling) void this.#advanceWhileIdle()
  }

  async #advanceWhileIdle(): Promise<void> {
    this.#idling = true
    while (this.#sleepers.some(({ ref }) => ref) && this.#watched === 0) {
      const before = this.#activity
      await this.settle()
      const next = this.#nextDue()
      if (next !== undefined && before === this.#activity) this.#wake(next)
    }
    this.#idling = false
  }

  #nextDue(): Sleeper | undefined {
    return this.#sleepers.reduce<Sleeper | undefined>(
      (first, sleeper) => (first === undefined || sleeper.dueAt < first.dueAt ? sleeper : first),
      undefined,
    )
  }

  #wake(sleeper: Sleeper): void {
    this.#moveTo(Math.max(this.#elapsed, sleeper.dueAt))
    this.#sleepers = this.#sleepers.filter((other) => other !== sleeper)
    sleeper.wake()
  }

  #moveTo(elapsed: number): void {
    this.#wall += elapsed - this.#elapsed
    this.#elapsed = elapsed
  }

  #announceArrivals(): void {
    const arrived = this.#arrivals.filter(({ count }) => this.#sleepers.length >= count)
    this.#arrivals = this.#arrivals.filter((arrival) => !arrived.includes(arrival))
    for (const { resolve } of arrived) resolve()
  }
}

function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
