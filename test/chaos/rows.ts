import { parseShop, readEnvironment, sealedStore, type TokenRecord, type TokenStore } from '@shopify-tokens/core'
import { type OpenedTokenStore, openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'
import { setTimeout as sleep } from 'node:timers/promises'
import { CLIENT_ID } from './shopifys.js'

const PAUSE_MS = 100

/** The driver's own look into the rows. */
export class Rows {
  readonly #opened: OpenedTokenStore
  readonly #store: TokenStore

  constructor(environment: Readonly<Record<string, string>>) {
    const configuration = readEnvironment(environment)
    this.#opened = openTokenStore({ configuration, announce: () => undefined })
    this.#store = sealedStore(this.#opened.store, this.#opened.keyRing)
  }

  /** Reads a shop's row, however often the database has to be asked. */
  async read(shop: string): Promise<TokenRecord | null> {
    for (;;) {
      try {
        return (await this.#store.get({ clientId: CLIENT_ID, shop: parseShop(shop) })).record
      } catch {
        await sleep(PAUSE_MS)
      }
    }
  }

  close(): Promise<void> {
    return this.#opened.close()
  }
}
