import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import {
  type DeliveryKey,
  type DeliveryLog,
  type DeliveryState,
  type DeploymentRegister,
  invalidOption,
  type PutResult,
  type RecordKey,
  type ScannedRow,
  type ScanQuery,
  type Snapshot,
  StoreUnavailableError,
  StoreUnreadableError,
  type TokenRecord,
  type TokenStore,
  type Version,
  type WriteWatch,
} from '@shopify-tokens/core'
import { FAKE_EPOCH, type TokenStoreBackend } from '@shopify-tokens/testing'

export interface Row {
  readonly key: RecordKey
  readonly record: TokenRecord
  readonly version: string
  readonly revision: number
  readonly askedAt: number | null
  readonly format: number
}

/** A delivery that was given out, or is done. */
export interface Entry {
  readonly claim: string | null
  readonly until: number
}

/** A delivery, under the name by which it is remembered, and the proof that it was given out. */
export interface Claimed {
  readonly name: string
  readonly claim: string
}

/** By shop, or one of the two halves of a sweep. */
export type ScanOrder = 'shop' | 'asked' | 'due'

/** Where a row stands in an order. */
export interface Place {
  readonly at: number
  readonly shop: string
}

type Outcome = DeliveryState['outcome']

type Rows = Map<string, Row>

export class TimedOut extends Error {}

/** Who is told of the writes of other stores. */
export interface Watcher {
  readonly owner: TokenStore
  readonly listener: (key: RecordKey) => void
}

/** A pretended database: rows, a clock, transactions of an application, and locks that others hold. */
export class Database {
  readonly committed: Rows = new Map<string, Row>()
  readonly ambient = new AsyncLocalStorage<Rows>()
  readonly stalled = new Set<string>()
  now = FAKE_EPOCH
  readonly deliveries = new Map<string, Entry>()
  readonly deployments = new Map<string, string>()
  readonly watchers = new Set<Watcher>()

  nameOf({ clientId, shop }: RecordKey): string {
    return `${clientId} ${shop}`
  }

  /** Writes one row, unless somebody else holds its lock for longer than the writer will wait. */
  write(name: string, row: Row | null, rows: Rows = this.committed): void {
    if (this.stalled.has(name)) throw new TimedOut()
    if (row === null) rows.delete(name)
    else rows.set(name, row)
  }

  announce(key: RecordKey, writer: TokenStore): void {
    for (const { owner, listener } of this.watchers) if (owner !== writer) listener(key)
  }

  /** What an application's transaction sees: its own writes above what is committed. */
  inTransaction(): Rows {
    return this.ambient.getStore() ?? this.committed
  }
}

/** An adapter that keeps the contract, in steps that the wrong ones replace one at a time. */
export class HonestStore implements TokenStore {
  readonly deliveries: DeliveryLog = {
    begin: async (delivery, leaseMs) => {
      let outcome = this.outcomeOf(delivery)
      if (typeof outcome !== 'string') outcome = await outcome
      if (outcome !== 'run') return { outcome }
      const claim = randomUUID()
      this.entries.set(this.deliveryOf(delivery), { claim, until: this.now() + leaseMs })
      return { outcome, claim }
    },
    finish: async (delivery, claim) => {
      this.finish({ name: this.deliveryOf(delivery), claim })
    },
    release: async (delivery, claim) => {
      this.release({ name: this.deliveryOf(delivery), claim })
    },
  }
  readonly deployments: DeploymentRegister = {
    read: async (clientId) => this.deploymentOf(clientId),
    write: async (clientId, deployment, expected) => {
      let isExpected = this.isDeployment(clientId, expected)
      if (typeof isExpected !== 'boolean') isExpected = await isExpected
      if (isExpected) this.database.deployments.set(this.appOf(clientId), this.takeDeployment(deployment))
      return isExpected
    },
  }
  protected readonly database: Database

  constructor(database: Database) {
    this.database = database
  }

  async get(key: RecordKey): Promise<Snapshot> {
    return this.snapshot(this.read(key), key)
  }

  async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    const present = this.read(key)
    let isExpected = this.isExpected(present, expected)
    if (typeof isExpected !== 'boolean') isExpected = await isExpected
    if (!isExpected) return { outcome: 'conflict', present: this.snapshot(present, key) }
    const row = this.successor(key, this.take(record), present)
    try {
      this.write(key, row)
    } catch (error) {
      return this.onTimeout(error, row)
    }
    this.announce(key)
    return this.answer(row)
  }

  async *scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    const { after, sweepBefore } = query
    if (sweepBefore === undefined) {
      yield* this.inOrder(query, 'shop', () => false)
      return
    }
    if (after !== undefined) this.refuseAfter(after)
    const asked = new Set<string>()
    for (const order of ['asked', 'due'] as const) {
      for await (const row of this.inOrder(query, order, (found) => this.isPassed(found, asked, order))) yield row
    }
  }

  async ask(key: RecordKey): Promise<void> {
    const row = this.read(key)
    if (row !== undefined) this.database.committed.set(this.nameOf(key), { ...row, askedAt: this.now() })
  }

  watch(listener: (key: RecordKey) => void): WriteWatch {
    const watcher = { owner: this, listener }
    const { watchers } = this.database
    watchers.add(watcher)
    return {
      isLive: () => watchers.has(watcher),
      close: async () => {
        watchers.delete(watcher)
      },
    }
  }

  protected get entries(): Map<string, Entry> {
    return this.database.deliveries
  }

  /** Under which name a delivery is remembered. */
  protected deliveryOf({ clientId, id }: DeliveryKey): string {
    return `${clientId} ${id}`
  }

  protected outcomeOf(delivery: DeliveryKey): Outcome | Promise<Outcome> {
    const entry = this.entries.get(this.deliveryOf(delivery))
    if (entry === undefined || !(this.isDone(entry) || this.holds(entry))) return 'run'
    return entry.claim === null ? 'done' : 'running'
  }

  protected isDone({ claim }: Entry): boolean {
    return claim === null
  }

  protected holds({ until }: Entry): boolean {
    return this.now() < until
  }

  protected finish({ name }: Claimed): void {
    this.entries.set(name, { claim: null, until: this.entries.get(name)?.until ?? 0 })
  }

  protected release({ name, claim }: Claimed): void {
    if (this.entries.get(name)?.claim === claim) this.entries.delete(name)
  }

  protected announce(key: RecordKey): void {
    this.database.announce(key, this)
  }

  /** Under which name the deployment of an app is on record. */
  protected appOf(clientId: string): string {
    return clientId
  }

  protected deploymentOf(clientId: string): string | null {
    return this.database.deployments.get(this.appOf(clientId)) ?? null
  }

  protected isDeployment(clientId: string, expected: string | null): boolean | Promise<boolean> {
    return this.deploymentOf(clientId) === expected
  }

  protected takeDeployment(deployment: string): string {
    return deployment
  }

  protected nameOf(key: RecordKey): string {
    return this.database.nameOf(key)
  }

  protected read(key: RecordKey): Row | undefined {
    return this.database.committed.get(this.nameOf(key))
  }

  protected write(key: RecordKey, row: Row): void {
    this.database.write(this.nameOf(key), row)
  }

  /** Answers at once: between this look and the write nobody else gets a turn. */
  protected isExpected(present: Row | undefined, expected: string): boolean | Promise<boolean> {
    if (present !== undefined && !this.isReadable(present)) throw unreadable(present.key)
    return (present?.version ?? 'absent') === expected
  }

  protected isReadable({ format }: Row): boolean {
    return format === 1
  }

  protected successor(key: RecordKey, record: TokenRecord, present: Row | undefined): Row {
    const revision = (present?.revision ?? 0) + 1
    return { key, record, version: randomUUID(), revision, askedAt: null, format: 1 }
  }

  protected answer({ version, revision }: Row): PutResult {
    return { outcome: 'written', version: version as Version, revision }
  }

  protected onTimeout(error: unknown, { key }: Row): PutResult {
    throw new StoreUnavailableError('no answer', { shop: key.shop, cause: error })
  }

  protected take(record: TokenRecord): TokenRecord {
    return structuredClone(record)
  }

  protected handOut(record: TokenRecord): TokenRecord {
    return structuredClone(record)
  }

  protected now(): number {
    return this.database.now
  }

  private async *inOrder(
    query: ScanQuery,
    order: ScanOrder,
    isPassed: (row: Row) => boolean,
  ): AsyncGenerator<ScannedRow, void, undefined> {
    const { clientId, pageSize = 100, after = '' } = query
    for (let place: Place = { at: order === 'shop' ? 0 : -1, shop: after }; ;) {
      const placeOf = (row: Row): Place => ({ at: this.instantOf(row, order, query), shop: row.key.shop })
      const rows = [...this.database.committed.values()].filter(
        (row) => row.key.clientId === clientId && this.isWanted(row, query) && placeOf(row).at >= 0,
      )
      const page = this.order(rows.filter((row) => this.isBehind(placeOf(row), place)))
        .sort((a, b) => placeOf(a).at - placeOf(b).at)
        .slice(0, pageSize)
      const places = page.map(placeOf)
      for (const row of page) {
        if (isPassed(row)) continue
        const scanned = this.understood(row, query)
        if (scanned !== null) yield scanned
      }
      const last = places.at(-1)
      if (last === undefined || page.length < pageSize) return
      place = last
    }
  }

  /** By what a row is ordered before its shop; -1: it has no place in that order. */
  protected instantOf({ askedAt, record: { sweepAt } }: Row, order: ScanOrder, { sweepBefore }: ScanQuery): number {
    if (order === 'shop') return 0
    if (order === 'asked') return askedAt ?? -1
    return sweepAt !== null && sweepBefore !== undefined && sweepAt <= sweepBefore ? sweepAt : -1
  }

  protected isBehind(a: Place, b: Place): boolean {
    return a.at > b.at || (a.at === b.at && a.shop > b.shop)
  }

  /** Whether a sweep has visited the row as one that was asked for; if not, and it is one, it does so now. */
  protected isPassed({ key: { shop } }: Row, asked: Set<string>, order: ScanOrder): boolean {
    if (asked.has(shop)) return true
    if (order === 'asked') asked.add(shop)
    return false
  }

  protected refuseAfter(after: string): void {
    throw invalidOption('after', 'absent where sweepBefore is given', after)
  }

  protected tell(error: StoreUnreadableError, { onUnreadable }: ScanQuery): void {
    if (onUnreadable === undefined) throw error
    onUnreadable(error)
  }

  private understood(row: Row, query: ScanQuery): ScannedRow | null {
    try {
      const { record, ...snapshot } = this.snapshot(row, row.key)
      return record && { key: row.key, record, ...snapshot }
    } catch (error) {
      if (!(error instanceof StoreUnreadableError)) throw error
      this.tell(error, query)
      return null
    }
  }

  protected order(rows: Row[]): Row[] {
    return rows.sort((a, b) => (a.key.shop < b.key.shop ? -1 : 1))
  }

  protected isWanted({ record }: Row, { kinds, marked }: ScanQuery): boolean {
    if (kinds?.includes(record.kind) === false) return false
    return marked === undefined || marked === (record.mark !== null)
  }

  protected snapshot(row: Row | undefined, key: RecordKey): Snapshot {
    const now = this.now()
    if (row === undefined) return { record: null, version: 'absent', revision: 0, askedAt: null, now }
    if (!this.isReadable(row)) throw unreadable(key)
    const { record, version, revision, askedAt } = row
    return { record: this.handOut(record), version: version as Version, revision, askedAt, now }
  }
}

function unreadable({ shop }: RecordKey): StoreUnreadableError {
  return new StoreUnreadableError('a newer format', { shop })
}

/** The contract's way into an adapter over a pretended database, all hooks included. */
export function backendOf(Adapter: new (database: Database, instance: number) => TokenStore): TokenStoreBackend {
  let database = new Database()
  return {
    name: Adapter.name,
    capabilities: ['watch', 'deployments', 'deliveries'],
    open() {
      database = new Database()
      return { store: new Adapter(database, 0), other: new Adapter(database, 1) }
    },
    async rollbackAround(work) {
      await database.ambient.run(new Map(database.committed), work)
    },
    async stallAround(key, work) {
      database.stalled.add(database.nameOf(key))
      await work()
      database.stalled.clear()
    },
    async erase(key) {
      database.committed.delete(database.nameOf(key))
    },
    async elapse(ms) {
      database.now += ms
    },
    async newerFormat(key) {
      const name = database.nameOf(key)
      database.committed.set(name, { ...database.committed.get(name)!, format: 2 })
    },
  }
}
