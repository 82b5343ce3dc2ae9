/** What handlers need of core, so that an app need not install it by itself. */
export {
  type AnyShopifyTokenError,
  currentAccess,
  currentShop,
  type GraphqlResult,
  isShopifyTokenError,
  parseShop,
  RequestAccess,
  type SessionToken,
  type Shop,
  type ShopClient,
  type TokenManager,
} from '@shopify-tokens/core'
export type { RequestWithShop } from './augmentation.js'
export { shopifyTokensErrorHandler, type ShopifyTokensErrorHandlerOptions } from './error-response.js'
export type { EnvironmentTokens, GivenTokens, ManagedTokens, RequestOptions, ShopifyTokensOptions } from './options.js'
export type { ShopOf } from './shop-of.js'
export { shopifyTokens, type ShopifyTokensMiddleware } from './shopify-tokens.js'
