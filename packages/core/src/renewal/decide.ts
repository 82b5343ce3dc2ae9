import type { Durations } from '../durations.js'
import {
  type AnyShopifyTokenError,
  CoolingDownError,
  FleetSuspectError,
  type ReauthorizationReason,
  SecretOutdatedError,
  TokenEndpointError,
} from '../errors.js'
import type { Snapshot } from '../ports/token-store.js'
import { areGranted } from '../scopes.js'
import type { Shop } from '../shop.js'
import {
  type Attempt,
  type ExpiringRecord,
  isRenewable,
  isServable,
  type MintedRecord,
  type NonExpiringRecord,
  type ReauthorizationMark,
  type RenewableRecord,
  type ServableRecord,
  type StaticRecord,
  type TokenRecord,
} from '../token.js'
import { isMigrationBegun } from './begun-migration.js'
import { reauthorizationRequired } from './failure.js'
import { freshness, isPausing, isSweepDue, isTryDue, isUsable, markIsStale } from './schedule.js'
import { canServe, isRefused, isToBeMigrated, type Want, wantsNewPair } from './want.js'

/** What a run does about the row it has read. */
export type Decision =
  /** `outdated`: only because this process must not renew it, its client secret being older than the row's. */
  | { readonly do: 'serve'; readonly record: ServableRecord; readonly outdated?: true }
  | { readonly do: 'refresh'; readonly record: ExpiringRecord }
  | { readonly do: 'acquire' }
  | { readonly do: 'migrate'; readonly record: NonExpiringRecord }
  /** Ask for a token with the app's own credentials. */
  | { readonly do: 'request' }
  /** Replace the row's tokens, because they lack scopes. */
  | { readonly do: 'grow'; readonly record: ServableRecord }
  /** Somebody else's attempt is under way: look again, at the latest when it has aged. */
  | { readonly do: 'wait' }
  /** Shopify refused a token that nothing can renew. */
  | { readonly do: 'mark'; readonly record: ServableRecord; readonly reason: ReauthorizationMark['reason'] }
  /** Shopify refused a token minted because it had refused the one before: renewing does not help. */
  | { readonly do: 'pauseRejected'; readonly record: RenewableRecord }
  | { readonly do: 'fail'; readonly error: AnyShopifyTokenError }

/** A decision to present a credential. */
export type Presenting = Extract<Decision, { do: 'refresh' | 'acquire' | 'migrate' | 'request' | 'grow' }>

export interface Facts {
  readonly clientId: string
  readonly shop: Shop
  /** Shopify's time. */
  readonly now: number
  readonly durations: Durations
  /** `null`: the merchant's grants and refreshes. */
  readonly grant: 'client-credentials' | null
  readonly knownSecretIds: ReadonlySet<string>
  /** Ids of the run's own attempts: they make nobody wait. */
  readonly own: ReadonlySet<string>
}

/** What is not done while others are at it: they may bring what makes it needless, or prove it wrong. */
const AFTER_OTHERS: ReadonlySet<Decision['do']> = new Set(['refresh', 'acquire', 'migrate', 'grow', 'request', 'mark'])

/** Decides from the row and the credentials at hand; does no I/O, changes nothing. */
export function decide(snapshot: Snapshot, want: Want, facts: Facts): Decision {
  const decision = regardlessOfOthers(snapshot.record, want, facts)
  if (!AFTER_OTHERS.has(decision.do)) return decision
  if (othersUnderWay(snapshot, facts.own, facts.durations).length === 0) return decision
  // The pair that somebody else is about to bring may have the scopes.
  if (decision.do === 'grow') return { do: 'wait' }
  const { record } = snapshot
  const isContent = want.trigger !== 'forced' && want.acquire !== true
  return isContent && canServe(record, want, facts) ? { do: 'serve', record } : { do: 'wait' }
}

/** Attempts of other runs that hold the lease still. An instant from the future is a clock set back: not a lease for ever. */
export function othersUnderWay(
  { record, now }: Snapshot,
  own: ReadonlySet<string>,
  { leaseMs }: Pick<Durations, 'leaseMs'>,
): readonly Attempt[] {
  return (record?.attempts ?? []).filter(({ id, at }) => !own.has(id) && Math.abs(now - at) < leaseMs)
}

function regardlessOfOthers(record: TokenRecord | null, want: Want, facts: Facts): Decision {
  if (!isServable(record)) return withoutTokens(record, want, facts)
  if (record.kind !== 'static' && !facts.knownSecretIds.has(record.secretId)) return outdated(record, want, facts)
  if (want.acquire === true && isMerchantThere(want)) return { do: 'acquire' }
  if (record.kind === 'static') return unrenewable(record, want, facts)
  const isOfThisGrant = (record.kind === 'client-credentials') === (facts.grant === 'client-credentials')
  if (!isOfThisGrant) return ofAnotherGrant(record, want, facts)
  if (mustGrow(record, want) && coolingDown(record, want, facts) === null) return { do: 'grow', record }
  if (isRenewable(record)) return renewable(record, want, facts)
  return mustMigrate(record, want, facts)
    ? (coolingDown(record, want, facts) ?? { do: 'migrate', record })
    : unrenewable(record, want, facts)
}

function withoutTokens(record: TokenRecord | null, want: Want, facts: Facts): Decision {
  if (facts.grant === 'client-credentials') return coolingDown(record, want, facts) ?? { do: 'request' }
  if (!isMerchantThere(want)) {
    return reauthorize(record?.kind === 'removed' ? 'removed' : 'not-installed', facts)
  }
  return coolingDown(record, want, facts) ?? { do: 'acquire' }
}

function isMerchantThere({ idToken, code }: Want): boolean {
  return idToken !== undefined || code !== undefined
}

function mustGrow(record: ServableRecord, { scopes, idToken }: Want): boolean {
  const canBeHad = idToken !== undefined || record.kind === 'client-credentials'
  return scopes !== undefined && canBeHad && !areGranted(record.scopes, scopes)
}

/** A process with an older configuration must not renew: it would pin the shop to a secret about to be revoked. */
function outdated(record: ServableRecord, want: Want, { shop, now, durations }: Facts): Decision {
  const isContent = want.trigger !== 'forced' && !isToBeMigrated(record, want)
  if (isContent && isUsable(record, now, durations)) return { do: 'serve', record, outdated: true }
  return {
    do: 'fail',
    error: new SecretOutdatedError(
      'The record was minted with a client secret that this process does not know; update its configuration.',
      { shop },
    ),
  }
}

/** A manager with another `grant` keeps these tokens. If both renewed, each would replace the other's for ever. */
function ofAnotherGrant(record: MintedRecord, want: Want, facts: Facts): Decision {
  if (!wantsNewPair(want) && canServe(record, want, facts)) return { do: 'serve', record }
  return {
    do: 'fail',
    error: new TokenEndpointError(
      'ERR_APP_MISCONFIGURED',
      "The shop's tokens on record come by another grant than the option grant says; nothing is renewed here.",
      { shop: facts.shop },
    ),
  }
}

function renewable(record: RenewableRecord, want: Want, facts: Facts): Decision {
  const { now, durations } = facts
  const renewal: Decision = record.kind === 'expiring' ? { do: 'refresh', record } : { do: 'request' }
  const usable = isUsable(record, now, durations)
  const refused = isRefused(record, want)
  if (want.trigger === 'rejected' && !refused && usable) return { do: 'serve', record }

  if (record.kind === 'expiring' && record.mark !== null) {
    const paused = coolingDown(record, want, facts)
    if (paused === null && want.idToken !== undefined) return { do: 'acquire' }
    const isDue = want.trigger === 'forced' || markIsStale(record, now, durations)
    if (paused === null && isDue) return renewal
    if (usable && !refused) return { do: 'serve', record }
    return (want.idToken === undefined ? null : paused) ?? reauthorize(record.mark.reason, facts)
  }
  if (want.trigger === 'forced' || want.trigger === 'confirm') return renewal
  const isKeptAlive = want.trigger === 'keep-alive' && isSweepDue(record, now)
  // A token that is due or over needs its renewal whatever Shopify says of it.
  if (!isKeptAlive && freshness(record, now, durations) === 'fresh') {
    if (!refused) return { do: 'serve', record }
    if (record.mintedForRejected) return { do: 'pauseRejected', record }
    const { coolDown } = record
    if (coolDown?.scope === 'rejected' && isPausing(coolDown, now, durations)) return { do: 'serve', record }
  }
  const paused = coolingDown(record, want, facts)
  if (paused === null) return renewal
  return usable ? { do: 'serve', record } : paused
}

/**
 * A 401 is a reason only where a migration was begun: otherwise what ended the token has ended what it could be exchanged
 * for.
 */
function mustMigrate(record: NonExpiringRecord, want: Want, { now, durations }: Facts): boolean {
  if (want.unexchangeable?.token === record.accessToken) return false
  if (isToBeMigrated(record, want)) return true
  if (isRefused(record, want)) {
    const mayBeTried = record.mark === null || isTryDue(record.mark, now, durations)
    return mayBeTried && (want.migrate === true || isMigrationBegun(record))
  }
  const isCalledFor = want.trigger === 'forced' || (want.trigger === 'keep-alive' && isSweepDue(record, now))
  return isCalledFor && isMigrationBegun(record)
}

function unrenewable(record: NonExpiringRecord | StaticRecord, want: Want, facts: Facts): Decision {
  // A custom app's token cannot be migrated: that Shopify wants it to be is for the app's owner to read.
  const refused = isRefused(record, want) && !(record.kind === 'static' && want.migrate === true)
  const verdict = want.unexchangeable?.token === record.accessToken ? want.unexchangeable.reason : null
  // That it cannot be exchanged does not say that it does not work: it may be a custom app's.
  if (!refused && verdict !== null) return reauthorize(verdict, facts)
  if (record.mark === null && !refused) return { do: 'serve', record }
  if (record.kind === 'non-expiring' && want.idToken !== undefined) {
    return coolingDown(record, want, facts) ?? { do: 'acquire' }
  }
  if (record.mark !== null && verdict === null) return reauthorize(record.mark.reason, facts)
  return coolingDown(record, want, facts) ?? { do: 'mark', record, reason: verdict ?? 'access-token-rejected' }
}

function coolingDown(record: TokenRecord | null, want: Want, { shop, now, durations }: Facts): Decision | null {
  const coolDown = record?.coolDown ?? null
  if (coolDown === null || !isPausing(coolDown, now, durations) || want.trigger === 'forced') return null
  const details = { shop, retryAfterMs: coolDown.until - now }
  switch (coolDown.scope) {
    case 'rejected':
      return null
    case 'suspect':
      return want.idToken === undefined ? { do: 'fail', error: new FleetSuspectError(details) } : null
    case 'all':
      return {
        do: 'fail',
        error: new CoolingDownError('A recent renewal of this shop failed; the next one has to wait.', details),
      }
  }
}

function reauthorize(reason: ReauthorizationReason, facts: Facts): Decision {
  return { do: 'fail', error: reauthorizationRequired(reason, facts) }
}
