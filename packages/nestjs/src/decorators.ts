import type { RequestAccess, Shop } from '@shopify-tokens/core'
import { createParamDecorator } from '@nestjs/common'
import { accessAtHand } from './access-at-hand.js'

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
export const ShopifyAccess: () => ParameterDecorator = createParamDecorator((): RequestAccess => accessAtHand())

/** Parameter decorator: the shop's domain, a `Shop`. Behind `ShopifyTokenInterceptor` only, as {@link ShopifyAccess}. */
export const CurrentShop: () => ParameterDecorator = createParamDecorator((): Shop => accessAtHand().shop)
