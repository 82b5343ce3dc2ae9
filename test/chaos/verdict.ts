import type { TokenRecord } from '@shopify-tokens/core'
import type { LogEntry } from '@shopify-tokens/testing'
import type { ShopHistory } from './history.js'
import { CLOCK_SLACK_MS } from './plan.js'
import type { Switches } from './switches.js'

/** Why Shopify accepts nothing any more of what a shop's row holds. */
export type Death =
  /** Nobody has acquired a pair since the app was installed. */
  | 'not-acquired'
  /** The answer of the latest acquisition was never stored. */
  | 'acquisition-lost'
  /** A request of an acquisition was delivered again, or late, and ended the pair that was stored. */
  | 'acquisition-late'
  /** The answer of a refresh was lost or late, and Shopify's grace was over when it was repeated. */
  | 'refresh-lost'
  /** None of these: our own doing. */
  | 'orphaned'

/** What is known of a dead shop. */
export interface Evidence {
  readonly switches: Switches
  /** When the app was last installed. */
  readonly installedAt: number
  /** What the token endpoint was asked for the shop, oldest first. */
  readonly calls: readonly LogEntry[]
  readonly history: Pick<ShopHistory, 'arrived' | 'stored'>
  /** The longest that a request was held back on its way. */
  readonly latestMs: number
}

export interface Verdict {
  readonly death: Death
  /** When that happened which killed it, at the earliest. */
  readonly at: number
}

/** Says why a shop died. Everything is judged by what Shopify did and what the store acknowledged, nothing by the product. */
export function deathOf({ switches, installedAt, calls, history, latestMs }: Evidence): Verdict {
  const since = calls.filter(({ at }) => at >= installedAt)
  const granted = since.filter(isGranted)
  // The log is in the order in which Shopify acted; what it did a second time is no newer acquisition.
  const sent = granted.filter(({ duplicate, grant }) => grant === 'id-token' && duplicate !== true)
  const latest = sent.sort((a, b) => a.at - b.at).at(-1)
  if (latest === undefined) return { death: 'not-acquired', at: installedAt }
  if (!isStored(latest, history)) return { death: 'acquisition-lost', at: latest.at }
  // One that was sent before the app was installed anew can arrive after it, too.
  const late = calls
    .filter((call) => isGranted(call) && call.grant === 'id-token' && mayActTwice(call))
    .find((call) => actedBy(call, latestMs) >= latest.at)
  if (late !== undefined) return { death: 'acquisition-late', at: late.at }

  const kept = granted.filter((call) => call.at >= latest.at && isStored(call, history))
  const lastKeptAt = Math.max(...kept.map(({ at }) => at))
  const lost = granted.find((call) => isLostOrLate(call, history) && actedBy(call, latestMs) >= lastKeptAt)
  if (lost === undefined || switches.grace === 'until-used') return { death: 'orphaned', at: lastKeptAt }
  const graceWasOver = since.some(({ at, reason }) => reason === 'grace-over' && at >= lost.at)
  return { death: graceWasOver ? 'refresh-lost' : 'orphaned', at: lost.at }
}

/**
 * Whether somebody was told of a death before the merchant was needed: the shop is marked, or the row said that an
 * acquisition was in doubt, and the next attempt said so too.
 */
export function isAnnounced({ death, at: since }: Verdict, row: TokenRecord | null, history: ShopHistory): boolean {
  const events = history.events.filter(({ at }) => at >= since - CLOCK_SLACK_MS)
  const isMarked =
    (row !== null && row.mark !== null) ||
    events.some(({ type }) => type === 'reauthorization.required') ||
    events.some((event) => event.type === 'renewal.failed' && event.code === 'ERR_FLEET_SUSPECT')
  if (death !== 'acquisition-lost') return isMarked
  const isInDoubt = row?.attempts.some(({ grant }) => grant === 'id-token') === true
  return isInDoubt || events.some((event) => event.type === 'grant.inDoubt' && event.grant === 'id-token')
}

/** Whether Shopify gave a pair in answer to a call. */
export function isGranted({ outcome }: LogEntry): boolean {
  return outcome === 'granted' || outcome === 'replayed'
}

/** Whether the pair that a call brought has been in the row. */
export function isStored({ requestId }: LogEntry, { arrived, stored }: Evidence['history']): boolean {
  const pair = arrived.get(requestId)
  return pair !== undefined && stored.has(pair.refreshToken)
}

function isLostOrLate(call: LogEntry, history: Evidence['history']): boolean {
  return mayActTwice(call) || !isStored(call, history)
}

function mayActTwice({ fault }: LogEntry): boolean {
  return fault === 'late' || fault === 'twice'
}

/** When Shopify had acted on a call at the latest. */
function actedBy(call: LogEntry, latestMs: number): number {
  return mayActTwice(call) || call.fault === 'slow' ? call.at + latestMs : call.at
}
