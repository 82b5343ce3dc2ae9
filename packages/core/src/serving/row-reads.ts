import type { StoreCalls } from '../renewal/store-calls.js'
import type { Shop } from '../shop.js'
import type { TokenRecord } from '../token.js'

/** Reads rows for serving, each once for all who ask at the same time. */
export class RowReads {
  readonly #store: StoreCalls
  readonly #clientId: string
  readonly #underWay = new Map<Shop, Promise<TokenRecord | null>>()
  /** Shops whose row was written while it was being read. */
  readonly #overtaken = new Set<Shop>()

  constructor(store: StoreCalls, clientId: string) {
    this.#store = store
    this.#clientId = clientId
  }

  isUnderWay(shop: Shop): boolean {
    return this.#underWay.has(shop)
  }

  read(shop: Shop): Promise<TokenRecord | null> {
    const running = this.#underWay.get(shop)
    if (running !== undefined) return running
    const read = this.#latest(shop).finally(() => {
      this.#underWay.delete(shop)
      this.#overtaken.delete(shop)
    })
    this.#underWay.set(shop, read)
    return read
  }

  /** The row has been written: what is being read of it may be older. */
  outdate(shop: Shop): void {
    if (this.#underWay.has(shop)) this.#overtaken.add(shop)
  }

  async #latest(shop: Shop): Promise<TokenRecord | null> {
    const key = { clientId: this.#clientId, shop }
    const { record } = await this.#store.get(key)
    if (!this.#overtaken.has(shop)) return record
    // Once, however often it is written: news are no reason to fail or to wait for long.
    return this.#store.get(key).then(
      (later) => later.record,
      () => record,
    )
  }
}
