import { createShopClient } from '../admin/create-shop-client.js'
import type { ShopClient } from '../admin/shop-client.js'
import { InvalidSessionTokenError } from '../errors.js'
import type { SessionToken } from '../oauth/id-token.js'
import { type Fetch, systemFetch } from '../ports/fetch.js'
import { RequestAccess } from '../request-access.js'
import { parseShop, type Shop } from '../shop.js'
import type { TokenSource } from '../token-source.js'

/** A token source that can also serve requests: the manager, or any other source with these two. */
export interface RequestTokenSource extends TokenSource {
  /** Needed unless the app names the shop of every request itself. */
  verifySessionToken?(token: string): Promise<SessionToken>
  /** Default: a client over {@link TokenSource.token} and the global `fetch`, without a default API version. */
  forShop?(shop: Shop, options?: { readonly idToken?: string | undefined }): ShopClient
}

/** A request as far as it matters here. */
export interface RequestFacts {
  /** The `Authorization` header. */
  readonly authorization: string | undefined
  /** The `id_token` query parameter, as it was parsed; anything but a string counts as absent. */
  readonly idToken: unknown
  /** `undefined`, as everything below: not a request of HTTP. */
  readonly method: string | undefined
  /** Path and query as the client has sent them. */
  readonly url: string | undefined
  /** The `Accept` header. */
  readonly accept: string | undefined
  /** The `Sec-Fetch-Dest` header. */
  readonly fetchDest: string | undefined
}

export interface OpenRequestOptions {
  /** The shop as the app itself knows it. `undefined`: the session token must tell. */
  readonly shop: string | undefined
  /** Do not ask for a token before the handler runs. */
  readonly lazy: boolean
  readonly fetch?: Fetch | undefined
  /** Ends this request's wait with `signal.reason`, when the client has gone. Never ends a renewal. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Finds the shop of a request, and a token that works. The shop is proved by a session token, or named by the app;
 * never taken from the request's own parameters.
 *
 * Rejects with `ERR_INVALID_SESSION_TOKEN` or `ERR_INVALID_SHOP` before any I/O, and with what `TokenSource.token`
 * rejects with.
 *
 * @see Shopify: "Session tokens"
 */
export async function openRequest(
  tokens: RequestTokenSource,
  facts: RequestFacts,
  { shop: named, lazy, fetch = systemFetch, signal }: OpenRequestOptions,
): Promise<RequestAccess> {
  const idToken = named === undefined ? sessionTokenOf(facts) : undefined
  const session = idToken === undefined ? null : await verify(tokens, idToken)
  const shop = session?.shop ?? parseShop(named)
  const client =
    tokens.forShop?.(shop, { idToken }) ?? createShopClient(tokens, shop, { fetch, apiVersion: null }, idToken)
  const token = lazy ? null : await tokens.token(shop, { idToken, signal })
  return new RequestAccess(client, session, token)
}

function sessionTokenOf({ authorization, idToken }: RequestFacts): string {
  const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1]
  const token = bearer ?? idToken
  if (typeof token !== 'string' || token === '') throw new InvalidSessionTokenError('missing')
  return token
}

async function verify(tokens: RequestTokenSource, idToken: string): Promise<SessionToken> {
  if (tokens.verifySessionToken === undefined) throw new InvalidSessionTokenError('missing')
  return tokens.verifySessionToken(idToken)
}
