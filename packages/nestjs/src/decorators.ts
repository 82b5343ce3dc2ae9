import { currentAccess, currentShop, type RequestAccess, type Shop } from '@shopify-tokens/core'
import { createParamDecorator, SetMetadata } from '@nestjs/common'
import { WITHOUT_SHOPIFY } from './providers.js'

/**
 * Parameter decorator: what the request gets, a {@link RequestAccess}. Behind `ShopifyTokenInterceptor` only; elsewhere
 * the call fails with `ERR_NO_CONTEXT`.
 *
 * ```ts
 * @Get('products')
 * products(@ShopifyAccess() shopify: RequestAccess) {
 *   return shopify.graphql('{ products(first: 10) { nodes { title } } }')
 * }
 * ```
 */
export const ShopifyAccess: () => ParameterDecorator = createParamDecorator((): RequestAccess => currentAccess())

/** Parameter decorator: the shop's domain, a `Shop`. Behind `ShopifyTokenInterceptor` only, as {@link ShopifyAccess}. */
export const CurrentShop: () => ParameterDecorator = createParamDecorator((): Shop => currentShop().shop)

/**
 * Exempts a handler, or all of a controller, from `ShopifyTokenInterceptor`, wherever that stands: for health checks,
 * webhooks and sign-in behind an interceptor for the whole application. No session token is asked for there, and
 * {@link ShopifyAccess} and {@link CurrentShop} fail with `ERR_NO_CONTEXT`.
 *
 * ```ts
 * @WithoutShopify()
 * @Get('health')
 * health() {
 *   return 'ok'
 * }
 * ```
 */
export const WithoutShopify = (): ClassDecorator & MethodDecorator => SetMetadata(WITHOUT_SHOPIFY, true)
