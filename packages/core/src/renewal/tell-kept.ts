import { areSameScopes } from '../scopes.js'
import type { Shop } from '../shop.js'
import { expiryOf, type Grant, isServable, type MintedRecord, type TokenRecord } from '../token.js'
import type { Want } from './decide.js'
import type { RunContext } from './run-context.js'

/** How a run came by the tokens that it has stored. */
export interface Keeping {
  readonly grant: Grant
  /** The row as it stood when the credential was presented. */
  readonly before: TokenRecord
  /** Since the run began. */
  readonly durationMs: number
  readonly requests: number
  readonly requestId: string | undefined
}

/** Tells what came, and what is over with it. */
export function tellKept(
  { events, time }: Pick<RunContext, 'events' | 'time'>,
  shop: Shop,
  { trigger }: Want,
  kept: MintedRecord,
  { grant, before, ...keeping }: Keeping,
): void {
  const details = { shop, ...keeping, expiresAt: expiryOf(kept) }
  if (grant === 'refresh') events.emit({ type: 'token.rotated', trigger, ...details })
  else events.emit({ type: 'token.acquired', grant, ...details })
  if (kept.kind === 'non-expiring') events.emit({ type: 'token.notExpiring', shop, grant })
  if (isServable(before) && !areSameScopes(before.scopes, kept.scopes)) {
    events.emit({ type: 'scopes.changed', shop, previous: before.scopes, current: kept.scopes })
  }
  if (before.mark !== null) events.emit({ type: 'reauthorization.cleared', shop })
  if (before.coolDown?.stuck === true && isServable(before)) {
    events.emit({ type: 'renewal.recovered', shop, expiredForMs: time.now() - expiryOf(before) })
  }
}
