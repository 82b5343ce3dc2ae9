import { parseShop, type Shop } from '@shopify-tokens/core'
import type { Grace, Replay } from '@shopify-tokens/testing'

/** What Shopify leaves open: what a refresh token presented again brings, and for how long it may be. */
export interface Switches {
  readonly replay: Replay
  readonly grace: Grace
}

const REPLAYS: readonly Replay[] = ['same-pair', 'same-verbatim', 'new-pair']
const GRACES: readonly Grace[] = ['none', '60-minutes', 'until-used']

/** Every pair of switches. All nine are played at once, each by a Shopify of its own. */
export const SWITCHES: readonly Switches[] = REPLAYS.flatMap((replay) => GRACES.map((grace) => ({ replay, grace })))

/** The names of the shops of all nine. */
export function shopNames(shopsPerPair: number): readonly Shop[] {
  return SWITCHES.flatMap((_, pair) =>
    Array.from({ length: shopsPerPair }, (_unused, n) => parseShop(`p${pair}-shop-${n}.myshopify.com`)),
  )
}

/** Position in {@link SWITCHES} of those that a shop lives under. */
export function pairOf(shop: string): number {
  return Number(/^p(\d)-/.exec(shop)?.[1])
}

/** Those that a shop lives under. */
export function switchesOf(shop: string): Switches {
  const switches = SWITCHES[pairOf(shop)]
  if (switches === undefined) throw new Error(`${shop} is no shop of this run.`)
  return switches
}
