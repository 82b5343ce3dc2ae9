import {
  type Attempt,
  fingerprint,
  type NonExpiringRecord,
  type TokenManager,
  type TokenManagerOptions,
} from '@shopify-tokens/core'
import { anAttempt, aRecord, type FakeShopifyOptions } from '@shopify-tokens/testing'
import { CLIENT_SECRET, type ManagedApp, managedApp, shop } from './managed-app.js'

export const PATH = '/admin/api/2026-10/shop.json'

export interface UnmigratedApp extends ManagedApp {
  /** The non-expiring token on record. */
  readonly original: string
}

/** An app whose shop is on a non-expiring token, and a Shopify whose Admin API refuses these. */
export async function unmigratedApp(
  options: Partial<TokenManagerOptions> & {
    readonly row?: Partial<NonExpiringRecord>
    readonly shopifyOptions?: Partial<FakeShopifyOptions>
    readonly timeoutsStrike?: boolean
  } = {},
): Promise<UnmigratedApp> {
  const { row, shopifyOptions, ...rest } = options
  const app = await managedApp({ ...rest, shopifyOptions: { refuseNonExpiring: true, ...shopifyOptions } })
  const original = app.shopify.mintNonExpiring(shop)
  const obtainedAt = app.clock.now()
  await app.put(
    aRecord.nonExpiring({ accessToken: original, obtainedAt, secretId: fingerprint(CLIENT_SECRET), ...row }),
  )
  return { ...app, original }
}

/** The attempt that a process leaves which died before it had stored what its migration brought. */
export function begunMigration(original: string, at: number): Attempt {
  return anAttempt({ grant: 'migration', credential: fingerprint(original), at })
}

/** A migration of which nobody here hears: by a process that died, or a second deployment. */
export async function migrateUnheard({ anotherProcess, put, record }: ManagedApp): Promise<string> {
  const before = await record()
  const { value } = await anotherProcess({ onEvent: () => undefined }).migrate(shop)
  if (before !== null) await put(before)
  return value
}

/** A request to the Admin API; answers with its status. */
export async function call(tokens: TokenManager): Promise<number> {
  return (await tokens.forShop(shop).fetch(PATH)).status
}
