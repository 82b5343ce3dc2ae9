import {
  candidates,
  fingerprint,
  type PutResult,
  type RecordKey,
  type ScanQuery,
  type ScannedRow,
  type Snapshot,
  type TokenRecord,
  type TokenStore,
  type Version,
} from '@shopify-tokens/core'
import type { Journal, PutStep } from './journal.js'
import type { KillSwitch } from './kill-switch.js'

/** Refresh tokens that have arrived from Shopify and are not stored yet, by shop. */
export class Arrived {
  readonly #tokens = new Map<string, Set<string>>()

  add(shop: string, refreshToken: string): void {
    const tokens = this.#tokens.get(shop) ?? new Set()
    this.#tokens.set(shop, tokens.add(refreshToken))
  }

  among(shop: string, refreshTokens: readonly string[]): readonly string[] {
    return refreshTokens.filter((token) => this.#tokens.get(shop)?.has(token) === true)
  }

  stored(shop: string, refreshTokens: readonly string[]): void {
    for (const token of refreshTokens) this.#tokens.get(shop)?.delete(token)
  }
}

/** What those that watch a worker's ports share. */
export interface Watch {
  readonly journal: Journal
  readonly killSwitch: KillSwitch
  readonly arrived: Arrived
}

/** Writes every put down before and after it happens, and dies where it is told to. Sees records in the clear. */
export class WatchedStore implements TokenStore {
  readonly watch: TokenStore['watch']
  readonly deliveries: TokenStore['deliveries']
  readonly deployments: TokenStore['deployments']
  readonly #inner: TokenStore
  readonly #journal: Journal
  readonly #killSwitch: KillSwitch
  readonly #arrived: Arrived
  readonly #leaseMs: number
  /** Ids of the attempts seen in each row so far, and all credentials that they named. Reads may overtake each other. */
  readonly #attempts = new Map<string, Set<string>>()
  readonly #announced = new Set<string>()
  readonly #announcedAt = new Map<string, number>()
  #puts = 0

  constructor(inner: TokenStore, { journal, killSwitch, arrived }: Watch, leaseMs: number) {
    this.#inner = inner
    this.#journal = journal
    this.#killSwitch = killSwitch
    this.#arrived = arrived
    this.#leaseMs = leaseMs
    this.watch = inner.watch?.bind(inner)
    this.deliveries = inner.deliveries
    this.deployments = inner.deployments
  }

  async get(key: RecordKey): Promise<Snapshot> {
    const snapshot = await this.#inner.get(key)
    this.#seen(key.shop, snapshot.record)
    return snapshot
  }

  async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    const { shop } = key
    const tokens = candidates(record)
    const arrived = this.#arrived.among(shop, tokens)
    const step = this.#stepOf(shop, record, arrived)
    if (step === 'attempt') {
      this.#killSwitch.reached('before-attempt', shop)
      this.#announcedAt.set(shop, performance.now())
    }
    if (step === 'pair') {
      this.#killSwitch.reached('before-put', shop)
      const sinceMs = performance.now() - (this.#announcedAt.get(shop) ?? Infinity)
      if (sinceMs > this.#leaseMs) this.#journal.write({ t: 'lease-expired', shop })
      this.#announcedAt.delete(shop)
    }
    const id = `${process.pid}-${(this.#puts += 1)}`
    this.#journal.write({ t: 'put', id, shop, step, expected, tokens, at: Date.now() })
    const result = await this.#inner.put(key, record, expected)
    if (result.outcome === 'conflict') {
      this.#journal.write({ t: 'conflict', id })
      this.#seen(shop, result.present.record)
      return result
    }
    this.#journal.write({ t: 'written', id, version: result.version, at: Date.now() })
    this.#seen(shop, record)
    if (step === 'attempt') this.#killSwitch.reached('after-attempt', shop)
    if (step === 'pair') this.#killSwitch.reached('after-put', shop)
    return result
  }

  /** Whether an attempt has been in a row that names a credential. */
  isAnnounced(credential: string): boolean {
    return this.#announced.has(fingerprint(credential))
  }

  scan(query: ScanQuery): AsyncIterable<ScannedRow> {
    return this.#inner.scan(query)
  }

  ask(key: RecordKey): Promise<void> {
    return this.#inner.ask(key)
  }

  #stepOf(shop: string, record: TokenRecord, arrived: readonly string[]): PutStep {
    const known = this.#attempts.get(shop)
    if (record.attempts.some(({ id }) => known?.has(id) !== true)) return 'attempt'
    return arrived.length > 0 ? 'pair' : 'other'
  }

  #seen(shop: string, record: TokenRecord | null): void {
    const known = this.#attempts.get(shop) ?? new Set()
    this.#attempts.set(shop, known)
    for (const { id, credential } of record?.attempts ?? []) {
      known.add(id)
      this.#announced.add(credential)
    }
    this.#arrived.stored(shop, candidates(record))
  }
}
