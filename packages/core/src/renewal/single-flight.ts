/** A run that callers share. */
export interface Flight<T> {
  /** Resolves as soon as there is something to serve. */
  readonly usable: Promise<T>
  /** Resolves when the run has nothing left to do; never rejects. */
  readonly settled: Promise<void>
  /** Whether new tokens have come of it so far. */
  readonly hasRenewed: () => boolean
}

/**
 * Runs at most one piece of work per key at a time. Callers that arrive while it runs share its outcome, success or
 * failure; the next caller after it has settled starts afresh.
 *
 * The run belongs to no caller: whoever stops waiting leaves it running. By then the authorization server may already
 * have rotated the refresh token, and abandoning the run would lose the only copy of its successor.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>()

  /** Joins the run under `key`, or starts one. `joined`: the run was begun by somebody else. */
  share(key: string, start: () => Flight<T>): { readonly flight: Flight<T>; readonly joined: boolean } {
    const running = this.#flights.get(key)
    if (running !== undefined) return { flight: running, joined: true }
    const flight = start()
    this.#flights.set(key, flight)
    void flight.settled.then(() => this.#flights.delete(key))
    return { flight, joined: false }
  }

  /** Starts a run of its own as soon as nobody else's is under way; none at all once `signal` has aborted. */
  async alone(key: string, start: () => Flight<T>, signal?: AbortSignal): Promise<Flight<T>> {
    for (;;) {
      signal?.throwIfAborted()
      const { flight, joined } = this.share(key, start)
      if (!joined) return flight
      await flight.settled
    }
  }

  isRunning(key: string): boolean {
    return this.#flights.has(key)
  }

  /** Every run under way, with its key. */
  running(): readonly (readonly [key: string, flight: Flight<T>])[] {
    return [...this.#flights]
  }
}
