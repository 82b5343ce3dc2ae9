import { runInShop } from '../context.js'
import {
  AdminResponseError,
  ForeignOriginError,
  InvalidOptionError,
  ScopeMissingError,
  StoreUnreadableError,
} from '../errors.js'
import type { Fetch } from '../ports/fetch.js'
import { missingScopes, parseScopes } from '../scopes.js'
import { parseShop, type Shop } from '../shop.js'
import type { AccessToken } from '../token.js'
import type { TokenSource } from '../token-source.js'
import type { GraphqlOptions, GraphqlResult, ShopClient } from './shop-client.js'
import { refusalOf } from './token-refusal.js'

export interface ShopClientOptions {
  readonly fetch: Fetch
  /** `null`: every `graphql` call names its own. */
  readonly apiVersion: string | null
}

/**
 * The Admin API of `shop` over any token source. Does no I/O.
 *
 * @param idToken the verified session token of the merchant who is present: goes with every call for a token, so that a
 * shop whose pair turns out to be dead during the request is acquired anew
 * @throws InvalidShopError when `shop` is none: the access token would be sent to that host
 */
export function createShopClient(
  source: TokenSource,
  shop: Shop,
  options: ShopClientOptions,
  idToken?: string,
): ShopClient {
  return new SourcedShopClient(source, parseShop(shop), options, idToken)
}

/** Methods are getters, so that a request that never calls Shopify does not pay for closures. */
class SourcedShopClient implements ShopClient {
  readonly shop: Shop
  readonly #source: TokenSource
  readonly #options: ShopClientOptions
  readonly #idToken: string | undefined

  constructor(source: TokenSource, shop: Shop, options: ShopClientOptions, idToken: string | undefined) {
    this.shop = shop
    this.#source = source
    this.#options = options
    this.#idToken = idToken
  }

  get accessToken(): ShopClient['accessToken'] {
    return (options) => this.#source.token(this.shop, { signal: options?.signal, idToken: this.#idToken })
  }

  get requireScopes(): ShopClient['requireScopes'] {
    return (...scopes) => this.#requireScopes(scopes)
  }

  get fetch(): ShopClient['fetch'] {
    return (path, init) => this.#fetch(path, init)
  }

  get graphql(): ShopClient['graphql'] {
    return (query, options) => this.#graphql(query, options)
  }

  get run(): ShopClient['run'] {
    return (work) => runInShop(this, work)
  }

  async #requireScopes(scopes: readonly string[]): Promise<AccessToken> {
    const required = parseScopes(scopes)
    const token = await this.#source.token(this.shop, { scopes: required, idToken: this.#idToken })
    // Not every source knows the option.
    const missing = missingScopes(token.scopes, required)
    if (missing.length === 0) return token
    throw new ScopeMissingError(missing, { shop: this.shop, granted: token.scopes })
  }

  async #fetch(path: string | URL, init: RequestInit = {}): Promise<Response> {
    const url = onShop(this.shop, path)
    const signal = init.signal ?? undefined
    const idToken = this.#idToken
    const token = await this.#source.token(this.shop, { signal, idToken })
    const response = await this.#send(url, init, token)
    const refusal = await refusalOf(response)
    if (refusal === null) return response
    // Told even when the request cannot be repeated: otherwise the next one would be sent with the same token.
    const next = await this.#source
      .token(this.shop, { rejected: token.value, ...refusal, signal, idToken })
      .catch(async (error: unknown) => {
        await response.body?.cancel()
        throw error
      })
    if (next.value === token.value || !isRepeatable(init.body)) return response
    await response.body?.cancel()
    return this.#send(url, init, next)
  }

  #send(url: string, init: RequestInit, token: AccessToken): Promise<Response> {
    const headers = new Headers(init.headers)
    try {
      headers.set('x-shopify-access-token', token.value)
    } catch {
      // The platform's error quotes the token.
      throw new StoreUnreadableError('The access token holds a character that no header can carry.', {
        shop: this.shop,
      })
    }
    // A redirect would carry the token along: fetch does not strip this header between origins.
    return this.#options.fetch(url, { ...init, headers, redirect: 'manual' })
  }

  async #graphql<Data>(query: string, options: GraphqlOptions = {}): Promise<GraphqlResult<Data>> {
    const version = options.apiVersion ?? this.#options.apiVersion
    if (version === null) {
      throw new InvalidOptionError(
        'graphql() needs an API version: set SHOPIFY_API_VERSION, or give apiVersion to the manager or to this call.',
        ['apiVersion'],
      )
    }
    const response = await this.#fetch(`/admin/api/${encodeURIComponent(version)}/graphql.json`, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables: options.variables }),
      ...(options.signal && { signal: options.signal }),
    })
    if (response.ok) {
      const result = parseJson(await response.text())
      if (typeof result === 'object' && result !== null) return result
    } else {
      await response.body?.cancel()
    }
    throw new AdminResponseError(response.status, {
      shop: this.shop,
      requestId: response.headers.get('x-request-id') ?? undefined,
    })
  }
}

function onShop(shop: Shop, path: string | URL): string {
  const origin = `https://${shop}`
  const url = URL.canParse(String(path), origin) ? new URL(String(path), origin) : null
  // The origin of a blob: URL is that of the URL inside it.
  const here = url?.origin === origin && url.protocol === 'https:' && url.username === '' && url.password === ''
  if (!here) throw new ForeignOriginError({ shop })
  return url.href
}

/** Whether the body can be sent a second time. A stream or iterator is spent after the first. */
function isRepeatable(body: RequestInit['body']): boolean {
  return !(typeof body === 'object' && body !== null && Symbol.asyncIterator in body)
}

/** `undefined`: not JSON. The error of `JSON.parse` is dropped, because it quotes the text. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
