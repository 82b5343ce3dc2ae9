import { AsyncLocalStorage } from 'node:async_hooks'
import type { ShopClient } from './admin/shop-client.js'
import { NoContextError } from './errors.js'
import type { RequestAccess } from './request-access.js'

/** The work at hand: its shop, and what its request has got; `null`: no request of that shop's. */
interface Work {
  readonly client: ShopClient
  readonly access: RequestAccess | null
}

const atHand = new AsyncLocalStorage<Work>()

/** Runs `work` with `client`'s shop as the shop at hand, for everything that it calls or awaits. */
export function runInShop<Result>(client: ShopClient, work: () => Result): Result {
  return atHand.run({ client, access: null }, work)
}

/** Runs `work` as part of a request: with its shop at hand as {@link runInShop} does, and with `access` at hand too. */
export function runInRequest<Result>(access: RequestAccess, work: () => Result): Result {
  return atHand.run({ client: access.client, access }, work)
}

/**
 * The shop of the work at hand: the request's behind the middleware or interceptor, the job's inside `run()`.
 *
 * @throws NoContextError `ERR_NO_CONTEXT` outside both.
 */
export function currentShop(): ShopClient {
  const work = atHand.getStore()
  if (work === undefined) throw new NoContextError()
  return work.client
}

/**
 * What the request at hand has got: `req.shopify` of Express, `@ShopifyAccess()` of Nest, for code that sees no request.
 * Work that may also run in a job takes {@link currentShop}.
 *
 * @throws NoContextError `ERR_NO_CONTEXT` outside requests, and inside `run()` of a client: that work's shop may be another.
 */
export function currentAccess(): RequestAccess {
  const access = atHand.getStore()?.access ?? null
  if (access === null) throw new NoContextError('request')
  return access
}
