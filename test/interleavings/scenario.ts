import { parseShop } from '@shopify-tokens/core'
import type { Grace, Replay } from '@shopify-tokens/testing'

export const SHOP = parseShop('model.myshopify.com')
export const KEY = { clientId: 'model', shop: SHOP }
export const CLIENT_SECRET = 'model-secret'

/**
 * `acquire` presents an ID token, which is presented again when its answer is lost; `authorize` a code, which is not.
 * `renew` is an operator's. `migrate` has met the 403 for non-expiring tokens, `refused` a 401: it begins once the token has
 * ended.
 */
export type Wanted = 'refresh' | 'acquire' | 'authorize' | 'renew' | 'migrate' | 'refused'

/** Which runs meet, and what may befall them. */
export interface Scenario {
  /** What a refresh token presented again brings. */
  readonly replay: Replay
  /** How long a used refresh token may be presented again. */
  readonly grace: Grace
  /** What each run wants; each is a process of its own. */
  readonly wants: readonly Wanted[]
  /** Faults that may strike, in all: a kill, a lost answer, a request or write that arrives late. */
  readonly faults: number
  /** Whether a young attempt makes others wait. Without it leases exclude nobody. */
  readonly leases: boolean
}

/** Whether the shop is on a non-expiring token in the beginning. */
export function isUnmigrated({ wants }: Pick<Scenario, 'wants'>): boolean {
  return wants.includes('migrate')
}

export function titleOf({ wants, faults, leases, replay, grace }: Scenario): string {
  const struck = faults === 1 ? '1 fault' : `${String(faults)} faults`
  return `${wants.join(' + ')}, ${struck}, ${leases ? 'leases' : 'no leases'}, ${replay}, ${grace}`
}
