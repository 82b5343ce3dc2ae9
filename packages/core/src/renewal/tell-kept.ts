import { areSameScopes } from '../scopes.js'
import type { Shop } from '../shop.js'
import { expiryOf, type Grant, isServable } from '../token.js'
import type { Kept } from './keep-pair.js'
import type { RunContext } from './run-context.js'
import type { Want } from './want.js'

/** How a run came by the tokens that it has stored. */
export interface Keeping {
  readonly grant: Grant
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
  { record, replaced }: Kept,
  { grant, ...keeping }: Keeping,
): void {
  const details = { shop, ...keeping, expiresAt: expiryOf(record) }
  if (grant === 'refresh') events.emit({ type: 'token.rotated', trigger, ...details })
  else if (grant !== 'migration') events.emit({ type: 'token.acquired', grant, ...details })
  else if (record.kind === 'expiring') events.emit({ type: 'shop.migrated', ...details })
  if (record.kind === 'non-expiring') events.emit({ type: 'token.notExpiring', shop, grant })
  if (!isServable(replaced)) return
  if (!areSameScopes(replaced.scopes, record.scopes)) {
    events.emit({ type: 'scopes.changed', shop, previous: replaced.scopes, current: record.scopes })
  }
  if (replaced.mark !== null) events.emit({ type: 'reauthorization.cleared', shop })
  if (replaced.coolDown?.stuck === true) {
    events.emit({ type: 'renewal.recovered', shop, expiredForMs: time.now() - expiryOf(replaced) })
  }
}
