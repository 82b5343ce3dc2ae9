import { isShopifyTokenError } from '../errors.js'
import { everyRow } from '../fleet/every-row.js'
import type { Shop } from '../shop.js'
import type { SweepParts } from './sweep-run.js'

/** The instant at which no shop is due: what is left are those that were asked for. */
const NEVER = 0

/**
 * Renews the shops that processes with `renewal: 'never'` have asked for, those that have waited longest first. Somebody
 * waits for each of them, so one that Shopify is slow to answer for does not hold up those asked for after it.
 */
export class AskedShops {
  readonly #parts: SweepParts
  readonly #concurrency: number
  readonly #underWay = new Map<Shop, Promise<void>>()

  constructor(parts: SweepParts, concurrency: number) {
    this.#parts = parts
    this.#concurrency = concurrency
  }

  /** One look. Resolves when the renewal of each has begun, and does not wait for their ends. */
  async look(): Promise<void> {
    const { clientId, closing, rows } = this.#parts
    for await (const { key, record } of everyRow(rows, { clientId, sweepBefore: NEVER }, closing)) {
      if (record === null || this.#underWay.has(key.shop)) continue
      if (this.#underWay.size >= this.#concurrency) await Promise.race(this.#underWay.values())
      this.#underWay.set(key.shop, this.#renew(key.shop))
    }
  }

  async #renew(shop: Shop): Promise<void> {
    try {
      await this.#parts.renewIfDue(shop, this.#parts.closing)
    } catch (error) {
      // The run has told of its failure, and the row says what follows from it. Nobody here would hear of anything else.
      if (!isShopifyTokenError(error) && !this.#parts.closing.aborted) warn(error)
    } finally {
      this.#underWay.delete(shop)
    }
  }
}

function warn(error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`The renewal of a shop that was asked for failed (${kind}).`, 'ShopifyTokensWarning')
}
