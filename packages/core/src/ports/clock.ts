import { setTimeout as delay } from 'node:timers/promises'

/** How a sleep behaves. */
export interface SleepOptions {
  /** Whether the pending sleep keeps the process alive. Default true: what waits to retry must not be cut off. */
  readonly ref?: boolean | undefined
}

/** The only door to time: tests drive it, and nothing else in the project reads a clock or sets a timer. */
export interface Clock {
  /** Wall time in epoch milliseconds, as this machine tells it. */
  now(): number
  /** Milliseconds since some fixed instant; never jumps. For durations. */
  monotonic(): number
  /** Resolves after `ms` milliseconds, or rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal, options?: SleepOptions): Promise<void>
}

/** A longer timer would overflow and fire at once. @see Node.js: "Timers", `setTimeout` */
const LONGEST_TIMER_MS = 2 ** 31 - 1

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal, { ref = true } = {}) {
    try {
      for (let left = ms; left > 0; left -= LONGEST_TIMER_MS) {
        await delay(Math.min(left, LONGEST_TIMER_MS), undefined, { signal, ref })
      }
      signal?.throwIfAborted()
    } catch (error) {
      // The timer rejects with an AbortError of its own; callers are promised the signal's reason.
      if (signal?.aborted) throw signal.reason
      throw error
    }
  },
}
