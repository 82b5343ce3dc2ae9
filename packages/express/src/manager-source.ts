import { invalidOption, type ManagerSource, type TokenManager } from '@shopify-tokens/core'
import type { ShopifyTokensMiddleware } from './shopify-tokens.js'

/** What routes take that belong to no shop's request. */
export interface RoutesOptions {
  /** What `shopifyTokens()` has made, or a manager of the app's own. */
  readonly tokens: ShopifyTokensMiddleware | TokenManager
}

/** @throws InvalidOptionError `ERR_INVALID_OPTION` for a token source that is no manager. */
export function managerSource(tokens: RoutesOptions['tokens']): ManagerSource {
  if (typeof tokens !== 'function') return checked(tokens)
  const opening = tokens.tokens()
  if (opening instanceof Promise) opening.catch(() => undefined)
  else checked(opening)
  return () => tokens.tokens()
}

/** Only a manager can exchange a code and verify what Shopify has signed. */
function checked(tokens: TokenManager): TokenManager {
  if (typeof (tokens as Partial<TokenManager> | null | undefined)?.signatures === 'object') return tokens
  throw invalidOption('tokens', 'what shopifyTokens() has made, or a token manager', tokens)
}
