import {
  currentAccess,
  currentShop,
  invalidOption,
  parseScopes,
  type RequestAccess,
  type Shop,
} from '@shopify-tokens/core'
import { applyDecorators, createParamDecorator, SetMetadata, UseGuards } from '@nestjs/common'
import { REQUIRED_SCOPES, WEBHOOK_TOPICS, WITHOUT_SHOPIFY } from './providers.js'
import { ShopifyScopesGuard } from './scopes.guard.js'

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

/**
 * Lets calls through whose shop has granted these scopes, on a handler or on all of a controller; `write_` implies `read_`.
 * Brings its guard, {@link ShopifyScopesGuard}, with it, so it holds without an interceptor too. What is granted costs
 * nothing. A scope that the row does not have either is asked of Shopify, with the request's session token; when the
 * merchant has to grant it, documents are sent to authorization (option `auth`), and other requests answered with 403
 * `ERR_SCOPE_MISSING` and its address.
 *
 * ```ts
 * @RequireScopes('write_products')
 * @Post('products')
 * create(@ShopifyAccess() shopify: RequestAccess) { … }
 * ```
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for what is no scope, and without any.
 * @see Shopify: "Shopify API access scopes"
 */
export function RequireScopes(...scopes: readonly string[]): ClassDecorator & MethodDecorator {
  const required = parseScopes(scopes)
  if (required.length === 0) throw invalidOption('scopes', 'at least one scope', undefined)
  return applyDecorators(SetMetadata(REQUIRED_SCOPES, required), UseGuards(ShopifyScopesGuard))
}

/**
 * Calls a method with every webhook of a topic, as Shopify writes it (`app/uninstalled`, `orders/create`). The method
 * belongs to a singleton, of any module, and takes a `WebhookDelivery`. May stand more than once, for several topics; several
 * methods of one topic run side by side. Needs the option `webhooks` of the module.
 *
 * Shopify waits for five seconds and sends a webhook again that was not done: put long work into a queue, and expect a
 * webhook more than once after a failure.
 *
 * ```ts
 * @Injectable()
 * class Accounts {
 *   @ShopifyWebhook('app/uninstalled')
 *   end({ shop }: WebhookDelivery) { … }
 * }
 * ```
 */
export function ShopifyWebhook(topic: string): MethodDecorator {
  return (_target, _name, descriptor) => {
    const method = descriptor.value as object
    const topics = (Reflect.getMetadata(WEBHOOK_TOPICS, method) as readonly string[] | undefined) ?? []
    Reflect.defineMetadata(WEBHOOK_TOPICS, [...topics, topic], method)
  }
}
