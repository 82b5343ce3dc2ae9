import type { ExpiringRecord } from '@shopify-tokens/core'

export type Tokens = Pick<
  ExpiringRecord,
  'accessToken' | 'refreshToken' | 'predecessor' | 'obtainedAt' | 'expiresAt' | 'refreshTokenExpiresAt' | 'secretId'
>

/** What a renewal writes together. */
export function tokensOf(record: ExpiringRecord): Tokens {
  const { accessToken, refreshToken, predecessor, obtainedAt, expiresAt, refreshTokenExpiresAt, secretId } = record
  return { accessToken, refreshToken, predecessor, obtainedAt, expiresAt, refreshTokenExpiresAt, secretId }
}

/** Reads a row over and over on a connection of its own, as another process would. */
export class RowReader {
  readonly #seen: Tokens[] = []
  readonly #reading: Promise<void>
  #stopped = false

  constructor(read: () => Promise<ExpiringRecord>) {
    this.#reading = this.#readOn(read)
    // A test that has failed elsewhere does not stop it.
    this.#reading.catch(() => undefined)
  }

  /** Stops with a last look, and answers with the different states seen, in the order in which they were first seen. */
  async stop(): Promise<readonly Tokens[]> {
    this.#stopped = true
    await this.#reading
    return this.#seen
  }

  async #readOn(read: () => Promise<ExpiringRecord>): Promise<void> {
    for (let isLast = false; !isLast;) {
      // A read that was under way when it was stopped may be older than that: one more begins.
      isLast = this.#stopped
      const tokens = tokensOf(await read())
      const isNew = this.#seen.every((seen) => JSON.stringify(seen) !== JSON.stringify(tokens))
      if (isNew) this.#seen.push(tokens)
    }
  }
}
