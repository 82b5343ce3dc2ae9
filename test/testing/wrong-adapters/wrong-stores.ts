import type {
  DeliveryKey,
  DeliveryState,
  PutResult,
  RecordKey,
  ScannedRow,
  ScanQuery,
  Snapshot,
  StoreUnreadableError,
  TokenRecord,
  Version,
  WriteWatch,
} from '@shopify-tokens/core'
import {
  type Claimed,
  type Database,
  type Entry,
  HonestStore,
  type Place,
  type Row,
  type ScanOrder,
} from './honest-store.js'

/** Replaces whatever is there. */
export class LastWriteWins extends HonestStore {
  protected override isExpected(): boolean {
    return true
  }
}

/** `UPDATE … WHERE key`, after a `SELECT` that compared the version. */
export class ChecksThenWrites extends HonestStore {
  protected override async isExpected(present: Row | undefined, expected: string): Promise<boolean> {
    const isExpected = await super.isExpected(present, expected)
    await Promise.resolve()
    return isExpected
  }
}

/** `INSERT … ON CONFLICT DO NOTHING`, and never looks whether it did something. */
export class CreatesForEveryCaller extends HonestStore {
  override async put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult> {
    const result = await super.put(key, record, expected)
    return result.outcome === 'conflict' && expected === 'absent'
      ? this.answer(this.successor(key, record, undefined))
      : result
  }
}

/** `INSERT … ON DUPLICATE KEY UPDATE` also where a version is expected. */
export class CreatesInsteadOfReplacing extends HonestStore {
  protected override isExpected(present: Row | undefined, expected: string): boolean | Promise<boolean> {
    return present === undefined || super.isExpected(present, expected)
  }
}

/** Writes the fields that the record has, and leaves the others as they were. */
export class ForgetsDeletedFields extends HonestStore {
  protected override successor(key: RecordKey, record: TokenRecord, present: Row | undefined): Row {
    return super.successor(key, { ...present?.record, ...record }, present)
  }
}

/** A `varchar(255)` outside strict mode. */
export class CutsTokens extends HonestStore {
  protected override take(record: TokenRecord): TokenRecord {
    const taken = super.take(record)
    return 'accessToken' in taken ? { ...taken, accessToken: taken.accessToken.slice(0, 255) } : taken
  }
}

/** Keeps the caller's object, and hands out its own. */
export class SharesItsObjects extends HonestStore {
  protected override take(record: TokenRecord): TokenRecord {
    return record
  }

  protected override handOut(record: TokenRecord): TokenRecord {
    return record
  }
}

/** MariaDB's default collation. */
export class FoldsCase extends HonestStore {
  protected override nameOf(key: RecordKey): string {
    return super.nameOf(key).toLowerCase()
  }
}

/** Calls a missing row an empty one. */
export class InventsRows extends HonestStore {
  override async get(key: RecordKey): Promise<Snapshot> {
    const snapshot = await super.get(key)
    return snapshot.record === null ? { ...snapshot, revision: 1 } : snapshot
  }
}

/** Answers with the version that it has replaced. */
export class AnswersTheOldVersion extends HonestStore {
  protected override answer(row: Row): PutResult {
    return { ...super.answer(row), revision: row.revision - 1 } as PutResult
  }
}

/** A counter as version. */
export class CountsVersions extends HonestStore {
  protected override successor(key: RecordKey, record: TokenRecord, present: Row | undefined): Row {
    const row = super.successor(key, record, present)
    return { ...row, version: String(row.revision) }
  }
}

/** A counter as version that a removal sets back. */
export class RestartsVersionsAfterRemoval extends HonestStore {
  protected override successor(key: RecordKey, record: TokenRecord, present: Row | undefined): Row {
    const row = super.successor(key, record, present)
    const version = present === undefined || present.record.kind === 'removed' ? 1 : Number(present.version) + 1
    return { ...row, version: String(version) }
  }
}

/** Reads what it saw or wrote itself last: a replica that follows its own session only, or a snapshot held open. */
export class ReadsASnapshot extends HonestStore {
  readonly #seen = new Map<string, Row | undefined>()

  override async get(key: RecordKey): Promise<Snapshot> {
    const name = this.nameOf(key)
    if (!this.#seen.has(name)) this.#seen.set(name, this.read(key))
    return this.snapshot(this.#seen.get(name), key)
  }

  protected override write(key: RecordKey, row: Row): void {
    super.write(key, row)
    this.#seen.set(this.nameOf(key), row)
  }
}

/** Tells the time of its own process. */
export class TellsItsOwnTime extends HonestStore {
  readonly #offsetMs: number

  constructor(database: Database, instance: number) {
    super(database)
    this.#offsetMs = instance * 3_600_000
  }

  protected override now(): number {
    return super.now() + this.#offsetMs
  }
}

/** Takes the rejected promise of a write for a slow success. */
export class AnswersWrittenOnTimeout extends HonestStore {
  protected override onTimeout(_error: unknown, row: Row): PutResult {
    return this.answer(row)
  }
}

/** Uses the connection of whichever transaction is open around it. */
export class JoinsTheAmbientTransaction extends HonestStore {
  protected override read(key: RecordKey): Row | undefined {
    return this.database.inTransaction().get(this.nameOf(key))
  }

  protected override write(key: RecordKey, row: Row): void {
    this.database.write(this.nameOf(key), row, this.database.inTransaction())
  }
}

/** Looks at the version alone when it writes. */
export class OverwritesNewerFormats extends HonestStore {
  protected override isExpected(present: Row | undefined, expected: string): boolean {
    return (present?.version ?? 'absent') === expected
  }
}

/** Writes the whole row to note that it was asked for. */
export class AsksWithAWrite extends HonestStore {
  override async ask(key: RecordKey): Promise<void> {
    const row = this.read(key)
    if (row === undefined) return
    this.write(key, { ...this.successor(key, row.record, row), askedAt: this.now() })
  }
}

/** Keeps `askedAt` through a write. */
export class KeepsAsking extends HonestStore {
  protected override successor(key: RecordKey, record: TokenRecord, present: Row | undefined): Row {
    return { ...super.successor(key, record, present), askedAt: present?.askedAt ?? null }
  }
}

/** The order of a language, in which punctuation does not count. */
export class OrdersByLanguage extends HonestStore {
  protected override order(rows: Row[]): Row[] {
    return rows.sort((a, b) => a.key.shop.localeCompare(b.key.shop, 'en', { ignorePunctuation: true }))
  }
}

/** Looks at `sweepAt` alone. */
export class NeverFindsTheAsked extends HonestStore {
  protected override instantOf(row: Row, order: ScanOrder, query: ScanQuery): number {
    return order === 'asked' ? -1 : super.instantOf(row, order, query)
  }
}

/** Finds what is urgent, and goes through it from A to Z. */
export class SweepsFromAToZ extends HonestStore {
  protected override instantOf(row: Row, order: ScanOrder, query: ScanQuery): number {
    return Math.min(0, super.instantOf(row, order, query))
  }
}

/** `WHERE sweep_at > ?`, where several rows may have the instant of the last one. */
export class GoesOnBehindTheInstant extends HonestStore {
  protected override isBehind(a: Place, b: Place): boolean {
    return a.at === 0 ? super.isBehind(a, b) : a.at > b.at
  }
}

/** Two queries, one after the other. */
export class VisitsTheAskedAgain extends HonestStore {
  protected override isPassed(): boolean {
    return false
  }
}

/** `AND asked_at IS NULL`, which a write in between makes true, and another shop's process untrue. */
export class TellsTheAskedByTheirRows extends HonestStore {
  protected override isPassed(row: Row, _asked: Set<string>, order: ScanOrder): boolean {
    return order === 'due' && row.askedAt !== null
  }
}

/** Goes on behind a shop that says nothing of how far the sweep had come. */
export class BeginsASweepAnywhere extends HonestStore {
  protected override refuseAfter(): void {
    // Ignored.
  }
}

/** Ends every scan at the first row that it cannot understand. */
export class StopsAtTheUnreadable extends HonestStore {
  protected override tell(error: StoreUnreadableError): void {
    throw error
  }
}

/** `OFFSET` by what was seen so far. */
export class ScansByOffset extends HonestStore {
  override async *scan(query: ScanQuery): AsyncGenerator<ScannedRow, void, undefined> {
    const { pageSize = 100 } = query
    for (let offset = 0; ; offset += pageSize) {
      const all: ScannedRow[] = []
      for await (const row of super.scan({ ...query, pageSize: 1_000 })) all.push(row)
      const page = all.slice(offset, offset + pageSize)
      yield* page
      if (page.length < pageSize) return
    }
  }
}

/** Announces what it is about to write. */
export class AnnouncesTooSoon extends HonestStore {
  protected override write(key: RecordKey, row: Row): void {
    super.announce(key)
    super.write(key, row)
  }

  protected override announce(): void {
    // It has done so.
  }
}

/** Announces the shop, and leaves whose it is to be guessed. */
export class AnnouncesTheShopAlone extends HonestStore {
  protected override announce({ shop }: RecordKey): void {
    super.announce({ clientId: '', shop })
  }
}

/** Forgets to stop. */
export class NeverStopsAnnouncing extends HonestStore {
  override watch(listener: (key: RecordKey) => void): WriteWatch {
    const watch = super.watch(listener)
    let isClosed = false
    return {
      isLive: () => !isClosed && watch.isLive(),
      close: async () => {
        isClosed = true
      },
    }
  }
}

/** Says what it hopes for. */
export class IsAlwaysLive extends HonestStore {
  override watch(listener: (key: RecordKey) => void): WriteWatch {
    return { ...super.watch(listener), isLive: () => true }
  }
}

/** A `varchar` that is too short, outside strict mode. */
export class CutsDeployments extends HonestStore {
  protected override takeDeployment(deployment: string): string {
    return deployment.slice(0, 60)
  }
}

/** An upsert. */
export class NamesWhoeverComes extends HonestStore {
  protected override isDeployment(): boolean {
    return true
  }
}

/** One deployment for the whole database, whichever the app. */
export class KeepsOneDeployment extends HonestStore {
  protected override appOf(): string {
    return 'all'
  }
}

/** `UPDATE … WHERE client_id`, after a `SELECT` that compared the name. */
export class LooksThenNames extends HonestStore {
  protected override async isDeployment(clientId: string, expected: string | null): Promise<boolean> {
    const isExpected = await super.isDeployment(clientId, expected)
    await Promise.resolve()
    return isExpected
  }
}

/** Remembers in each process for itself. */
export class RemembersForItself extends HonestStore {
  readonly #own = new Map<string, Entry>()

  protected override get entries(): Map<string, Entry> {
    return this.#own
  }
}

/** Takes the row out when the work is done. */
export class ForgetsWhatIsDone extends HonestStore {
  protected override finish({ name }: Claimed): void {
    this.entries.delete(name)
  }
}

/** A collation that ignores case. */
export class FoldsTheCaseOfDeliveries extends HonestStore {
  protected override deliveryOf(delivery: DeliveryKey): string {
    return super.deliveryOf(delivery).toLowerCase()
  }
}

/** A `varchar` that is too short, outside strict mode. */
export class CutsDeliveries extends HonestStore {
  protected override deliveryOf(delivery: DeliveryKey): string {
    return super.deliveryOf({ ...delivery, id: delivery.id.slice(0, 64) })
  }
}

/** A `SELECT`, then an upsert. */
export class LooksThenClaims extends HonestStore {
  protected override async outcomeOf(delivery: DeliveryKey): Promise<DeliveryState['outcome']> {
    const outcome = await super.outcomeOf(delivery)
    await Promise.resolve()
    return outcome
  }
}

/** Whoever has begun has begun. */
export class NeverTakesOver extends HonestStore {
  protected override holds(): boolean {
    return true
  }
}

/** Takes over from whoever has not come back, at once. */
export class KeepsNoLease extends HonestStore {
  protected override holds(): boolean {
    return false
  }
}

/** Leaves a run that has failed to its lease. */
export class ReleasesNothing extends HonestStore {
  protected override release(): void {
    // The lease will end.
  }
}

/** `DELETE … WHERE delivery`, whoever holds it. */
export class ReleasesEveryClaim extends HonestStore {
  protected override release({ name }: Claimed): void {
    this.entries.delete(name)
  }
}

/** `… WHERE claim`: a run that was overtaken has done nothing. */
export class FinishesItsOwnClaim extends HonestStore {
  protected override finish(claimed: Claimed): void {
    if (this.entries.get(claimed.name)?.claim === claimed.claim) super.finish(claimed)
  }
}

/** `… WHERE claimed_until <= now`, whatever stands in `claim`. */
export class IsDoneForOneLease extends HonestStore {
  protected override isDone(): boolean {
    return false
  }
}
