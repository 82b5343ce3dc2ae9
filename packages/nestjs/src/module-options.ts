import type {
  EnvironmentTokensOptions,
  GivenTokensOptions,
  ManagedTokensOptions,
  RequestOptions as OptionsOfRequests,
  RequestSettings as SettingsOfRequests,
  ShopOfRequest,
} from '@shopify-tokens/core'
import type { ConfigurableModuleAsyncOptions, ConfigurableModuleOptionsFactory, ExecutionContext } from '@nestjs/common'

/**
 * Names the shop of the work at hand as the app itself knows it: from its own signed-in session or from a message that it
 * trusts, never from a parameter or a header that the client is free to choose, because whatever it names gets that shop's
 * token. `undefined`: the request's session token must tell.
 */
export type ShopOf = ShopOfRequest<ExecutionContext>

/** How requests are served, wherever their tokens come from. */
export interface RequestOptions extends OptionsOfRequests<ExecutionContext> {
  /**
   * Names the shop. Default: the session token of the HTTP request (`Authorization: Bearer`, or `id_token`), behind GraphQL
   * too. Messages of a microservice have none, so there this function must tell.
   */
  readonly shopOf?: ShopOf | undefined
}

/** Tokens from a source that the app has built, and that it closes itself. */
export interface GivenTokens extends RequestOptions, GivenTokensOptions {}

/** Tokens from a manager that the module builds from these options, and closes when the application shuts down. */
export interface ManagedTokens extends RequestOptions, ManagedTokensOptions {}

/** Tokens from a manager over the store that environment variables name; the module opens it and closes it. */
export interface EnvironmentTokens extends RequestOptions, EnvironmentTokensOptions {}

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
export type RequestSettings = SettingsOfRequests<ExecutionContext>
