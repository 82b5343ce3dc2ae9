import type { Clock } from './ports/clock.js'

/** The work did not end in time. Whether it had an effect is unknown. */
export class DeadlineExceeded extends Error {
  override readonly name = 'DeadlineExceeded'

  constructor(ms: number) {
    super(`No answer within ${String(ms)} ms.`)
  }
}

/** Nobody sees it. Without a reason of one's own each abort makes a DOMException, stack and all. */
const DONE = new Error('The work has ended.')

/**
 * Runs `work` and rejects with {@link DeadlineExceeded} when it takes longer than `ms`. The signal given to `work`
 * aborts then; work that ignores it goes on unheard.
 */
export async function withDeadline<T>(clock: Clock, ms: number, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const timeout = new AbortController()
  const done = new AbortController()
  const expiry = clock.sleep(ms, done.signal).then(
    () => {
      const error = new DeadlineExceeded(ms)
      timeout.abort(error)
      throw error
    },
    () => new Promise<never>(() => undefined),
  )
  try {
    return await Promise.race([work(timeout.signal), expiry])
  } finally {
    done.abort(DONE)
  }
}

/** Waits for `work`, but no longer than the caller wants to: rejects with `signal.reason` when it aborts. The work goes on. */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work
  let leave = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error)
    }
    if (signal.aborted) stop()
    else leave = onAbort(signal, stop)
  })
  try {
    // Raced even when nobody waits any more: a failure of `work` that nobody hears would end the process.
    return await Promise.race([aborted, work])
  } finally {
    leave()
  }
}

interface Waiting {
  readonly stops: Set<() => void>
  readonly stopAll: () => void
}

/** Who waits on a signal at present. */
const waiting = new WeakMap<AbortSignal, Waiting>()

/**
 * Calls `stop` when `signal` aborts; the answer takes that back. One listener per signal, however many wait: a job hands
 * one signal to all its calls, and from the eleventh listener on Node.js warns of a leak.
 */
function onAbort(signal: AbortSignal, stop: () => void): () => void {
  const { stops, stopAll } = waiting.get(signal) ?? listen(signal)
  stops.add(stop)
  return () => {
    stops.delete(stop)
    if (stops.size > 0) return
    signal.removeEventListener('abort', stopAll)
    waiting.delete(signal)
  }
}

function listen(signal: AbortSignal): Waiting {
  const stops = new Set<() => void>()
  const stopAll = (): void => {
    for (const stop of stops) stop()
  }
  signal.addEventListener('abort', stopAll, { once: true })
  const present = { stops, stopAll }
  waiting.set(signal, present)
  return present
}
