import { randomUUID } from 'node:crypto'
import { type Clock, systemClock } from '../ports/clock.js'
import type { DeliveryLog } from '../ports/delivery-log.js'
import type { DeploymentRegister } from '../ports/deployment-register.js'
import type { PutResult, ScanQuery, ScannedRow, Snapshot, TokenStore, Version } from '../ports/token-store.js'
import type { Shop } from '../shop.js'
import type { RecordKey, TokenRecord } from '../token.js'
import { MemoryDeliveryLog } from './memory-delivery-log.js'

interface Row {
  readonly record: TokenRecord
  readonly version: Version
  readonly revision: number
  readonly askedAt: number | null
}

const PAGE_SIZE = 100

/**
 * Keeps records in this process: for tests and for trying things out. **The tokens die with the process**, and no other
 * process sees them, so an app that restarts sends every merchant through authorization again.
 *
 * Keeps every promise of {@link TokenStore}; its clock is the backend's clock.
 */
export class MemoryTokenStore implements TokenStore {
  /** Never rejects. */
  readonly deployments: DeploymentRegister = {
    read: (clientId) => Promise.resolve(this.#deployments.get(clientId) ?? null),
    write: (clientId, deployment, expected) => {
      const fits = (this.#deployments.get(clientId) ?? null) === expected
      if (fits) this.#deployments.set(clientId, deployment)
      return Promise.resolve(fits)
    },
  }
  /** Never rejects. */
  readonly deliveries: DeliveryLog
  readonly #deployments = new Map<string, string>()
  readonly #apps = new Map<string, Map<Shop, Row>>()
  readonly #clock: Clock

  /** @param options `clock`: tells `now` and `askedAt`. Default: the machine's clock. */
  constructor(options: { readonly clock?: Clock | undefined } = {}) {
    this.#clock = options.clock ?? systemClock
    this.deliveries = new MemoryDeliveryLog({ clock: this.#clock })
  }

  /** Reads the row of `key`. Never rejects. */
  get(key: RecordKey): Promise<Snapshot> {
    return Promise.resolve(this.#snapshot(key))
  }

  /** Compare-and-set of the row of `key`. Never rejects. */
  put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    const present = this.#snapshot(key)
    if (present.version !== expected) return Promise.resolve({ outcome: 'conflict', present })

    const version = randomUUID() as string as Version
    const revision = present.revision + 1
    this.#app(key.clientId).set(key.shop, { record: structuredClone(record), version, revision, askedAt: null })
    return Promise.resolve({ outcome: 'written', version, revision })
  }

  /** Visits the matching rows in the order of their shops. Rows may change while it runs. */
  async *scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    const { after, pageSize = PAGE_SIZE } = query
    let page = this.#page(query, after ?? '', pageSize)
    for (;;) {
      yield* page
      const last = page.at(-1)
      if (last === undefined || page.length < pageSize) return
      page = await Promise.resolve(this.#page(query, last.key.shop, pageSize))
    }
  }

  /** Sets `askedAt` of a row that exists. Never rejects. */
  ask(key: RecordKey): Promise<void> {
    const row = this.#app(key.clientId).get(key.shop)
    if (row !== undefined) this.#app(key.clientId).set(key.shop, { ...row, askedAt: this.#clock.now() })
    return Promise.resolve()
  }

  #page(query: ScanQuery, after: string, size: number): ScannedRow[] {
    const { clientId } = query
    const now = this.#clock.now()
    return [...this.#app(clientId)]
      .filter(([shop, row]) => shop > after && matches(row, query))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .slice(0, size)
      .map(([shop, row]) => ({ key: { clientId, shop }, ...row, record: structuredClone(row.record), now }))
  }

  #snapshot(key: RecordKey): Snapshot {
    const now = this.#clock.now()
    const row = this.#app(key.clientId).get(key.shop)
    if (row === undefined) return { record: null, version: 'absent', revision: 0, askedAt: null, now }
    return { ...row, record: structuredClone(row.record), now }
  }

  #app(clientId: string): Map<Shop, Row> {
    const known = this.#apps.get(clientId)
    if (known !== undefined) return known
    const created = new Map<Shop, Row>()
    this.#apps.set(clientId, created)
    return created
  }
}

function matches({ record, askedAt }: Row, { kinds, marked, sweepBefore }: ScanQuery): boolean {
  if (kinds !== undefined && !kinds.includes(record.kind)) return false
  if (marked !== undefined && marked !== (record.mark !== null)) return false
  if (sweepBefore === undefined || askedAt !== null) return true
  return record.sweepAt !== null && record.sweepAt <= sweepBefore
}
