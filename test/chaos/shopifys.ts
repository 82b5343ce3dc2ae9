import { FakeShopify, type FaultChooser, type LogEntry, type ShopCounters } from '@shopify-tokens/testing'
import { factorOf, type Plan } from './plan.js'
import { pairOf, SWITCHES } from './switches.js'

export const CLIENT_ID = 'chaos'
export const CLIENT_SECRET = 'chaos-client-secret'

/** Nine Shopifys, one per pair of switches, that are otherwise the same. */
export class Shopifys {
  readonly all: readonly FakeShopify[]

  private constructor(all: readonly FakeShopify[]) {
    this.all = all
  }

  static async start(plan: Plan, choose: FaultChooser): Promise<Shopifys> {
    const common = { clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, speed: factorOf(plan), logLimit: 200_000 }
    const all = await Promise.all(SWITCHES.map((switches) => FakeShopify.start({ ...common, ...switches })))
    for (const shopify of all) shopify.faults.choose(choose)
    return new Shopifys(all)
  }

  /** The one that a shop lives under. */
  of(shop: string): FakeShopify {
    const shopify = this.all[pairOf(shop)]
    if (shopify === undefined) throw new Error(`${shop} is no shop of this run.`)
    return shopify
  }

  /** What the token endpoint was asked for a shop, oldest first. */
  tokenCalls(shop: string): readonly LogEntry[] {
    return this.of(shop)
      .log(shop)
      .filter(({ endpoint }) => endpoint === 'token')
  }

  counters(): readonly ShopCounters[] {
    return this.all.map((shopify) => shopify.counters())
  }

  async close(): Promise<void> {
    await Promise.all(this.all.map((shopify) => shopify.close()))
  }
}
