import { LRUCache } from 'lru-cache'
import type { Durations } from '../durations.js'
import { usableUntil } from '../renewal/schedule.js'
import type { Shop } from '../shop.js'
import { AccessToken, isRenewable, type ServableRecord } from '../token.js'

/** A token at hand, with the instants at which it needs another thought. */
export interface CachedToken {
  readonly token: AccessToken
  /** `token`, resolved: handing it out allocates nothing. */
  readonly promise: Promise<AccessToken>
  /** From here on (Shopify's time) it is due. */
  readonly renewAt: number
  /** Until here (Shopify's time) it may be handed out. */
  readonly usableUntil: number
  /** From here on (monotonic) it is read again behind the request that gets it. */
  readonly revalidateAt: number
  /** From here on (monotonic) it must be read before it is served: a migration ends a non-expiring token at once. */
  readonly readBeforeUseAt: number
}

/** Tokens at hand, for a bounded number of shops: the least recently used goes first. */
export class TokenCache {
  readonly #entries: LRUCache<Shop, CachedToken>
  readonly #durations: Durations

  constructor(size: number, durations: Durations) {
    this.#entries = new LRUCache({ max: size })
    this.#durations = durations
  }

  get(shop: Shop): CachedToken | undefined {
    return this.#entries.get(shop)
  }

  /** `quietUntil`: no renewal behind a request begins before this instant, though the token is due. */
  set(shop: Shop, record: ServableRecord, monotonic: number, quietUntil: number): CachedToken {
    const { nonExpiringCacheMs, revalidateMs } = this.#durations
    const token = new AccessToken(shop, record)
    const nonExpiring = record.kind === 'non-expiring'
    // The merchant may revive a marked shop at any time; the token at hand is for when the store is away.
    const mustBeRead = record.mark !== null
    const entry: CachedToken = {
      token,
      promise: Promise.resolve(token),
      renewAt: isRenewable(record) ? Math.max(record.renewAt, quietUntil) : Infinity,
      usableUntil: usableUntil(record, this.#durations),
      revalidateAt: monotonic + (nonExpiring ? Math.min(revalidateMs, nonExpiringCacheMs) : revalidateMs),
      readBeforeUseAt: mustBeRead ? monotonic : nonExpiring ? monotonic + nonExpiringCacheMs : Infinity,
    }
    this.#entries.set(shop, entry)
    return entry
  }

  /** Puts off what would be done behind the requests that get the token, by `quietMs` from now. */
  leaveAlone(shop: Shop, now: number, monotonic: number, quietMs: number): void {
    const entry = this.#entries.peek(shop)
    if (entry === undefined) return
    const renewAt = Math.max(entry.renewAt, now + quietMs)
    const revalidateAt = Math.max(entry.revalidateAt, monotonic + quietMs)
    this.#entries.set(shop, { ...entry, renewAt, revalidateAt })
  }

  /** The row has changed: the token is read again behind the next request, or before it if it may be dead. */
  outdate(shop: Shop): void {
    const entry = this.#entries.peek(shop)
    if (entry === undefined) return
    const readBeforeUseAt = entry.readBeforeUseAt === Infinity ? Infinity : -Infinity
    this.#entries.set(shop, { ...entry, revalidateAt: -Infinity, readBeforeUseAt })
  }

  delete(shop: Shop): void {
    this.#entries.delete(shop)
  }
}
