import { readEnvironment, sealedStore } from '@shopify-tokens/core'
import { openTokenStore } from '@shopify-tokens/typeorm-store/from-environment'

/** The narrator's own eye on the apps' database. */
export class Rows {
  #clientId
  #opened
  #store

  /** @param {Record<string, string>} environment The one that the apps get. */
  constructor(environment) {
    const configuration = readEnvironment(environment)
    this.#clientId = configuration.clientId
    this.#opened = openTokenStore({ configuration })
    this.#store = sealedStore(this.#opened.store, this.#opened.keyRing)
  }

  /** The shop's pair. Rejects when there is none. @param {import('@shopify-tokens/core').Shop} shop */
  async pair(shop) {
    const { record } = await this.#store.get({ clientId: this.#clientId, shop })
    if (record?.kind !== 'expiring') throw new Error(`${shop} has no pair in the database`)
    return record
  }

  /**
   * @param {import('@shopify-tokens/core').Shop} shop
   * @param {import('@shopify-tokens/core').TokenRecord} record
   */
  async put(shop, record) {
    const { outcome } = await this.#store.put({ clientId: this.#clientId, shop }, record, 'absent')
    if (outcome !== 'written') throw new Error(`${shop} has a row already`)
  }

  close() {
    return this.#opened.close()
  }
}
