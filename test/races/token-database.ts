import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  type ExpiringRecord,
  fingerprint,
  readEnvironment,
  sealedStore,
  type Shop,
  type TokenStore,
} from '@shopify-tokens/core'
import { aRecord, FakeShopify, type FakeShopifyOptions } from '@shopify-tokens/testing'
import {
  migrateTokenDatabase,
  type OpenedTokenStore,
  openTokenStore,
} from '@shopify-tokens/typeorm-store/from-environment'

export const CLIENT_ID = 'races'
export const CLIENT_SECRET = 'races-client-secret'
/** The default of the product's duration. */
const KEEP_ALIVE_MS = 20 * 86_400_000

/** A fake Shopify for the app of these tests. */
export function startShopify(options: Partial<FakeShopifyOptions> = {}): Promise<FakeShopify> {
  return FakeShopify.start({ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, ...options })
}

/** The token database of an app that runs in other processes, seen from the test. */
export class TokenDatabase {
  /** Configures a process of the app. */
  readonly environment: Readonly<Record<string, string>>
  readonly #opened: OpenedTokenStore
  readonly #store: TokenStore

  /** Does no I/O. */
  constructor(url: string) {
    this.environment = {
      SHOPIFY_API_KEY: CLIENT_ID,
      SHOPIFY_API_SECRET: CLIENT_SECRET,
      SHOPIFY_API_VERSION: '2026-10',
      SHOPIFY_TOKENS_DATABASE_URL: url,
      SHOPIFY_TOKENS_SEALING_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64')}`,
    }
    this.#opened = openTokenStore({ configuration: readEnvironment(this.environment), announce: () => undefined })
    this.#store = sealedStore(this.#opened.store, this.#opened.keyRing)
  }

  /** The database at `url`, with its table. */
  static async open(url: string): Promise<TokenDatabase> {
    if (!url.startsWith('sqlite:')) await migrateTokenDatabase({ url })
    return new TokenDatabase(url)
  }

  /** Has Shopify mint a pair `ageMs` ago, and puts it there as an earlier run would have left it. */
  async seed(
    shopify: FakeShopify,
    shop: Shop,
    { ageMs = 0 }: { readonly ageMs?: number } = {},
  ): Promise<ExpiringRecord> {
    const pair = shopify.mintPair(shop, { ageMs })
    const record = aRecord.expiring({
      accessToken: pair.accessToken,
      refreshToken: pair.refreshToken,
      scopes: [...pair.scopes],
      obtainedAt: pair.issuedAt,
      expiresAt: pair.accessTokenExpiresAt,
      refreshTokenExpiresAt: pair.refreshTokenExpiresAt,
      secretId: fingerprint(CLIENT_SECRET),
      sweepAt: pair.issuedAt + KEEP_ALIVE_MS,
    })
    await this.#store.put({ clientId: CLIENT_ID, shop }, record, 'absent')
    return record
  }

  /** Has Shopify mint a token without an end, and puts it there as an app from before expiring ones left it. */
  async seedNonExpiring(shopify: FakeShopify, shop: Shop): Promise<string> {
    const accessToken = shopify.mintNonExpiring(shop)
    const record = aRecord.nonExpiring({ accessToken, secretId: fingerprint(CLIENT_SECRET) })
    await this.#store.put({ clientId: CLIENT_ID, shop }, record, 'absent')
    return accessToken
  }

  /** The pair in the row of `shop`. */
  async pair(shop: Shop): Promise<ExpiringRecord> {
    const { record } = await this.#store.get({ clientId: CLIENT_ID, shop })
    if (record?.kind === 'expiring') return record
    throw new Error(`The row of ${shop} holds no pair but ${String(record?.kind)}`)
  }

  /** Asks for the shop, as a process does that only reads. */
  ask(shop: Shop): Promise<void> {
    return this.#store.ask({ clientId: CLIENT_ID, shop })
  }

  close(): Promise<void> {
    return this.#opened.close()
  }
}

/** A folder for a SQLite file. */
export async function createSqliteFile(): Promise<{
  readonly url: string
  readonly file: string
  drop(): Promise<void>
}> {
  const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-race-'))
  const file = join(folder, 'tokens.sqlite')
  return { url: `sqlite:${file}`, file, drop: () => rm(folder, { recursive: true }) }
}
