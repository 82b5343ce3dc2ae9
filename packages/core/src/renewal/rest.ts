import type { Durations } from '../durations.js'
import { type AnyShopifyTokenError, CoolingDownError, FleetSuspectError } from '../errors.js'
import type { CoolDown, TokenRecord } from '../token.js'
import { isPausing } from './schedule.js'

/** A cool-down that holds up every renewal of its shop: not the one of refused tokens. */
export interface Rest extends CoolDown {
  readonly scope: Exclude<CoolDown['scope'], 'rejected'>
}

/** What keeps everybody from renewing the shop at present; `null`: nothing. */
export function restOf(
  { coolDown }: Pick<TokenRecord, 'coolDown'>,
  now: number,
  durations: Pick<Durations, 'maxCoolDownMs'>,
): Rest | null {
  if (coolDown === null || !isPausing(coolDown, now, durations)) return null
  const { scope } = coolDown
  return scope === 'rejected' ? null : { ...coolDown, scope }
}

/** The error for callers who cannot wait for its end. */
export function restError({ scope, until }: Rest, shop: string, now: number): AnyShopifyTokenError {
  const details = { shop, retryAfterMs: until - now }
  return scope === 'suspect'
    ? new FleetSuspectError(details)
    : new CoolingDownError('A recent renewal of this shop failed; the next one has to wait.', details)
}
