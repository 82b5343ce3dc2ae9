import { DeadlineExceeded, untilAborted, withDeadline } from '../deadline.js'
import type { Shop } from '../shop.js'
import type { ServableRecord } from '../token.js'
import { ElsewhereRun } from './elsewhere-run.js'
import { leaseTimeout, patienceMs } from './patience.js'
import { RenewalRun } from './renewal-run.js'
import type { RunContext } from './run-context.js'
import { type Flight, SingleFlight } from './single-flight.js'
import type { Want } from './want.js'

/**
 * The one way to a new pair, whatever brings it: per shop and process one run at a time. Callers who only want a token
 * that works share a run; an acquisition is never shared, because each has a credential of its own to present.
 */
export class Gate {
  readonly #context: RunContext
  readonly #flights = new SingleFlight<ServableRecord>()

  constructor(context: RunContext) {
    this.#context = context
  }

  /** Joins the run under way for `shop`, or begins one. */
  share(shop: Shop, want: Want): { readonly flight: Flight<ServableRecord>; readonly joined: boolean } {
    return this.#flights.share(shop, () => this.#begin(shop, want))
  }

  /** Begins a run of the caller's own, after the one under way. */
  alone(shop: Shop, want: Want): Promise<Flight<ServableRecord>> {
    return this.#patiently(shop, (signal) => this.#flights.alone(shop, () => this.#begin(shop, want), signal))
  }

  /** What a run brings. A caller waits no longer than a lease may last; the run goes on without them. */
  outcome(shop: Shop, { usable }: Flight<ServableRecord>, signal: AbortSignal | undefined): Promise<ServableRecord> {
    return this.#patiently(shop, () => untilAborted(usable, signal))
  }

  /** Resolves when a run has nothing left to do. */
  end(shop: Shop, { settled }: Flight<ServableRecord>): Promise<void> {
    return this.#patiently(shop, () => settled)
  }

  isRunning(shop: Shop): boolean {
    return this.#flights.isRunning(shop)
  }

  /** Resolves when the runs now under way have ended. After `closing`, those that begin later mint nothing. */
  async settled(): Promise<void> {
    await Promise.all(this.#flights.running().map(([, { settled }]) => settled))
  }

  async #patiently<T>(shop: Shop, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const { clock, durations } = this.#context
    try {
      return await withDeadline(clock, patienceMs(durations), work)
    } catch (error) {
      if (error instanceof DeadlineExceeded) throw leaseTimeout(shop)
      throw error
    }
  }

  #begin(shop: Shop, want: Want): Flight<ServableRecord> {
    this.#context.news.begin()
    const Run = this.#context.renewsElsewhere ? ElsewhereRun : RenewalRun
    let settled = Promise.resolve()
    let hasRenewed = (): boolean => false
    const usable = new Promise<ServableRecord>((resolve, reject) => {
      const run = new Run(this.#context, shop, want, resolve)
      settled = run.execute().then(resolve, reject)
      hasRenewed = () => run.hasRenewed
    })
    // Nobody may be waiting for a run behind a request; its failure is told by events, not by an unhandled rejection.
    usable.catch(() => undefined)
    return { usable, settled, hasRenewed }
  }
}
