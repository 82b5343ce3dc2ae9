import type { StoreUnreadableError } from '../errors.js'
import type { Shop } from '../shop.js'
import type { RecordKey, TokenRecord } from '../token.js'
import type { DeliveryLog } from './delivery-log.js'
import type { DeploymentRegister } from './deployment-register.js'
import type { WatchWrites } from './write-watch.js'

declare const versionBrand: unique symbol

/**
 * Names one write of one row. Opaque, compared for equality only, fresh and random with every write: it never repeats
 * for a key, not across removal, reinstallation, fail-over or a restored backup. A counter would, and a delayed writer
 * would then replace a record it has never read.
 */
export type Version = string & { readonly [versionBrand]: true }

/** A row as it was read. */
export interface Snapshot {
  /** `null`: there is no row. */
  readonly record: TokenRecord | null
  /** `'absent'`: there is no row; put with it to create one. */
  readonly version: Version | 'absent'
  /** Counts the row's writes, for people. Nothing decides by it. 0: there is no row. */
  readonly revision: number
  /** When a process that may not renew last asked for this shop; a put clears it. By the backend's clock. */
  readonly askedAt: number | null
  /** The backend's clock at the time of the read, in epoch milliseconds: all processes share it. */
  readonly now: number
}

/** Losing is an answer, not an error. */
export type PutResult =
  | { readonly outcome: 'written'; readonly version: Version; readonly revision: number }
  | { readonly outcome: 'conflict'; readonly present: Snapshot }

/** Which rows a {@link TokenStore.scan} visits, and in which order. All given conditions must hold. */
export interface ScanQuery {
  readonly clientId: string
  /** Only these kinds. */
  readonly kinds?: readonly TokenRecord['kind'][] | undefined
  /** Only marked (`true`) or unmarked (`false`) rows. */
  readonly marked?: boolean | undefined
  /** Only rows whose `sweepAt` is not after this instant, or that have been asked for: a sweep, with an order of its own. */
  readonly sweepBefore?: number | undefined
  /**
   * Only shops that sort after this one: where an earlier scan stopped. Not with `sweepBefore`, for no shop tells where
   * a sweep stopped: `ERR_INVALID_OPTION`.
   */
  readonly after?: Shop | undefined
  /** Hears of every row that cannot be understood, and the scan goes on behind it. Absent: such a row ends the scan. */
  readonly onUnreadable?: ((error: StoreUnreadableError) => void) | undefined
  /** How many rows one page of the backend holds. 1 to 1 000; the default is the store's choice. */
  readonly pageSize?: number | undefined
}

/** A row that a scan has visited. */
export interface ScannedRow extends Snapshot {
  readonly key: RecordKey
  readonly record: TokenRecord
}

/**
 * Keeps one record per key. Written for the people who implement it; `tokenStoreContract` in `@shopify-tokens/testing`
 * checks every sentence below.
 *
 * - A record comes back exactly as it was put, and as a value of its own: changing it afterwards changes nothing stored.
 * - Reads see every acknowledged write of every process: read from the primary, never from a replica or a snapshot.
 * - Statements run on connections of the store's own, outside any transaction of the application.
 * - Every call ends within a bounded time.
 */
export interface TokenStore {
  /**
   * Reads the row of `key`.
   *
   * Rejects with `ERR_STORE_UNAVAILABLE` when the backend does not answer and with `ERR_STORE_UNREADABLE` when the row
   * cannot be understood; neither means "no record".
   */
  get(key: RecordKey): Promise<Snapshot>

  /**
   * Compare-and-set: replaces the row only if its version is still `expected` (`'absent'`: only if there is no row).
   * `written` means committed, and that exactly the row that the caller had read was replaced. Clears `askedAt`.
   *
   * A rejection or a time-out means that the outcome is **unknown**: the write may have happened. Never answer
   * `written` or `conflict` in doubt.
   */
  put(key: RecordKey, record: TokenRecord, expected: Version | 'absent'): Promise<PutResult>

  /**
   * Visits the matching rows of one app, each once and a page at a time, never the whole table in memory.
   *
   * - In the order of their shops, bytewise.
   * - With `sweepBefore` by urgency: what was asked for, the longest waiting first, then what is due, the longest due
   *   first; what is alike in the order of the shops. The cost grows with these rows, not with the table.
   *
   * Rows may be written while the scan goes on. In a sweep each counts where it stands when the scan comes there: one
   * that was visited as asked for is not visited again, one that is due no longer is left out, one that has fallen due
   * once more comes once more, and one that has moved to before that place is left to the next sweep.
   *
   * A row that cannot be understood ends the scan with `ERR_STORE_UNREADABLE`, naming the shop, unless `onUnreadable`
   * hears of it.
   */
  scan(query: ScanQuery): AsyncIterable<ScannedRow>

  /** Sets `askedAt` to the backend's clock and leaves record and version alone. A key without a row: does nothing. */
  ask(key: RecordKey): Promise<void>

  /** Optional: announces the writes of other processes. Absent: callers look at the rows in short intervals. */
  readonly watch?: WatchWrites | undefined

  /** Optional: keeps the name of the deployment beside the records. Absent: `deploymentId` cannot be used. */
  readonly deployments?: DeploymentRegister | undefined

  /** Optional: remembers what was done once and must not be done again. Absent: each process remembers for itself. */
  readonly deliveries?: DeliveryLog | undefined
}
