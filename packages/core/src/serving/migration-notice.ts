import { LRUCache } from 'lru-cache'
import type { EventBus } from '../events.js'
import type { ShopifyTime } from '../renewal/shopify-time.js'
import type { Shop } from '../shop.js'

const DAY_MS = 86_400_000
/** Public apps' non-expiring tokens end here. @see Shopify changelog 2026-05-20 */
const NON_EXPIRING_END_AT = Date.UTC(2027, 0, 1)

/** Tells once a day and shop that it is still on a token that Shopify is about to refuse. */
export class MigrationNotice {
  readonly #givenAt: LRUCache<Shop, number>
  readonly #time: ShopifyTime
  readonly #events: EventBus

  /** `shops`: for how many the last notice is remembered. */
  constructor(shops: number, time: ShopifyTime, events: EventBus) {
    this.#givenAt = new LRUCache({ max: shops })
    this.#time = time
    this.#events = events
  }

  give(shop: Shop): void {
    const now = this.#time.now()
    if (now < (this.#givenAt.get(shop) ?? -Infinity) + DAY_MS) return
    this.#givenAt.set(shop, now)
    const daysLeft = Math.max(0, Math.ceil((NON_EXPIRING_END_AT - now) / DAY_MS))
    this.#events.emit({ type: 'migration.due', shop, daysLeft })
  }
}
