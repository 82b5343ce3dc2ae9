import { invalidOption, parseAuthPath, parseRoutePath, refuseUnknownOptions } from '@shopify-tokens/core'
import { Controller, type Type, VERSION_NEUTRAL } from '@nestjs/common'
import { ShopifyAuthController } from './auth.controller.js'
import type { ShopifyTokensModuleExtras } from './module-options.js'
import { ShopifyWebhooksController } from './webhooks.controller.js'

/**
 * The controllers that a module asks for. Each module has classes of its own, because a path belongs to a class.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function controllersOf({ auth, webhooks, routeDecorators = [] }: ShopifyTokensModuleExtras): Type[] {
  const controllers: Type[] = []
  if (auth !== undefined) {
    objectOption('auth', auth)
    controllers.push(controllerAt(parseAuthPath(auth.authPath), ShopifyAuthController))
  }
  if (webhooks !== undefined) {
    objectOption('webhooks', webhooks)
    refuseUnknownOptions(webhooks, ['path', 'modules', 'onError'])
    controllers.push(controllerAt(parseRoutePath('path', webhooks.path ?? '/webhooks'), ShopifyWebhooksController))
  }
  for (const decorate of routeDecorators) for (const controller of controllers) decorate(controller)
  return controllers
}

function objectOption(name: string, value: unknown): void {
  if (typeof value !== 'object' || value === null) throw invalidOption(name, 'an object', value)
}

/** Without a version, whatever the application's versioning: the address is told to Shopify. */
function controllerAt(path: string, base: Type): Type {
  const made = class extends base {}
  Object.defineProperty(made, 'name', { value: base.name })
  Controller({ path, version: VERSION_NEUTRAL })(made)
  return made
}
