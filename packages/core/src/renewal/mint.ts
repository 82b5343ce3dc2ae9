import type { Credential } from '../oauth/grants.js'
import type { MintedTokens } from '../oauth/token-response.js'
import { isServable } from '../token.js'
import { coolDownAfter } from './backoff.js'
import { newRecord, type NewRecord } from './new-record.js'
import type { Presented } from './present.js'
import type { Announced } from './row.js'
import type { RunContext } from './run-context.js'
import type { Want } from './want.js'

/** A pair without a credible lifetime, twice in a row, is treated like an outage: served, and left alone for a while. So is
 * a client-credentials token at once, for the next one may be no better. */
const NO_LIFETIME = { outcome: 'transient', status: 200, retryAfterMs: undefined, conclusive: true } as const
/** Where a migration brings just another non-expiring token, each refused request would exchange it for the next. */
const NO_MIGRATION = { outcome: 'not-expiring' } as const

/** The record that a granted answer brings, told in Shopify's time. `doubtful`: it wants to be renewed once more. */
export function mint(
  { durations, random, secretId, time }: RunContext,
  { rejected, trigger }: Want,
  { record: base, presentedBefore }: Announced,
  credential: Credential,
  { answeredAt, dateHeader, requests, sentAt }: Presented,
  tokens: MintedTokens,
): NewRecord {
  const forRejected = trigger === 'rejected' && isServable(base) && base.accessToken === rejected
  const minting = {
    grant: credential.grant,
    presented: credential.value,
    sentAt: time.corrected(sentAt),
    confirmedAt: time.confirmed(dateHeader, answeredAt),
    requests,
    secretId,
    previousScopes: isServable(base) ? base.scopes : [],
    previous: base.kind === 'expiring' ? base : null,
    forRejected,
    replayPossible: presentedBefore,
    // Kept although it is over: the next pause is counted from it.
    coolDown: forRejected && base.coolDown?.scope === 'rejected' ? base.coolDown : null,
  }
  const { record, doubtful } = newRecord(tokens, minting, durations, random)
  const isInVain = credential.grant === 'migration' && record.kind === 'non-expiring'
  const isConfirmed = trigger === 'confirm' || record.kind === 'client-credentials'
  if (!isInVain && !(doubtful && isConfirmed)) return { record, doubtful }
  const coolDown = coolDownAfter(isInVain ? NO_MIGRATION : NO_LIFETIME, base.coolDown, time.now(), durations)
  return { record: { ...record, coolDown }, doubtful: false }
}
