import type { Attempt, TokenRecord } from '@shopify-tokens/core'
import { isNamedBy, named } from './renaming.js'

/**
 * The product draws attempt ids at random, and each ID token and each code is its own. Outside their run attempts are named by process
 * and number, so that equal situations look equal.
 */
export class AttemptNames {
  readonly #process: number
  readonly #bornAgedMs: number
  readonly #own: { readonly within: Attempt; readonly outside: Attempt }[] = []

  /** `bornAgedMs`: by how much every attempt looks older than it is. */
  constructor(process: number, bornAgedMs: number) {
    this.#process = process
    this.#bornAgedMs = bornAgedMs
  }

  /** A record on its way out of the run. */
  outward<R extends TokenRecord>(record: R): R {
    return { ...record, attempts: record.attempts.map((attempt) => this.#named(attempt)) }
  }

  /** A record on its way into the run. */
  inward<R extends TokenRecord>(record: R): R {
    const known = (attempt: Attempt): Attempt => {
      if (!isNamedBy(this.#process, attempt.id)) return attempt
      const own = this.#own.find(({ outside }) => outside.id === attempt.id)
      return own === undefined ? attempt : { ...own.within, at: attempt.at }
    }
    return { ...record, attempts: record.attempts.map(known) }
  }

  #named(attempt: Attempt): Attempt {
    if (/^p\d:/.test(attempt.id)) return attempt
    const known = this.#own.find(({ within }) => within.id === attempt.id)
    if (known !== undefined) return known.outside
    const id = named(this.#process, `attempt ${String(this.#own.length)}`)
    const isOfRow = attempt.grant === 'refresh' || attempt.grant === 'migration'
    const credential = isOfRow ? attempt.credential : named(this.#process, attempt.grant)
    const outside = { ...attempt, id, credential, at: attempt.at - this.#bornAgedMs }
    this.#own.push({ within: attempt, outside })
    return outside
  }
}
