import { currentAccess, currentShop, type RequestAccess, type Shop } from '@shopify-tokens/core'
import { createParamDecorator } from '@nestjs/common'

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
