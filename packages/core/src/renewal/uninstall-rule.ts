import type { ServableRecord } from '../token.js'

/** An uninstall and a grant closer together than this cannot be told apart by Shopify's `Date`, so the app lives. */
export const REMOVAL_MARGIN_MS = 120_000

/**
 * - `remove`: the app was uninstalled after Shopify's last grant.
 * - `keep`: the uninstall was before it. The message came late, and the app has been installed again.
 * - `ask`: nobody can tell from here. Shopify's answer to a renewal can.
 */
export type UninstallVerdict = 'remove' | 'keep' | 'ask'

/**
 * What the news of an uninstall at the instant `at` means for a shop's tokens. Both instants are of Shopify's clock;
 * `undefined` and `null` mean unknown.
 */
export function judgeUninstall({ confirmedAt, kind }: ServableRecord, at: number | undefined): UninstallVerdict {
  if (at !== undefined && confirmedAt !== null) {
    if (at > confirmedAt + REMOVAL_MARGIN_MS) return 'remove'
    if (at < confirmedAt - REMOVAL_MARGIN_MS) return 'keep'
  }
  switch (kind) {
    case 'expiring':
      return 'ask'
    case 'client-credentials':
      // The app asks for the next token by itself: nothing is lost with this one.
      return 'remove'
    case 'non-expiring':
    case 'static':
      // Nothing renews them and nothing brings them back. A dead one is found out by its next use.
      return 'keep'
  }
}

/** Whether an acquisition confirmed at `confirmedAt` was after a removal at `removedAt`, or may have been. */
export function mayBeAfterRemoval(confirmedAt: number | null, removedAt: number): boolean {
  return confirmedAt === null || confirmedAt > removedAt - REMOVAL_MARGIN_MS
}
