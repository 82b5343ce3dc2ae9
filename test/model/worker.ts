import { once, setMaxListeners } from 'node:events'
import {
  type Clock,
  createTokenManager,
  type KeyRing,
  type MemoryTokenStore,
  type PutResult,
  type RecordKey,
  type Shop,
  type TokenManager,
  type TokenRecord,
  type TokenStore,
  type Version,
} from '@shopify-tokens/core'
import { type FakeClock, FaultyStore, type StoreFault } from '@shopify-tokens/testing'
import type { Network } from './network.js'
import type { Granted } from './reference.js'

export const CLIENT_ID = 'model-client-id'
export const CLIENT_SECRET = 'model-client-secret'

/** The machine that a process runs on; its clock outlives the process. */
export interface Machine {
  readonly name: string
  skewMs: number
}

export type Verb = 'get' | 'put' | 'fetch'

/** The port call at which a process is to die: before it takes effect, or after it and before the process hears of it. */
export interface Death {
  readonly verb: Verb
  readonly when: 'before' | 'after'
  readonly nth: number
}

export interface Surroundings {
  readonly clock: FakeClock
  readonly network: Network
  readonly rows: MemoryTokenStore
  readonly keyRing: KeyRing
  readonly random: () => number
  /** Told of every write that took place, whether its writer will hear of it or not. */
  onWritten(worker: Worker, shop: Shop, before: TokenRecord | null, record: TokenRecord): void
}

const never = <T>(): Promise<T> => new Promise<T>(() => undefined)

/** One process: a manager, and ports that a script can break. Once dead, nothing of it ever goes on. */
export class Worker {
  readonly machine: Machine
  readonly manager: TokenManager
  readonly pending = new Map<Granted, string>()
  /** When it last read a shop's row, monotonic. */
  readonly readAt = new Map<Shop, number>()
  /** Shops of which it has served an ended token when it was time to look again, and since when the token had ended. */
  readonly servedEnded = new Map<Shop, number>()
  /** Resolves when the process dies. */
  readonly death: Promise<unknown>
  /** How often its store failed it. */
  storeFaults = 0
  readonly #surroundings: Surroundings
  readonly #store: FaultyStore
  readonly #scripted = { get: 0, put: 0 }
  readonly #died = new AbortController()
  #death: (Death & { left: number }) | null = null
  #knownSkewMs = 0

  constructor(machine: Machine, surroundings: Surroundings) {
    this.machine = machine
    this.#surroundings = surroundings
    this.death = once(this.#died.signal, 'abort')
    // Every sleep of the process listens.
    setMaxListeners(0, this.#died.signal)
    const { clock, keyRing, network, random } = surroundings
    this.#store = new FaultyStore(this.#recorded(), { clock })
    this.manager = createTokenManager({
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      store: this.#mortal(),
      sealing: keyRing,
      clock: this.#clock(),
      cacheSize: 10,
      fetch: (url, init) => this.#call('fetch', () => network.send(this, url, init)),
      random,
    })
  }

  isDead(): boolean {
    return this.#died.signal.aborted
  }

  /** Its clock is wrong, and it cannot know. */
  get misled(): boolean {
    return Math.abs(this.machine.skewMs - this.#knownSkewMs) > 60_000
  }

  /** By how much its idea of the time would be off on a machine whose clock is off by `skewMs`. */
  wouldBeOffBy(skewMs: number): number {
    return Math.abs(skewMs - this.#knownSkewMs)
  }

  heardFromShopify(): void {
    this.#knownSkewMs = this.machine.skewMs
  }

  dieAt(death: Death): void {
    this.#death = { ...death, left: death.nth }
  }

  breakStore(verb: 'get' | 'put', ...faults: readonly StoreFault[]): void {
    this.#store.next(verb, ...faults)
    this.#scripted[verb] += faults.length
  }

  /** Takes back what was scripted and has not happened yet. */
  heal(): void {
    this.#store.heal()
    this.#scripted.get = this.#scripted.put = 0
    this.#death = null
  }

  #recorded(): TokenStore {
    const { onWritten, rows } = this.#surroundings
    return {
      get: (key) => rows.get(key),
      put: async (key, record, expected): Promise<PutResult> => {
        const before = await rows.get(key)
        const result = await rows.put(key, record, expected)
        if (result.outcome === 'written') onWritten(this, key.shop, before.record, record)
        return result
      },
      scan: (query) => rows.scan(query),
      ask: (key) => rows.ask(key),
    }
  }

  #mortal(): TokenStore {
    return {
      get: async (key) => {
        const snapshot = await this.#call('get', () => this.#store.get(key))
        this.readAt.set(key.shop, this.#surroundings.clock.monotonic())
        return snapshot
      },
      put: (key: RecordKey, record: TokenRecord, expected: Version | 'absent') =>
        this.#call('put', () => this.#store.put(key, record, expected)),
      scan: (query) => this.#store.scan(query),
      ask: (key) => this.#store.ask(key),
    }
  }

  #clock(): Clock {
    const { clock } = this.#surroundings
    return {
      now: () => clock.now() + this.machine.skewMs,
      monotonic: () => clock.monotonic(),
      sleep: async (ms, signal) => {
        const both = signal === undefined ? this.#died.signal : AbortSignal.any([signal, this.#died.signal])
        await clock
          .sleep(ms, both)
          .catch((error: unknown) => (this.isDead() ? never() : Promise.reject(error as Error)))
      },
    }
  }

  async #call<T>(verb: Verb, act: () => Promise<T>): Promise<T> {
    const { clock, random } = this.#surroundings
    if (verb !== 'fetch' && this.#scripted[verb] > 0) {
      this.#scripted[verb]--
      this.storeFaults++
    }
    this.#meetDeath(verb, 'before')
    if (this.isDead()) return never()
    await clock.sleep(Math.floor(random() * (verb === 'fetch' ? 60 : 4)))
    if (this.isDead()) return never()
    const result = await act().catch((error: unknown) => (this.isDead() ? never<T>() : Promise.reject(error as Error)))
    this.#meetDeath(verb, 'after')
    return this.isDead() ? never() : result
  }

  #meetDeath(verb: Verb, when: Death['when']): void {
    const death = this.#death
    if (death?.verb !== verb || death.when !== when || --death.left > 0) return
    this.#died.abort(new Error('killed'))
  }
}
