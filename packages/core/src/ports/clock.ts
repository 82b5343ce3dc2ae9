import { setTimeout as delay } from 'node:timers/promises'

/** The only door to time: tests drive it, and nothing else in the project reads a clock or sets a timer. */
export interface Clock {
  /** Wall time in epoch milliseconds, as this machine tells it. */
  now(): number
  /** Milliseconds since some fixed instant; never jumps. For durations. */
  monotonic(): number
  /** Resolves after `ms` milliseconds, or rejects with `signal.reason` as soon as `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

/** The machine's own clock. A pending sleep keeps the process alive: a renewal that waits to retry must not be cut off. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, signal && { signal })
    } catch (error) {
      // The timer rejects with an AbortError of its own; callers are promised the signal's reason.
      if (signal?.aborted) throw signal.reason
      throw error
    }
  },
}
