/** The two functions of a test runner that a contract needs: jest's, vitest's, mocha's and node:test's all fit. */
export interface ContractRunner {
  describe(title: string, body: () => void): void
  it(title: string, body: () => Promise<void>): void
}

/** One sentence of a contract. Its id never changes its meaning, so that documents and adapters can refer to it. */
export interface Clause {
  /** Such as `TS-07`. */
  readonly id: string
  /** What the adapter does, as a sentence without its subject. */
  readonly title: string
}

/** A clause and how it is checked. */
export interface CheckedClause<Bench> extends Clause {
  /** The optional hook of the backend that the check needs; without it the clause is not checked. */
  readonly needs?: string
  /** What the adapter must have beyond the rest; without it the clause is not checked. */
  readonly capability?: string
  readonly check: (bench: Bench) => Promise<void>
}

/** How many callers the concurrency clauses run. */
export const CALLERS = 50

/** The results of `CALLERS` callers that start together, each with its number. */
export function together<Result>(call: (caller: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: CALLERS }, (_, caller) => call(caller)))
}
