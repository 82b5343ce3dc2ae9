import type { RecordKey, TokenStore, WriteWatch } from '@shopify-tokens/core'
import { until } from '../until.js'

/** Watches a store and remembers what it hears. */
export class Ear {
  readonly heard: RecordKey[] = []
  readonly #watch: WriteWatch

  private constructor(store: TokenStore) {
    if (store.watch === undefined) throw new Error('The store has no watch.')
    this.#watch = store.watch((key) => this.heard.push(key))
  }

  /** An ear to which writes are being announced. */
  static async on(store: TokenStore): Promise<Ear> {
    const ear = new Ear(store)
    await ear.untilLive()
    return ear
  }

  get isLive(): boolean {
    return this.#watch.isLive()
  }

  async untilLive(isLive = true): Promise<void> {
    await until(() => this.isLive === isLive, `the watch is ${isLive ? '' : 'no longer '}live`)
  }

  async hears(key: RecordKey): Promise<void> {
    await until(() => this.heard.some(({ shop }) => shop === key.shop), 'a write is announced')
  }

  close(): Promise<void> {
    return this.#watch.close()
  }
}
