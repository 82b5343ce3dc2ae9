import { createShopClient } from '../admin/create-shop-client.js'
import { API_VERSION, type ShopClient } from '../admin/shop-client.js'
import { InvalidOptionError, ReauthorizationRequiredError } from '../errors.js'
import type { RequestTokenSource } from '../http/open-request.js'
import { ACCESS_TOKEN } from '../oauth/token-response.js'
import { invalidOption, refuseUnknownOptions } from '../option-checks.js'
import { type Fetch, systemFetch } from '../ports/fetch.js'
import { parseScopes } from '../scopes.js'
import { isSecret, type Secret } from '../secret.js'
import { parseShop, type Shop } from '../shop.js'
import { AccessToken, type StaticRecord } from '../token.js'
import type { TokenOptions } from '../token-source.js'
import { readShopMap } from './shop-map.js'

/** What {@link staticTokens} takes beside the tokens. Unknown keys are refused. */
export interface StaticTokensOptions {
  /** Admin API version for `graphql`, such as `2026-10`. No default: a version is the app's choice. */
  readonly apiVersion?: string | undefined
  /** Default: the global `fetch`. */
  readonly fetch?: Fetch | undefined
}

/** A token source that makes clients by itself, for jobs too. */
export type StaticTokens = Required<Omit<RequestTokenSource, 'verifySessionToken'>>

/**
 * The tokens of custom apps that were created in the admin of each shop: by shop domain, from the app's own
 * configuration. They never end, are never renewed, and are exempt from the move to expiring tokens. Does no I/O.
 *
 * Nothing tells which scopes such a token has: those that a call asks for are taken to be granted, and the Admin API
 * answers what is not. There are no session tokens either: the app names the shop of each request itself (`shopOf`).
 *
 * `token` rejects with `ERR_REAUTHORIZATION_REQUIRED`: reason `access-token-rejected` when Shopify has refused the token,
 * which only a new one in the configuration mends, and `not-installed` for a shop that has none.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`, which shows no token
 * @see Shopify: "Generate access tokens for admin-created custom apps"
 */
export function staticTokens(
  tokens: Readonly<Record<string, string | Secret>>,
  options: StaticTokensOptions = {},
): StaticTokens {
  refuseUnknownOptions(options, ['apiVersion', 'fetch'])
  const { apiVersion, fetch = systemFetch } = options
  if (apiVersion !== undefined && (typeof apiVersion !== 'string' || !API_VERSION.test(apiVersion))) {
    throw invalidOption('apiVersion', "a version such as '2026-10', or 'unstable'", apiVersion)
  }
  if (typeof fetch !== 'function') throw invalidOption('fetch', 'a function', fetch)
  return new ConfiguredTokens(readShopMap('tokens', tokens, readToken), fetch, apiVersion ?? null)
}

/** Of a token from a configuration nobody knows where and when it was made. */
const UNKNOWN = { obtainedAt: 0, confirmedAt: 0, secretId: '', sweepAt: null } as const

function readToken(shop: Shop, value: unknown): StaticRecord {
  const accessToken = isSecret(value) ? value.reveal() : value
  if (typeof accessToken !== 'string' || !ACCESS_TOKEN.test(accessToken)) {
    throw new InvalidOptionError(
      `Option tokens: the token of ${shop} must be a non-empty string without spaces, or a Secret.`,
      ['tokens'],
    )
  }
  return { kind: 'static', accessToken, scopes: [], ...UNKNOWN, attempts: [], mark: null, coolDown: null }
}

class ConfiguredTokens implements StaticTokens {
  readonly #records: ReadonlyMap<Shop, StaticRecord>
  readonly #fetch: Fetch
  readonly #apiVersion: string | null

  constructor(records: ReadonlyMap<Shop, StaticRecord>, fetch: Fetch, apiVersion: string | null) {
    this.#records = records
    this.#fetch = fetch
    this.#apiVersion = apiVersion
  }

  token(shop: Shop, options?: TokenOptions): Promise<AccessToken> {
    return new Promise((resolve) => {
      resolve(this.#token(parseShop(shop), options))
    })
  }

  forShop(shop: Shop, { idToken }: { readonly idToken?: string | undefined } = {}): ShopClient {
    return createShopClient(this, shop, { fetch: this.#fetch, apiVersion: this.#apiVersion }, idToken)
  }

  #token(shop: Shop, { rejected, rejectedAs, scopes = [], signal }: TokenOptions = {}): AccessToken {
    signal?.throwIfAborted()
    const record = this.#records.get(shop)
    if (record === undefined) throw new ReauthorizationRequiredError('not-installed', { shop })
    // What cannot be migrated is for whoever reads Shopify's answer.
    const isDead = rejected === record.accessToken && rejectedAs === undefined
    if (isDead) throw new ReauthorizationRequiredError('access-token-rejected', { shop })
    return new AccessToken(shop, { ...record, scopes: parseScopes(scopes) })
  }
}
