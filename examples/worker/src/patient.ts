import { setTimeout as sleep } from 'node:timers/promises'
import type { GraphqlOptions, GraphqlResult, ShopClient } from '@shopify-tokens/core'

/** A client that waits while Shopify throttles: 1, 2, 4, 8, then 16 seconds. Each try asks for the token anew. */
export function patient(client: ShopClient): Pick<ShopClient, 'shop' | 'graphql'> {
  async function graphql<Data>(query: string, options: GraphqlOptions = {}): Promise<GraphqlResult<Data>> {
    for (let waitMs = 1_000; ; waitMs *= 2) {
      const result = await client.graphql<Data>(query, options)
      const isThrottled = result.errors?.some(({ extensions }) => extensions?.code === 'THROTTLED') ?? false
      if (!isThrottled || waitMs > 16_000) return result
      await sleep(waitMs, undefined, { signal: options.signal }).catch(() => options.signal?.throwIfAborted())
    }
  }
  return { shop: client.shop, graphql }
}
