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
} from '@shopify-tokens/core'
export { CurrentShop, RequireScopes, ShopifyAccess, ShopifyWebhook, WithoutShopify } from './decorators.js'
export { ShopifyTokensExceptionFilter } from './exception.filter.js'
export type {
  AuthOfFactory,
  EnvironmentTokens,
  GivenTokens,
  ManagedTokens,
  RequestOptions,
  ShopifyTokensModuleAsyncOptions,
  ShopifyTokensModuleExtras,
  ShopifyTokensModuleOptions,
  ShopifyTokensOptionsFactory,
  ShopOf,
  WebhookRoutesOptions,
} from './module-options.js'
export { ShopifyScopesGuard } from './scopes.guard.js'
export { ShopifyTokenInterceptor } from './shopify-token.interceptor.js'
export { InjectShopifyTokens, ShopifyTokens } from './shopify-tokens.js'
export { ShopifyTokensModule } from './shopify-tokens.module.js'
