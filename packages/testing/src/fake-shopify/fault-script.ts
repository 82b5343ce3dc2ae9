import type { RequestTraits } from './barrier.js'
import { Signal } from './barrier.js'
import type { Fault, FaultOptions } from './fault.js'

/** A scripted fault in a test's hand. */
export interface FaultHandle {
  /** On how many requests it has taken effect so far. */
  readonly struck: number
  /** Resolves when it has struck `n` requests (default 1); rejects when the fake is closed before. */
  untilStruck(n?: number): Promise<void>
  /**
   * Delivers what `late` and `twice` are holding back and resolves when Shopify has acted on all of it. Requests struck
   * afterwards are delivered at once. May be called twice; nothing to deliver for other kinds.
   */
  release(): Promise<void>
  /** Takes the fault out of the script. What it has struck stays struck. */
  cancel(): void
}

/** A fault that has been drawn for a request: what to do, and when a held-back delivery may go. */
export interface DrawnFault {
  readonly fault: Fault
  /** Resolves at `release()`. */
  readonly released: Promise<void>
  /** Hands over work that `release()` is to wait for. */
  delivering(work: Promise<void>): void
  /** Tells the test that the fault has taken effect: the connection is cut, or Shopify has acted and hangs. */
  tookEffect(): void
}

/** Chooses a fault for a request, `undefined` for none: the seeded schedule of a chaos run. */
export type FaultChooser = (request: RequestTraits) => Fault | undefined

/** The faults to come. Requests draw in the order in which faults were scripted; then the chooser is asked. */
export class FaultScript {
  readonly #scripted: ScriptedFault[] = []
  readonly #drawn = new Set<ScriptedFault>()
  #chooser: FaultChooser | undefined

  /**
   * Scripts a fault for the next matching request of a shop, or of any shop (`'*'`). Several faults for one shop strike
   * one after the other.
   */
  next(shop: string, fault: Fault, options: FaultOptions = {}): FaultHandle {
    const { times = 1 } = options
    if (!(times === Infinity || (Number.isInteger(times) && times >= 1))) {
      throw new RangeError('times must be an integer of at least 1, or Infinity')
    }
    const scripted = new ScriptedFault(shop, fault, options, times, () => {
      this.#remove(scripted)
    })
    this.#scripted.push(scripted)
    return scripted
  }

  /** Asks `chooser` for every request that no scripted fault strikes; `undefined` ends that. */
  choose(chooser: FaultChooser | undefined): void {
    this.#chooser = chooser
  }

  /** Takes out the faults of one shop, or all of them and the chooser. What has been struck stays struck. */
  clear(shop?: string): void {
    for (const scripted of [...this.#scripted]) if (shop === undefined || scripted.shop === shop) scripted.cancel()
    if (shop === undefined) this.#chooser = undefined
  }

  /** Draws the fault for a request. */
  draw(request: RequestTraits): DrawnFault | undefined {
    const scripted = this.#scripted.find((candidate) => candidate.matches(request))
    if (scripted !== undefined) {
      this.#drawn.add(scripted)
      return scripted.draw()
    }
    const fault = this.#chooser?.(request)
    return fault === undefined ? undefined : new ScriptedFault('*', fault, {}, 1, () => undefined).draw()
  }

  /** Gives every waiting test up. */
  close(reason: Error): void {
    for (const scripted of [...this.#drawn, ...this.#scripted]) scripted.abandon(reason)
  }

  #remove(scripted: ScriptedFault): void {
    const position = this.#scripted.indexOf(scripted)
    if (position >= 0) this.#scripted.splice(position, 1)
  }
}

class ScriptedFault implements FaultHandle, DrawnFault {
  readonly shop: string
  readonly fault: Fault
  readonly #options: FaultOptions
  readonly #times: number
  readonly #usedUp: () => void
  readonly #release = new Signal()
  readonly #waiting: { readonly n: number; readonly signal: Signal }[] = []
  readonly #deliveries: Promise<void>[] = []
  #draws = 0
  #struck = 0

  constructor(shop: string, fault: Fault, options: FaultOptions, times: number, usedUp: () => void) {
    this.shop = shop
    this.fault = fault
    this.#options = options
    this.#times = times
    this.#usedUp = usedUp
  }

  get struck(): number {
    return this.#struck
  }

  get released(): Promise<void> {
    return this.#release.promise
  }

  matches({ endpoint, shop, grant }: RequestTraits): boolean {
    if (endpoint !== (this.#options.endpoint ?? 'token')) return false
    return (this.shop === '*' || this.shop === shop) && (this.#options.grant ?? grant) === grant
  }

  draw(): this {
    this.#draws += 1
    if (this.#draws >= this.#times) this.#usedUp()
    return this
  }

  tookEffect(): void {
    this.#struck += 1
    for (const { n, signal } of this.#waiting) if (this.#struck >= n) signal.resolve()
  }

  async untilStruck(n = 1): Promise<void> {
    if (this.#struck >= n) return
    const signal = new Signal()
    this.#waiting.push({ n, signal })
    await signal.promise
  }

  delivering(work: Promise<void>): void {
    this.#deliveries.push(work)
  }

  async release(): Promise<void> {
    this.#release.resolve()
    await Promise.all(this.#deliveries)
  }

  cancel(): void {
    this.#usedUp()
  }

  abandon(reason: Error): void {
    this.#release.reject(reason)
    for (const { signal } of this.#waiting) signal.reject(reason)
  }
}
