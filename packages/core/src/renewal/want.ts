import type { Durations } from '../durations.js'
import type { RenewalTrigger } from '../events.js'
import type { ReauthorizationMark, ServableRecord, TokenRecord } from '../token.js'
import { isUsable } from './schedule.js'

/** What the callers of a run want. */
export interface Want {
  readonly trigger: RenewalTrigger
  /** The access token that Shopify has refused, for the trigger `rejected`. */
  readonly rejected?: string | undefined
  /** The merchant's session token, if one is present. */
  readonly idToken?: string | undefined
  /** The code of an authorization that the merchant has just granted. */
  readonly code?: string | undefined
  /** Exchange the ID token or the code although the pair may live: the app was reinstalled, or its scopes must grow. */
  readonly acquire?: boolean | undefined
  /** An uninstall was told, and a refusal will prove it: then the shop is removed, and its merchant is not needed. */
  readonly uninstalled?: boolean | undefined
  /** Exchange a non-expiring token for an expiring pair: the one that was refused or, where none was, the one on record. */
  readonly migrate?: boolean | undefined
  /** The token that Shopify exchanges for nothing, as the run has learned, and what that says of the shop. */
  readonly unexchangeable?: { readonly token: string; readonly reason: ReauthorizationMark['reason'] } | undefined
  /** Scopes without which the row's token is no use. The callers of a run that grows them may well live without. */
  readonly scopes?: readonly string[] | undefined
}

/** Whether somebody wants this token exchanged, refused or not. */
export function isToBeMigrated({ kind }: ServableRecord, { migrate, rejected }: Want): boolean {
  return kind === 'non-expiring' && migrate === true && rejected === undefined
}

/** Whether Shopify has refused the very token on record. */
export function isRefused(record: ServableRecord, want: Want): boolean {
  return want.trigger === 'rejected' && want.rejected === record.accessToken
}

/** Whether the run is about the shop's future: that its present token works is no success. */
export function wantsNewPair({ trigger }: Want): boolean {
  return trigger === 'forced' || trigger === 'keep-alive'
}

/** Whether the row's tokens bring a request further than no row would. */
export function canServe(
  record: TokenRecord | null,
  want: Want,
  { now, durations }: { readonly now: number; readonly durations: Durations },
): record is ServableRecord {
  if (!isUsable(record, now, durations)) return false
  return record.accessToken !== want.rejected && !isToBeMigrated(record, want)
}
