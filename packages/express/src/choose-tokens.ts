import { createTokenManager, type RequestTokenSource, type TokenManagerOptions } from '@shopify-tokens/core'
import { EnvironmentRequestTokens } from './environment-request-tokens.js'
import { type EnvironmentTokens, type RequestOptions, refuseOptions, type ShopifyTokensOptions } from './options.js'
import { givenTokens, managedTokens, type RequestTokens } from './request-tokens.js'

/** Chooses by the options at hand: a source that is given, a manager of our own, or the environment. */
export function chooseTokens(options: Omit<ShopifyTokensOptions, keyof RequestOptions>): RequestTokens {
  const { tokens, ...others } = options as { readonly tokens?: RequestTokenSource; readonly store?: unknown }
  if (tokens !== undefined) {
    refuseOptions(others, Object.keys(others), 'Not an option beside tokens')
    return givenTokens(tokens)
  }
  if (others.store !== undefined) return managedTokens(createTokenManager(others as TokenManagerOptions))
  return new EnvironmentRequestTokens(process.env, others as Omit<EnvironmentTokens, keyof RequestOptions>)
}
