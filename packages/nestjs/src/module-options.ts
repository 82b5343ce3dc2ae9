import type {
  AuthOptions,
  EnvironmentTokensOptions,
  GivenTokensOptions,
  ManagedTokensOptions,
  RequestOptions as OptionsOfRequests,
  RequestSettings as SettingsOfRequests,
  ShopOfRequest,
  WebhookOptions,
} from '@shopify-tokens/core'
import type {
  ConfigurableModuleAsyncOptions,
  ConfigurableModuleOptionsFactory,
  ExecutionContext,
  Type,
} from '@nestjs/common'

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

/** What a factory may add to the option `auth` that stands beside it, where the path of the routes is. */
export interface AuthOfFactory {
  readonly auth?: Omit<AuthOptions, 'authPath'> | undefined
}

/** Tokens from a source that the app has built, and that it closes itself. */
export interface GivenTokens extends RequestOptions, GivenTokensOptions {}

/** Tokens from a manager that the module builds from these options, and closes when the application shuts down. */
export interface ManagedTokens extends RequestOptions, ManagedTokensOptions {}

/** Tokens from a manager over the store that environment variables name; the module opens it and closes it. */
export interface EnvironmentTokens extends RequestOptions, EnvironmentTokensOptions {}

/** What the module takes. Unknown keys are refused. */
export type ShopifyTokensModuleOptions = GivenTokens | ManagedTokens | EnvironmentTokens

/** Where webhooks arrive, and who takes them. */
export interface WebhookRoutesOptions extends Pick<WebhookOptions, 'onError'> {
  /** The path at which webhooks arrive, below the application's global prefix; they may also arrive below it. Default `/webhooks`. */
  readonly path?: string | undefined
  /** The modules whose `@ShopifyWebhook` methods take them, for an application with several Shopify apps. Default all. */
  readonly modules?: readonly Type[] | undefined
}

/** What a module is, as opposed to what it does: given beside the options, or beside the factory that makes them. */
export interface ShopifyTokensModuleExtras {
  /** Whether other modules see the providers without importing the module. Default true. */
  readonly isGlobal?: boolean | undefined
  /**
   * Whether `ShopifyTokensExceptionFilter` answers this project's errors everywhere in the application. Default true; with
   * false they reach the application's own filters, or Nest's, which answers 500 to all of them.
   */
  readonly exceptionFilter?: boolean | undefined
  /**
   * Makes a controller for the routes by which a merchant installs the app and authorizes it, and lets documents be sent
   * there. `{}`: as environment variables say. `authPath` is below the application's global prefix.
   */
  readonly auth?: AuthOptions | undefined
  /** Makes a controller for webhooks. `{}`: all of them, at `/webhooks`. The application needs `rawBody: true`. */
  readonly webhooks?: WebhookRoutesOptions | undefined
  /**
   * Class decorators for these controllers: what an application's own guard for all routes looks for on those that it lets
   * pass, such as its `@Public()`.
   */
  readonly routeDecorators?: readonly ClassDecorator[] | undefined
}

/** A class that makes the options, for `useClass` and `useExisting`. */
export type ShopifyTokensOptionsFactory = ConfigurableModuleOptionsFactory<
  ShopifyTokensModuleOptions & AuthOfFactory,
  'createShopifyTokensOptions'
>

/** What `forRootAsync` takes: one of `useFactory` (with `inject`), `useClass` and `useExisting`, and `imports` for it. */
export interface ShopifyTokensModuleAsyncOptions
  extends
    Omit<
      ConfigurableModuleAsyncOptions<ShopifyTokensModuleOptions & AuthOfFactory, 'createShopifyTokensOptions'>,
      'provideInjectionTokensFrom'
    >,
    ShopifyTokensModuleExtras {}

/** {@link RequestOptions} after they have been checked. */
export type RequestSettings = SettingsOfRequests<ExecutionContext>
