import {
  type DeliveryLog,
  type DeploymentRegister,
  type PutResult,
  type RecordKey,
  type ScannedRow,
  type ScanQuery,
  type Snapshot,
  StoreUnavailableError,
  type TokenRecord,
  type TokenStore,
  type Version,
} from '@shopify-tokens/core'

/** A store and how to let go of it. */
export interface OpenStore {
  readonly store: TokenStore & { readonly deliveries: DeliveryLog; readonly deployments: DeploymentRegister }
  close(): Promise<void>
}

/**
 * A store that is opened by its first call. Callers that come while it is being opened wait for the same attempt; after
 * a failed one the next call tries again, so that a database that comes up late is found.
 */
export class LazyTokenStore implements TokenStore {
  readonly deliveries: DeliveryLog = {
    begin: async (delivery, leaseMs) => (await this.#opened()).deliveries.begin(delivery, leaseMs),
    finish: async (delivery, claim) => (await this.#opened()).deliveries.finish(delivery, claim),
    release: async (delivery, claim) => (await this.#opened()).deliveries.release(delivery, claim),
  }
  readonly deployments: DeploymentRegister = {
    read: async (clientId) => (await this.#opened()).deployments.read(clientId),
    write: async (clientId, deployment, expected) =>
      (await this.#opened()).deployments.write(clientId, deployment, expected),
  }
  readonly #open: () => Promise<OpenStore>
  #opening: Promise<OpenStore> | null = null
  #isClosed = false

  constructor(open: () => Promise<OpenStore>) {
    this.#open = open
  }

  /** Opens the store now. */
  async ready(): Promise<void> {
    await this.#opened()
  }

  /** Closes what was opened; every later call is refused. */
  async close(): Promise<void> {
    this.#isClosed = true
    const opening = this.#opening
    this.#opening = null
    const opened = await opening?.catch(() => undefined)
    await opened?.close()
  }

  async get(key: RecordKey): Promise<Snapshot> {
    return (await this.#opened()).get(key)
  }

  async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    return (await this.#opened()).put(key, record, expected)
  }

  async *scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    yield* (await this.#opened()).scan(query)
  }

  async ask(key: RecordKey): Promise<void> {
    await (await this.#opened()).ask(key)
  }

  async #opened(): Promise<OpenStore['store']> {
    if (this.#isClosed) throw new StoreUnavailableError('The token store has been closed.')
    const opening = (this.#opening ??= this.#open())
    try {
      return (await opening).store
    } catch (error) {
      if (this.#opening === opening) this.#opening = null
      throw error
    }
  }
}
