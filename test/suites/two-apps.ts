import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTokenManager, parseShop, staticKeyRing, type TokenManager } from '@shopify-tokens/core'
import { FakeShopify } from '@shopify-tokens/testing'
import { tokenMigrations, TypeOrmTokenStore } from '@shopify-tokens/typeorm-store'
import { DataSource } from 'typeorm'

/** The shop that has installed both apps. */
export const shop = parseShop('acme.myshopify.com')

/** One of two apps: what Shopify knows of it, and its manager. */
export interface OneApp {
  readonly clientId: string
  readonly shopify: FakeShopify
  readonly tokens: TokenManager
}

export interface TwoApps {
  readonly first: OneApp
  readonly second: OneApp
  /** What the one table holds: client ids and kinds, in order. */
  rows(): Promise<readonly (readonly [clientId: string, kind: string])[]>
  close(): Promise<void>
}

/** Two apps in one process, with one table of one database, installed in one shop. */
export async function twoApps(): Promise<TwoApps> {
  const folder = mkdtempSync(join(tmpdir(), 'shopify-tokens-two-apps-'))
  const dataSource = new DataSource({
    ...{ type: 'better-sqlite3', database: join(folder, 'tokens.sqlite'), enableWAL: true, timeout: 50 },
    ...{ migrations: tokenMigrations(), migrationsRun: true },
  })
  const store = new TypeOrmTokenStore(await dataSource.initialize())
  const sealing = staticKeyRing([{ id: 'k1', bytes: randomBytes(32) }])

  const started = async (clientId: string): Promise<OneApp> => {
    const clientSecret = `secret of ${clientId}`
    const shopify = await FakeShopify.start({ clientId, clientSecret })
    shopify.installShop(shop)
    const { fetch } = shopify
    const tokens = createTokenManager({ clientId, clientSecret, store, sealing, fetch, apiVersion: '2026-10' })
    return { clientId, shopify, tokens }
  }
  const first = await started('first-app')
  const second = await started('second-app')
  return {
    first,
    second,
    rows: async () => {
      const rows: { readonly client_id: string; readonly kind: string }[] = await dataSource.query(
        'SELECT client_id, kind FROM shopify_tokens ORDER BY client_id',
      )
      return rows.map(({ client_id: clientId, kind }) => [clientId, kind])
    },
    close: async () => {
      await Promise.all([first, second].map(({ tokens }) => tokens.close()))
      await dataSource.destroy()
      await Promise.all([first, second].map(({ shopify }) => shopify.close()))
      rmSync(folder, { recursive: true })
    },
  }
}
