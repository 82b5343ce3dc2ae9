/** What handlers need of core, so that an app need not install it by itself. */
export {
  type AnyShopifyTokenError,
  type AuthOptions,
  currentAccess,
  currentShop,
  type GraphqlResult,
  type Installed,
  isShopifyTokenError,
  parseShop,
  RequestAccess,
  type SessionToken,
  type Shop,
  type ShopClient,
  type TokenManager,
  type WebhookDelivery,
  type WebhookOptions,
} from '@shopify-tokens/core'
export type { RequestWithShop } from './augmentation.js'
export { shopifyAuth, type ShopifyAuthOptions } from './auth-routes.js'
export { shopifyTokensErrorHandler, type ShopifyTokensErrorHandlerOptions } from './error-response.js'
export type { RoutesOptions } from './manager-source.js'
export type { EnvironmentTokens, GivenTokens, ManagedTokens, RequestOptions, ShopifyTokensOptions } from './options.js'
export { requireScopes, type ScopesCheck } from './require-scopes.js'
export type { ShopOf } from './shop-of.js'
export { shopifyTokens, type ShopifyTokensMiddleware } from './shopify-tokens.js'
export { shopifyWebhooks, type ShopifyWebhooksOptions } from './webhook-routes.js'
