import type { RecordKey } from '../token.js'

/** A running {@link WatchWrites}. */
export interface WriteWatch {
  /** Whether writes are being announced at present. While they are not, callers look at the rows themselves. */
  isLive(): boolean
  /** Ends it; no listener is called from then on. Resolves when nothing is held open for it. May be called twice. */
  close(): Promise<void>
}

/**
 * Calls `listener` with the key of a row soon after another process, or another store object, has written it. Returns at
 * once and never throws; connects by itself, and again after a loss.
 *
 * Best effort: news may be late, come twice or never. It only shortens waits and refreshes caches; whoever hears it
 * reads the row. A write of this very store object need not be announced to it.
 */
export type WatchWrites = (listener: (key: RecordKey) => void) => WriteWatch
