/** A held lock. */
export interface Lease {
  /** How long it still holds, in milliseconds, by the backend's clock; 0 when it is over. */
  remainingMs(): Promise<number>
  /** Gives it back. Does nothing when it is over or somebody else holds the lock by now. */
  release(): Promise<void>
}

/** Somebody else holds it. */
export interface Held {
  /** How long the present holder may still keep it, in milliseconds. */
  readonly heldForMs: number
}

/**
 * An optional lock in front of the store: it spares the database writes when many processes want to renew one shop.
 * Correctness never rests on it, so it needs no fencing token; the record's version is the fence.
 *
 * - The owner is random per acquisition, and only the owner releases.
 * - Time is the backend's: a process with a wrong clock cannot break a lease.
 * - `tryAcquire` answers at once. It never waits in a queue.
 */
export interface Lock {
  /** Takes `resource` for `leaseMs` milliseconds, or says how long it is held. Rejects when the backend is away. */
  tryAcquire(resource: string, leaseMs: number): Promise<Lease | Held>
}

/** Tells the two answers of {@link Lock.tryAcquire} apart. */
export function isHeld(answer: Lease | Held): answer is Held {
  return 'heldForMs' in answer
}
