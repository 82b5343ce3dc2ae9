import { AsyncLocalStorage } from 'node:async_hooks'
import { NoContextError } from './errors.js'
import type { ShopClient } from './admin/shop-client.js'

const shopAtHand = new AsyncLocalStorage<ShopClient>()

/** Runs `work` with `client`'s shop as the shop at hand, for everything that it calls or awaits. */
export function runInShop<Result>(client: ShopClient, work: () => Result): Result {
  return shopAtHand.run(client, work)
}

/**
 * The shop of the work at hand: the request's behind the middleware or interceptor, the job's inside `run()`.
 *
 * @throws NoContextError `ERR_NO_CONTEXT` outside both.
 */
export function currentShop(): ShopClient {
  const client = shopAtHand.getStore()
  if (client === undefined) throw new NoContextError()
  return client
}
