import { LRUCache } from 'lru-cache'
import type { Clock } from '../ports/clock.js'
import type { Shop } from '../shop.js'

/** Of something that lasts, each shop is told once in a while, not with every request. */
export class Reminder {
  readonly #toldAt: LRUCache<Shop, number>
  readonly #clock: Clock
  readonly #everyMs: number

  /** `shops`: for how many it is remembered when they were told. */
  constructor(shops: number, everyMs: number, clock: Clock) {
    this.#toldAt = new LRUCache({ max: shops })
    this.#clock = clock
    this.#everyMs = everyMs
  }

  /** Whether it is time to tell; then it counts as told. */
  isDue(shop: Shop): boolean {
    const now = this.#clock.monotonic()
    if (now < (this.#toldAt.get(shop) ?? -Infinity) + this.#everyMs) return false
    this.#toldAt.set(shop, now)
    return true
  }
}
