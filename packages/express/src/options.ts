import {
  type EnvironmentTokensOptions,
  type GivenTokensOptions,
  invalidOption,
  type ManagedTokensOptions,
  parseRequestOptions,
  type RequestOptions as OptionsOfRequests,
  type RequestSettings as SettingsOfRequests,
  type RequestTokensOptions,
  type RequestTokenSource,
} from '@shopify-tokens/core'
import type { Request } from 'express'

/** How requests are served, wherever their tokens come from. */
export interface RequestOptions extends OptionsOfRequests<Request> {
  /**
   * `answer` (default): this project's errors are answered here. `next`: they go to the app's error handling, where
   * `shopifyTokensErrorHandler()` may answer them. Other errors always go there.
   */
  readonly onError?: 'answer' | 'next' | undefined
}

/** Tokens from a source that the app has built, and that it closes itself. */
export interface GivenTokens<Tokens extends RequestTokenSource = RequestTokenSource>
  extends RequestOptions, GivenTokensOptions<Tokens> {}

/** Tokens from a manager that is built from these options; `close()` closes it. */
export interface ManagedTokens extends RequestOptions, ManagedTokensOptions {}

/** Tokens from a manager that is built from environment variables, and from what these options add; `close()` closes it. */
export interface EnvironmentTokens extends RequestOptions, EnvironmentTokensOptions {}

/** What `shopifyTokens` takes. Unknown keys are refused. */
export type ShopifyTokensOptions<Tokens extends RequestTokenSource = RequestTokenSource> =
  GivenTokens<Tokens> | ManagedTokens | EnvironmentTokens

/** {@link RequestOptions} after they have been checked. */
export interface RequestSettings extends SettingsOfRequests<Request> {
  readonly onError: 'answer' | 'next'
}

/** Takes the options apart: how requests are served, and everything about the tokens. */
export function parseOptions(options: ShopifyTokensOptions): {
  readonly settings: RequestSettings
  readonly source: RequestTokensOptions
} {
  const { settings, source: others } = parseRequestOptions(options)
  const { onError = 'answer', ...source } = others as RequestTokensOptions & Pick<RequestOptions, 'onError'>
  if (!['answer', 'next'].includes(onError)) throw invalidOption('onError', "'answer' or 'next'", onError)
  return { settings: { ...settings, onError }, source: source }
}
