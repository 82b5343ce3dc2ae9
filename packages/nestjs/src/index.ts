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
export { CurrentShop, ShopifyAccess, WithoutShopify } from './decorators.js'
export { ShopifyTokensExceptionFilter } from './exception.filter.js'
export type {
  EnvironmentTokens,
  GivenTokens,
  ManagedTokens,
  RequestOptions,
  ShopifyTokensModuleAsyncOptions,
  ShopifyTokensModuleExtras,
  ShopifyTokensModuleOptions,
  ShopifyTokensOptionsFactory,
  ShopOf,
} from './module-options.js'
export { ShopifyTokenInterceptor } from './shopify-token.interceptor.js'
export { InjectShopifyTokens, ShopifyTokens } from './shopify-tokens.js'
export { ShopifyTokensModule } from './shopify-tokens.module.js'
