import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import { Reminder } from '../renewal/reminder.js'
import type { ShopifyTime } from '../renewal/shopify-time.js'
import type { Shop } from '../shop.js'

const DAY_MS = 86_400_000
/** Public apps' non-expiring tokens end here. @see Shopify changelog 2026-05-20 */
const NON_EXPIRING_END_AT = Date.UTC(2027, 0, 1)

/** Tells once a day and shop that it is still on a token that Shopify is about to refuse. */
export class MigrationNotice {
  readonly #reminder: Reminder
  readonly #time: ShopifyTime
  readonly #events: EventBus

  /** `shops`: for how many the last notice is remembered. */
  constructor(shops: number, clock: Clock, time: ShopifyTime, events: EventBus) {
    this.#reminder = new Reminder(shops, DAY_MS, clock)
    this.#time = time
    this.#events = events
  }

  give(shop: Shop): void {
    if (!this.#reminder.isDue(shop)) return
    const daysLeft = Math.max(0, Math.ceil((NON_EXPIRING_END_AT - this.#time.now()) / DAY_MS))
    this.#events.emit({ type: 'migration.due', shop, daysLeft })
  }
}
