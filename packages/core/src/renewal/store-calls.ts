import { DeadlineExceeded, withDeadline } from '../deadline.js'
import { isShopifyTokenError, StoreUnavailableError } from '../errors.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { PutResult, Snapshot, TokenStore, Version } from '../ports/token-store.js'
import type { RecordKey, TokenRecord } from '../token.js'

/**
 * The store with a deadline on every call. Whatever goes wrong becomes one of our errors; a rejected `put` means that
 * nobody knows whether it happened.
 */
export class StoreCalls {
  readonly #store: TokenStore
  readonly #clock: Clock
  readonly #timeoutMs: number

  readonly #events: EventBus

  constructor(store: TokenStore, clock: Clock, timeoutMs: number, events: EventBus) {
    this.#store = store
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#events = events
  }

  get(key: RecordKey): Promise<Snapshot> {
    return this.#bounded(key, () => this.#store.get(key))
  }

  put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    return this.#bounded(key, () => this.#store.put(key, record, expected))
  }

  async #bounded<T>(key: RecordKey, call: () => Promise<T>): Promise<T> {
    try {
      return await withDeadline(this.#clock, this.#timeoutMs, call)
    } catch (error) {
      if (isShopifyTokenError(error)) {
        if (error.code === 'ERR_STORE_UNREADABLE') this.#events.emit({ type: 'store.unreadable', shop: key.shop })
        throw error
      }
      const why = error instanceof DeadlineExceeded ? 'did not answer in time' : 'failed'
      throw new StoreUnavailableError(`The token store ${why}.`, { shop: key.shop, cause: error })
    }
  }
}
