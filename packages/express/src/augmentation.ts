import type { RequestAccess } from '@shopify-tokens/core'

/** What {@link shopifyTokens} adds to a request. Every `Request` of Express has it, by type; only those behind the middleware have it in fact. */
export interface RequestWithShop {
  /** The request's shop, a token that works, and the shop's Admin API. */
  shopify: RequestAccess
}

declare global {
  // The one way that both @types/express 4 and 5 leave open.
  // eslint-disable-next-line @typescript-eslint/no-namespace -- Express declares Request in this one
  namespace Express {
    // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merges into Express's own interface
    interface Request extends RequestWithShop {}
  }
}
