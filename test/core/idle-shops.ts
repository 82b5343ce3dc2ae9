import type { ExpiringRecord, Shop } from '@shopify-tokens/core'
import type { ManagedApp } from './managed-app.js'

export const DAY_MS = 86_400_000

/** Shops that nobody has visited for `days`, as the last renewal of each has left them. */
export async function idle(
  app: ManagedApp,
  shops: readonly Shop[],
  days = 21,
  given: Partial<ExpiringRecord> = {},
): Promise<readonly ExpiringRecord[]> {
  const sweepAt = app.clock.now() + (20 - days) * DAY_MS
  const records: ExpiringRecord[] = []
  for (const shop of shops) records.push(await app.seed({ shop, ageMs: days * DAY_MS, sweepAt, ...given }))
  return records
}

/** How often Shopify was asked for new tokens of each shop. */
export function calls({ shopify }: ManagedApp, shops: readonly Shop[]): readonly number[] {
  return shops.map((shop) => shopify.counters(shop).tokenCalls)
}

/** When the sweep visits the shop next. */
export async function sweepAt(app: ManagedApp, shop: Shop): Promise<number | null> {
  return (await app.record(shop))?.sweepAt ?? null
}
