import type { RequestTokenSource, TokenManagerOptions } from '@shopify-tokens/core'
import { InvalidOptionError } from '@shopify-tokens/core'
import type { ConfigurableModuleAsyncOptions, ConfigurableModuleOptionsFactory, ExecutionContext } from '@nestjs/common'

/**
 * Names the shop of the work at hand as the app itself knows it: from its own signed-in session or from a message that it
 * trusts, never from a parameter or a header that the client is free to choose, because whatever it names gets that shop's
 * token. `undefined`: the request's session token must tell.
 */
export type ShopOf = (context: ExecutionContext) => string | undefined | Promise<string | undefined>

/** How requests are served, wherever their tokens come from. */
export interface RequestOptions {
  /**
   * Names the shop. Default: the session token of the HTTP request (`Authorization: Bearer`, or `id_token`), behind GraphQL
   * too. Messages of a microservice have none, so there this function must tell.
   */
  readonly shopOf?: ShopOf | undefined
  /** Do not ask for a token before the handler runs: only `access.token()`, `fetch` and `graphql` do then. Default false. */
  readonly lazy?: boolean | undefined
  /** The app's path that begins authorization; told to App Bridge when only the merchant can help. Default `/auth`. */
  readonly authPath?: string | undefined
}

/** Tokens from a source that the app has built, and that it closes itself. */
export interface GivenTokens extends RequestOptions {
  readonly tokens: RequestTokenSource
}

/** Tokens from a manager that the module builds from these options, and closes when the application shuts down. */
export interface ManagedTokens extends RequestOptions, TokenManagerOptions {
  readonly tokens?: undefined
}

/** What the environment says and options beside it cannot. */
export const SAID_BY_ENVIRONMENT = ['clientId', 'clientSecret', 'previousClientSecret', 'sealing'] as const

/** Tokens from a manager over the store that environment variables name; the module opens it and closes it. */
export interface EnvironmentTokens
  extends RequestOptions, Partial<Omit<TokenManagerOptions, 'store' | (typeof SAID_BY_ENVIRONMENT)[number]>> {
  readonly tokens?: undefined
  readonly store?: undefined
}

/** What the module takes. Unknown keys are refused. */
export type ShopifyTokensModuleOptions = GivenTokens | ManagedTokens | EnvironmentTokens

/** What a module is, as opposed to what it does: given beside the options, or beside the factory that makes them. */
export interface ShopifyTokensModuleExtras {
  /** Whether other modules see the providers without importing the module. Default true. */
  readonly isGlobal?: boolean | undefined
  /**
   * Whether `ShopifyTokensExceptionFilter` answers this project's errors everywhere in the application. Default true; with
   * false they reach the application's own filters, or Nest's, which answers 500 to all of them.
   */
  readonly exceptionFilter?: boolean | undefined
}

/** A class that makes the options, for `useClass` and `useExisting`. */
export type ShopifyTokensOptionsFactory = ConfigurableModuleOptionsFactory<
  ShopifyTokensModuleOptions,
  'createShopifyTokensOptions'
>

/** What `forRootAsync` takes: one of `useFactory` (with `inject`), `useClass` and `useExisting`, and `imports` for it. */
export interface ShopifyTokensModuleAsyncOptions
  extends
    Omit<
      ConfigurableModuleAsyncOptions<ShopifyTokensModuleOptions, 'createShopifyTokensOptions'>,
      'provideInjectionTokensFrom'
    >,
    ShopifyTokensModuleExtras {}

/** {@link RequestOptions} after they have been checked. */
export interface RequestSettings {
  readonly shopOf: ShopOf | null
  readonly lazy: boolean
  readonly authPath: string
}

/** Everything about the tokens. */
export type TokensOptions = Omit<ShopifyTokensModuleOptions, keyof RequestOptions>

/** Takes the options apart: how requests are served, and everything about the tokens. */
export function parseOptions(options: ShopifyTokensModuleOptions): {
  readonly settings: RequestSettings
  readonly source: TokensOptions
} {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalid('options', 'an object', options)
  const { shopOf, lazy, authPath = '/auth', ...source } = options
  if (shopOf !== undefined && typeof shopOf !== 'function') throw invalid('shopOf', 'a function', shopOf)
  if (lazy !== undefined && typeof lazy !== 'boolean') throw invalid('lazy', 'true or false', lazy)
  if (typeof authPath !== 'string' || !PATH.test(authPath)) {
    throw invalid('authPath', 'a path that begins with one slash and has no query', authPath)
  }
  return { settings: { shopOf: shopOf ?? null, lazy: lazy ?? false, authPath }, source }
}

/** A path of this origin in printable characters, without query: it becomes a header, and App Bridge's address. */
const PATH = /^\/(?![/\\])[!"$->@-~]*$/

export function flag(name: keyof ShopifyTokensModuleExtras, value: unknown): boolean {
  if (value === undefined) return true
  if (typeof value === 'boolean') return value
  throw invalid(name, 'true or false', value)
}

export function refuseOptions(options: object, refused: readonly string[], why: string): void {
  const names = Object.keys(options).filter((name) => refused.includes(name))
  if (names.length > 0) throw new InvalidOptionError(`${why}: ${names.join(', ')}.`, names)
}

export function invalid(name: string, rule: string, value: unknown): InvalidOptionError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return new InvalidOptionError(`Option ${name} must be ${rule}; got ${got}.`, [name])
}
