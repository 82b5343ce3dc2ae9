import {
  type AuthOptions,
  InvalidOptionError,
  parseRequestOptions,
  type RequestTokensOptions,
} from '@shopify-tokens/core'
import type {
  AuthOfFactory,
  RequestSettings,
  ShopifyTokensModuleExtras,
  ShopifyTokensModuleOptions,
} from './module-options.js'

/** What the module is given to do, by the application or by its factory. */
export type ModuleOptions = ShopifyTokensModuleOptions & AuthOfFactory

/**
 * Takes the options apart: how requests are served, how merchants authorize (`null`: not here), and everything about the
 * tokens.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function parseModuleOptions(
  options: ModuleOptions,
  extras: ShopifyTokensModuleExtras,
): {
  readonly settings: RequestSettings
  readonly auth: AuthOptions | null
  readonly source: RequestTokensOptions
} {
  const { settings, source: others } = parseRequestOptions(options)
  const { auth, ...source } = others as RequestTokensOptions & AuthOfFactory
  if (extras.auth === undefined) {
    if (auth === undefined) return { settings, auth: null, source }
    throw new InvalidOptionError('Give auth beside the factory too, {} at least: routes are made before it runs.', [
      'auth',
    ])
  }
  if (options.authPath !== undefined || (auth !== undefined && 'authPath' in auth)) {
    throw new InvalidOptionError('With routes of the module, authPath belongs into auth beside the factory.', [
      'authPath',
    ])
  }
  return { settings, auth: { ...extras.auth, ...auth }, source }
}
