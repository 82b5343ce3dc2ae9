import { InvalidOptionError, type RequestTokenSource, type TokenManagerOptions } from '@shopify-tokens/core'
import type { ShopOf } from './shop-of.js'

/** How requests are served, wherever their tokens come from. */
export interface RequestOptions {
  /** Names the shop of a request. Default: the request's session token (`Authorization: Bearer`, or `id_token`). */
  readonly shopOf?: ShopOf | undefined
  /**
   * Do not ask for a token before the handler runs: only `req.shopify.token()`, `fetch` and `graphql` do then. Default
   * false.
   */
  readonly lazy?: boolean | undefined
  /** The app's path that begins authorization; told to App Bridge when only the merchant can help. Default `/auth`. */
  readonly authPath?: string | undefined
  /**
   * `answer` (default): this project's errors are answered here. `next`: they go to the app's error handling, where
   * `shopifyTokensErrorHandler()` may answer them. Other errors always go there.
   */
  readonly onError?: 'answer' | 'next' | undefined
}

/** Tokens from a source that the app has built, and that it closes itself. */
export interface GivenTokens<Tokens extends RequestTokenSource = RequestTokenSource> extends RequestOptions {
  readonly tokens: Tokens
}

/** Tokens from a manager that is built from these options; `close()` closes it. */
export interface ManagedTokens extends RequestOptions, TokenManagerOptions {
  readonly tokens?: undefined
}

/** What the environment says and options beside it cannot. */
export const SAID_BY_ENVIRONMENT = ['clientId', 'clientSecret', 'previousClientSecret', 'sealing'] as const

/** Tokens from a manager that is built from environment variables, and from what these options add; `close()` closes it. */
export interface EnvironmentTokens
  extends RequestOptions, Partial<Omit<TokenManagerOptions, 'store' | (typeof SAID_BY_ENVIRONMENT)[number]>> {
  readonly tokens?: undefined
  readonly store?: undefined
}

/** What `shopifyTokens` takes. Unknown keys are refused. */
export type ShopifyTokensOptions = GivenTokens | ManagedTokens | EnvironmentTokens

/** {@link RequestOptions} after they have been checked. */
export interface RequestSettings {
  readonly shopOf: ShopOf | null
  readonly lazy: boolean
  readonly authPath: string
  readonly onError: 'answer' | 'next'
}

/** Takes the options apart: how requests are served, and everything about the tokens. */
export function parseOptions(options: ShopifyTokensOptions): {
  readonly settings: RequestSettings
  readonly source: Omit<ShopifyTokensOptions, keyof RequestOptions>
} {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalid('options', 'an object', options)
  const { shopOf, lazy, authPath, onError = 'answer', ...source } = options
  if (shopOf !== undefined && typeof shopOf !== 'function') throw invalid('shopOf', 'a function', shopOf)
  if (lazy !== undefined && typeof lazy !== 'boolean') throw invalid('lazy', 'true or false', lazy)
  if (!['answer', 'next'].includes(onError)) throw invalid('onError', "'answer' or 'next'", onError)
  const settings = { shopOf: shopOf ?? null, lazy: lazy ?? false, authPath: checkAuthPath(authPath), onError }
  return { settings, source }
}

/** A path of this origin in printable characters, without query: it becomes a header, and App Bridge's address. */
const PATH = /^\/(?![/\\])[!"$->@-~]*$/

export function checkAuthPath(authPath: unknown = '/auth'): string {
  if (typeof authPath === 'string' && PATH.test(authPath)) return authPath
  throw invalid('authPath', 'a path that begins with one slash and has no query', authPath)
}

export function refuseUnknown(options: object, known: readonly string[]): void {
  refuse(
    Object.keys(options).filter((name) => !known.includes(name)),
    'Unknown option',
  )
}

export function refuseOptions(options: object, refused: readonly string[], why: string): void {
  refuse(
    Object.keys(options).filter((name) => refused.includes(name)),
    why,
  )
}

function refuse(names: readonly string[], why: string): void {
  if (names.length > 0) throw new InvalidOptionError(`${why}: ${names.join(', ')}.`, names)
}

export function invalid(name: string, rule: string, value: unknown): InvalidOptionError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return new InvalidOptionError(`Option ${name} must be ${rule}; got ${got}.`, [name])
}
