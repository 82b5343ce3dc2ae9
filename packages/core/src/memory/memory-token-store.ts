import { randomUUID } from 'node:crypto'
import { invalidOption } from '../option-checks.js'
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

/** By what a scan goes on: rows that are alike in it follow each other in the order of their shops. `null`: left out. */
type Order = (row: Row) => number | null

/** Where a page begins: behind it. */
interface Place {
  readonly at: number
  readonly shop: string
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

  /** Visits the matching rows, by shop or by urgency. Rows may change while it runs. */
  async *scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    const { after, sweepBefore } = query
    if (sweepBefore === undefined) {
      yield* this.#inOrder(query, () => 0, { at: 0, shop: after ?? '' })
      return
    }
    if (after !== undefined) throw invalidOption('after', 'absent where sweepBefore is given', after)
    const asked = new Set<Shop>()
    for await (const row of this.#inOrder(query, ({ askedAt }) => askedAt)) {
      // It may have been asked for again.
      if (asked.has(row.key.shop)) continue
      asked.add(row.key.shop)
      yield row
    }
    const dueSince: Order = ({ record: { sweepAt } }) => (sweepAt !== null && sweepAt <= sweepBefore ? sweepAt : null)
    for await (const row of this.#inOrder(query, dueSince)) if (!asked.has(row.key.shop)) yield row
  }

  /** Sets `askedAt` of a row that exists. Never rejects. */
  ask(key: RecordKey): Promise<void> {
    const row = this.#app(key.clientId).get(key.shop)
    if (row !== undefined) this.#app(key.clientId).set(key.shop, { ...row, askedAt: this.#clock.now() })
    return Promise.resolve()
  }

  async *#inOrder(
    query: ScanQuery,
    order: Order,
    from: Place = { at: -Infinity, shop: '' },
  ): AsyncGenerator<ScannedRow, void, undefined> {
    const { pageSize = PAGE_SIZE } = query
    for (let place = from; ;) {
      const page = await Promise.resolve(this.#page(query, order, place, pageSize))
      for (const found of page) {
        place = found.place
        yield found.row
      }
      if (page.length < pageSize) return
    }
  }

  #page(query: ScanQuery, order: Order, from: Place, size: number): { row: ScannedRow; place: Place }[] {
    const { clientId } = query
    const now = this.#clock.now()
    return [...this.#app(clientId)]
      .filter(([, row]) => matches(row, query))
      .flatMap(([shop, row]) => {
        const at = order(row)
        return at === null ? [] : [{ row, place: { at, shop } }]
      })
      .filter(({ place }) => compare(place, from) > 0)
      .sort((a, b) => compare(a.place, b.place))
      .slice(0, size)
      .map(({ row, place }) => ({
        row: { key: { clientId, shop: place.shop }, ...row, record: structuredClone(row.record), now },
        place,
      }))
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

function matches({ record }: Row, { kinds, marked }: ScanQuery): boolean {
  if (kinds !== undefined && !kinds.includes(record.kind)) return false
  return marked === undefined || marked === (record.mark !== null)
}

function compare(a: Place, b: Place): number {
  if (a.at !== b.at) return a.at - b.at
  if (a.shop === b.shop) return 0
  return a.shop < b.shop ? -1 : 1
}
