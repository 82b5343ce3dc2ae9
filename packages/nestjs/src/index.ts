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
