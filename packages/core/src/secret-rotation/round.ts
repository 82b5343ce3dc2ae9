import type { RepinFailure } from './repin-options.js'

const MAX_LISTED = 1_000

/** What one visit of all shops has found. */
export class Round {
  /** Shops with tokens that were in order when they were looked at. */
  settled = 0
  /** Renewals that brought a pair. */
  renewed = 0
  /** Of these, shops whose row carried another secret's id before. */
  repinned = 0
  /** Shops that have failed. */
  failed = 0
  /** Of these, shops that another try may help. */
  retryable = 0
  readonly #failures: RepinFailure[] = []

  fail(failure: RepinFailure, retryable: boolean): void {
    this.failed += 1
    if (retryable) this.retryable += 1
    if (this.#failures.length < MAX_LISTED) this.#failures.push(failure)
  }

  /** In the order of their names. */
  get failures(): readonly RepinFailure[] {
    return this.#failures.toSorted((a, b) => (a.shop < b.shop ? -1 : 1))
  }
}
