import type { Dialect } from './dialects/dialect.js'
import type { Parameter } from './row.js'

/** SQL text and what goes into its places. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly Parameter[]
}

/** Collects parameters while the SQL text around them is written. */
export class Parameters {
  readonly values: Parameter[] = []
  readonly #dialect: Dialect
  readonly #now: () => number

  constructor(dialect: Dialect, now: () => number) {
    this.#dialect = dialect
    this.#now = now
  }

  /** The place of `value` in the text. */
  add(value: Parameter): string {
    this.values.push(value)
    return this.#dialect.placeholder(this.values.length)
  }

  /** The backend's clock. */
  now(): string {
    return this.#dialect.now ?? this.add(Math.floor(this.#now()))
  }
}

/**
 * A statement in the words of one database. Parameters are added in the order in which their places come in the text.
 *
 * @param now This process's clock, for databases whose clock it is.
 */
export function toStatement(dialect: Dialect, now: () => number, text: (parameters: Parameters) => string): Statement {
  const parameters = new Parameters(dialect, now)
  const sql = text(parameters)
  return { sql, parameters: parameters.values }
}
