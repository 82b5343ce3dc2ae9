import { DeadlineExceeded, withDeadline } from '../deadline.js'
import { isShopifyTokenError, StoreUnavailableError } from '../errors.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { DeliveryLog } from '../ports/delivery-log.js'
import type { PutResult, Snapshot, TokenStore, Version } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import type { RecordKey, TokenRecord } from '../token.js'

/** The register of deployments, for this app. */
export interface BoundRegister {
  read(): Promise<string | null>
  write(deployment: string, expected: string | null): Promise<boolean>
}

/**
 * The store with a deadline on every call. Whatever goes wrong becomes one of our errors; a rejected `put` means that
 * nobody knows whether it happened.
 */
export class StoreCalls {
  readonly #store: TokenStore
  readonly #clientId: string
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #events: EventBus

  constructor(store: TokenStore, clientId: string, clock: Clock, timeoutMs: number, events: EventBus) {
    this.#store = store
    this.#clientId = clientId
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#events = events
  }

  /** Reads the row. */
  get(key: RecordKey): Promise<Snapshot> {
    return this.#read(key.shop, () => this.#store.get(key))
  }

  put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    return this.#bounded(key.shop, () => this.#store.put(key, record, expected))
  }

  /** Notes in the row that somebody wants it renewed. */
  ask(key: RecordKey): Promise<void> {
    return this.#bounded(key.shop, () => this.#store.ask(key))
  }

  /** Where the app's deployment is on record; `null`: the store keeps none. */
  get deployments(): BoundRegister | null {
    const register = this.#store.deployments
    if (register === undefined) return null
    return {
      read: () => this.#read(undefined, () => register.read(this.#clientId)),
      write: (deployment, expected) =>
        this.#bounded(undefined, () => register.write(this.#clientId, deployment, expected)),
    }
  }

  /** What was done once and must not be done again; `null`: the store does not remember it. */
  get deliveries(): DeliveryLog | null {
    const log = this.#store.deliveries
    if (log === undefined) return null
    return {
      begin: (delivery, leaseMs) => this.#bounded(undefined, () => log.begin(delivery, leaseMs)),
      finish: (delivery, claim) => this.#bounded(undefined, () => log.finish(delivery, claim)),
      release: (delivery, claim) => this.#bounded(undefined, () => log.release(delivery, claim)),
    }
  }

  /** A read that failed is repeated once, if there is time: its connection may have been dead before it began. */
  #read<T>(shop: Shop | undefined, read: () => Promise<T>): Promise<T> {
    return this.#bounded(shop, (late) =>
      read().catch((error: unknown) => {
        if (late.aborted || (isShopifyTokenError(error) && error.code !== 'ERR_STORE_UNAVAILABLE')) throw error
        return read()
      }),
    )
  }

  async #bounded<T>(shop: Shop | undefined, call: (late: AbortSignal) => Promise<T>): Promise<T> {
    try {
      return await withDeadline(this.#clock, this.#timeoutMs, call)
    } catch (error) {
      if (isShopifyTokenError(error)) {
        if (error.code === 'ERR_STORE_UNREADABLE' && shop !== undefined) {
          this.#events.emit({ type: 'store.unreadable', shop })
        }
        throw error
      }
      const why = error instanceof DeadlineExceeded ? 'did not answer in time' : 'failed'
      throw new StoreUnavailableError(`The token store ${why}.`, { shop, cause: error })
    }
  }
}
