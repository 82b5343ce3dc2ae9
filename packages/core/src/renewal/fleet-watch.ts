import type { Durations } from '../durations.js'
import type { EventBus } from '../events.js'
import type { Clock } from '../ports/clock.js'
import type { Shop } from '../shop.js'

/** Up to so many shops may die within the window without anybody doubting it. */
const MAX_UNSUSPECTED = 5
/** Shops die one by one. When such a part of those tried does at once, the mistake is on our side. */
const SUSPECT_PART = 1 / 5

interface Tried {
  readonly at: number
  readonly isDead: boolean
}

/**
 * Watches how many shops turn out dead among those tried. When it is a whole crowd, somebody has restored an old
 * database, configured another app, or runs a second deployment: then no shop may be marked, and no merchant be told.
 */
export class FleetWatch {
  readonly #clock: Clock
  readonly #events: EventBus
  readonly #windowMs: number
  /** What became of each shop tried within the window, oldest first. Instants are monotonic. */
  readonly #tried = new Map<Shop, Tried>()
  #dead = 0
  #isSuspect = false

  constructor(clock: Clock, events: EventBus, { fleetWindowMs }: Pick<Durations, 'fleetWindowMs'>) {
    this.#clock = clock
    this.#events = events
    this.#windowMs = fleetWindowMs
  }

  /** Shopify has answered for the shop, and its tokens live or may live. */
  lives(shop: Shop): void {
    this.#note(shop, false)
  }

  /** Shopify has ended all of the shop's tokens. Whether that may be believed. */
  dies(shop: Shop): boolean {
    this.#note(shop, true)
    const wasSuspect = this.#isSuspect
    this.#isSuspect = this.#dead > MAX_UNSUSPECTED && this.#dead >= this.#tried.size * SUSPECT_PART
    if (this.#isSuspect && !wasSuspect) {
      this.#events.emit({ type: 'fleet.suspect', dead: this.#dead, tried: this.#tried.size })
    }
    return !this.#isSuspect
  }

  #note(shop: Shop, isDead: boolean): void {
    const now = this.#clock.monotonic()
    this.#forget(shop)
    this.#tried.set(shop, { at: now, isDead })
    if (isDead) this.#dead++
    for (const [other, { at }] of this.#tried) {
      if (at > now - this.#windowMs) break
      this.#forget(other)
    }
  }

  #forget(shop: Shop): void {
    if (this.#tried.get(shop)?.isDead === true) this.#dead--
    this.#tried.delete(shop)
  }
}
