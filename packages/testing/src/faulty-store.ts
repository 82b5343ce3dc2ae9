import {
  type Clock,
  type DeliveryLog,
  type DeploymentRegister,
  type PutResult,
  type RecordKey,
  type ScanQuery,
  type ScannedRow,
  type Snapshot,
  StoreUnavailableError,
  systemClock,
  type TokenRecord,
  type TokenStore,
  type Version,
  type WatchWrites,
} from '@shopify-tokens/core'

/** The calls of a {@link TokenStore}. */
export type StoreVerb = 'get' | 'put' | 'scan' | 'ask'

/** What happens to one call. Made by {@link fault}. */
export type StoreFault =
  | { readonly kind: 'pass' }
  | { readonly kind: 'fail'; readonly applied: boolean; readonly error: unknown }
  | { readonly kind: 'hang'; readonly applied: boolean }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'meanwhile'; readonly run: () => Promise<unknown> }
  | { readonly kind: 'stale' }

/** The faults that {@link FaultyStore} plays. Those "after" let the call happen and lose its answer only. */
export const fault = {
  /** Nothing: lets one call through, so that the fault hits the one behind it. */
  pass: (): StoreFault => ({ kind: 'pass' }),
  /** The call does not reach the store. Default error: `ERR_STORE_UNAVAILABLE`. */
  failBefore: (error: unknown = unavailable()): StoreFault => ({ kind: 'fail', applied: false, error }),
  /** The call happens, and its answer is lost. Default error: `ERR_STORE_UNAVAILABLE`. */
  failAfter: (error: unknown = unavailable()): StoreFault => ({ kind: 'fail', applied: true, error }),
  /** The call reaches the store late: when {@link FaultyStore.heal} is called, and not before. */
  hangBefore: (): StoreFault => ({ kind: 'hang', applied: false }),
  /** The call happens, and no answer comes until {@link FaultyStore.heal}. */
  hangAfter: (): StoreFault => ({ kind: 'hang', applied: true }),
  /** The call begins `ms` milliseconds later. */
  delay: (ms: number): StoreFault => ({ kind: 'delay', ms }),
  /** `run` happens between the caller's decision and the store's: another process gets in between. */
  meanwhile: (run: () => Promise<unknown>): StoreFault => ({ kind: 'meanwhile', run }),
  /** For `get`: the row as it was before the last write that went through this wrapper, as from a lagging replica. */
  stale: (): StoreFault => ({ kind: 'stale' }),
}

/** One call, in the order in which they came. Holds the record in the clear. */
export type StoreCall =
  | { readonly verb: 'get' | 'ask'; readonly key: RecordKey }
  | {
      readonly verb: 'put'
      readonly key: RecordKey
      readonly record: TokenRecord
      readonly expected: Version | 'absent'
    }
  | { readonly verb: 'scan'; readonly query: ScanQuery }

/**
 * Passes every call on to another store, counts it, and plays the faults that a test has scripted.
 *
 * ```ts
 * const store = new FaultyStore(new MemoryTokenStore({ clock }), { clock })
 * store.next('put', fault.pass(), fault.failAfter()) // the second put is written, and its answer lost
 * …
 * expect(store.count('put')).toBe(3)
 * ```
 */
export class FaultyStore implements TokenStore {
  /** The other store's own; neither counted nor faulted. */
  readonly watch: WatchWrites | undefined
  /** The other store's own; neither counted nor faulted. */
  readonly deliveries: DeliveryLog | undefined
  /** The other store's own; neither counted nor faulted. */
  readonly deployments: DeploymentRegister | undefined
  /** Every call so far. */
  readonly calls: StoreCall[] = []
  readonly #inner: TokenStore
  readonly #clock: Clock
  readonly #script = new Map<StoreVerb, StoreFault[]>()
  readonly #standing = new Map<StoreVerb, StoreFault>()
  readonly #beforeLastPut = new Map<string, Snapshot>()
  #healed = new Gate()

  /** @param options `clock`: measures `fault.delay`. Default: the machine's clock. */
  constructor(inner: TokenStore, options: { readonly clock?: Clock | undefined } = {}) {
    this.watch = inner.watch?.bind(inner)
    this.deliveries = inner.deliveries
    this.deployments = inner.deployments
    this.#inner = inner
    this.#clock = options.clock ?? systemClock
  }

  /** Scripts the next calls of `verb`, one fault each; appends to what is scripted already. */
  next(verb: StoreVerb, ...faults: readonly StoreFault[]): this {
    this.#script.set(verb, [...(this.#script.get(verb) ?? []), ...faults])
    return this
  }

  /** Plays `always` for every call of `verb` that has no scripted fault, until {@link heal}. */
  always(verb: StoreVerb, always: StoreFault): this {
    this.#standing.set(verb, always)
    return this
  }

  /** Forgets all faults and lets every call that hangs go on. */
  heal(): void {
    this.#script.clear()
    this.#standing.clear()
    this.#healed.open()
    this.#healed = new Gate()
  }

  /** How many calls of `verb` there were; without `verb`, of all. */
  count(verb?: StoreVerb): number {
    return verb === undefined ? this.calls.length : this.calls.filter((call) => call.verb === verb).length
  }

  /** Forgets the calls counted so far. */
  resetCounts(): void {
    this.calls.length = 0
  }

  async get(key: RecordKey): Promise<Snapshot> {
    this.calls.push({ verb: 'get', key })
    const played = this.#take('get')
    if (played.kind === 'stale') {
      const present = await this.#inner.get(key)
      const earlier = this.#beforeLastPut.get(nameOf(key))
      return earlier === undefined ? present : { ...earlier, now: present.now }
    }
    return this.#play(played, () => this.#inner.get(key))
  }

  async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    this.calls.push({ verb: 'put', key, record: structuredClone(record), expected })
    return this.#play(this.#take('put'), async () => {
      const before = await this.#inner.get(key)
      const result = await this.#inner.put(key, record, expected)
      if (result.outcome === 'written') this.#beforeLastPut.set(nameOf(key), before)
      return result
    })
  }

  async *scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    this.calls.push({ verb: 'scan', query })
    await this.#play(this.#take('scan'), () => Promise.resolve())
    yield* this.#inner.scan(query)
  }

  async ask(key: RecordKey): Promise<void> {
    this.calls.push({ verb: 'ask', key })
    await this.#play(this.#take('ask'), () => this.#inner.ask(key))
  }

  #take(verb: StoreVerb): StoreFault {
    return this.#script.get(verb)?.shift() ?? this.#standing.get(verb) ?? fault.pass()
  }

  async #play<Result>(played: StoreFault, call: () => Promise<Result>): Promise<Result> {
    switch (played.kind) {
      case 'fail':
        if (played.applied) await call()
        throw played.error
      case 'hang': {
        const healed = this.#healed.opened
        if (!played.applied) return healed.then(call)
        const result = await call()
        return healed.then(() => result)
      }
      case 'delay':
        await this.#clock.sleep(played.ms)
        return call()
      case 'meanwhile':
        await played.run()
        return call()
      case 'stale':
      case 'pass':
        return call()
    }
  }
}

class Gate {
  open: () => void = () => undefined
  readonly opened = new Promise<void>((resolve) => (this.open = resolve))
}

function nameOf(key: RecordKey): string {
  return JSON.stringify([key.clientId, key.shop])
}

function unavailable(): StoreUnavailableError {
  return new StoreUnavailableError('The store did not answer (scripted by a test).')
}
