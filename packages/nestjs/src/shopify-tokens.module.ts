import { flagOption, InvalidOptionError, parseRequestOptions } from '@shopify-tokens/core'
import {
  type DynamicModule,
  type FactoryProvider,
  Inject,
  Module,
  type OnApplicationShutdown,
  type Provider,
} from '@nestjs/common'
import { APP_FILTER, ApplicationConfig, DiscoveryModule, DiscoveryService, ModuleRef } from '@nestjs/core'
import { AuthRoutes } from './auth-routes.js'
import { controllersOf } from './controllers.js'
import { ShopifyTokensExceptionFilter } from './exception.filter.js'
import type {
  ShopifyTokensModuleAsyncOptions,
  ShopifyTokensModuleExtras,
  ShopifyTokensModuleOptions,
  ShopifyTokensOptionsFactory,
} from './module-options.js'
import { type OpenedTokens, openTokens } from './opened-tokens.js'
import { type ModuleOptions, parseModuleOptions } from './parse-module-options.js'
import { AUTH_ROUTES, MODULE_OPTIONS, OPENED_TOKENS, REQUEST_SETTINGS } from './providers.js'
import { RequestOpener } from './request-opener.js'
import { ShopifyScopesGuard } from './scopes.guard.js'
import { ShopifyTokenInterceptor } from './shopify-token.interceptor.js'
import { ShopifyTokens } from './shopify-tokens.js'
import { WebhookRoutes } from './webhook-routes.js'

/**
 * Gives an application {@link ShopifyTokens}, {@link ShopifyTokenInterceptor}, and answers to this project's errors.
 *
 * The application starts when the tokens can be served, and does not start when the store cannot be opened. When it shuts
 * down, after the last request, the module closes what it has opened: a manager built from `store` or from the
 * environment; a source given as `tokens` is closed by whoever made it.
 */
@Module({})
export class ShopifyTokensModule implements OnApplicationShutdown {
  readonly #opened: OpenedTokens

  constructor(@Inject(OPENED_TOKENS) opened: OpenedTokens) {
    this.#opened = opened
  }

  /**
   * Without `tokens` or `store` the configuration comes from environment variables (`ENVIRONMENT_VARIABLES`), read when the
   * application starts; `@shopify-tokens/typeorm-store` must be installed then.
   *
   * ```ts
   * @Module({ imports: [ShopifyTokensModule.forRoot()] })
   * ```
   *
   * @throws InvalidOptionError `ERR_INVALID_OPTION`; for what the manager or the environment says, when the application
   * starts.
   */
  static forRoot(options: ShopifyTokensModuleOptions & ShopifyTokensModuleExtras = {}): DynamicModule {
    parseRequestOptions(options)
    const { isGlobal, exceptionFilter, auth, webhooks, routeDecorators, ...moduleOptions } = options
    const extras = { isGlobal, exceptionFilter, auth, webhooks, routeDecorators }
    parseModuleOptions(moduleOptions, extras)
    return moduleOf([{ provide: MODULE_OPTIONS, useValue: moduleOptions }], extras)
  }

  /**
   * The same with options that other providers help to make: an application's configuration, or its DataSource.
   *
   * ```ts
   * ShopifyTokensModule.forRootAsync({
   *   inject: [DataSource],
   *   useFactory: (dataSource: DataSource) => ({
   *     store: new TypeOrmTokenStore(dataSource), clientId, clientSecret, sealing,
   *   }),
   * })
   * ```
   *
   * A DataSource of its own, with two to four connections, is better than the application's: a request that holds the last
   * pooled connection while it waits for a token would wait for ever.
   *
   * @throws InvalidOptionError `ERR_INVALID_OPTION`
   */
  static forRootAsync(options: ShopifyTokensModuleAsyncOptions): DynamicModule {
    return moduleOf(optionsProviders(options), options, options.imports)
  }

  /** Closes what the module has opened. */
  async onApplicationShutdown(): Promise<void> {
    await this.#opened.close()
  }
}

function moduleOf(
  given: Provider[],
  extras: ShopifyTokensModuleExtras,
  imports: DynamicModule['imports'] = [],
): DynamicModule {
  const global = flagOption('isGlobal', extras.isGlobal, true)
  const answering = flagOption('exceptionFilter', extras.exceptionFilter, true)
  const filter = { provide: APP_FILTER, useExisting: ShopifyTokensExceptionFilter }
  const enhancers = [ShopifyTokenInterceptor, ShopifyScopesGuard, ShopifyTokensExceptionFilter]
  return {
    module: ShopifyTokensModule,
    global,
    imports: [DiscoveryModule, ...imports],
    controllers: controllersOf(extras),
    providers: [...given, ...fromOptions(extras), ...enhancers, ...(answering ? [filter] : [])],
    // What enhancers need: Nest makes them anew for each module that uses them.
    exports: [ShopifyTokens, REQUEST_SETTINGS, AUTH_ROUTES, RequestOpener, ...enhancers],
  }
}

function fromOptions(extras: ShopifyTokensModuleExtras): Provider[] {
  return [
    {
      provide: REQUEST_SETTINGS,
      inject: [MODULE_OPTIONS],
      useFactory: (options: ModuleOptions) => parseModuleOptions(options, extras).settings,
    },
    {
      provide: AUTH_ROUTES,
      inject: [MODULE_OPTIONS, ModuleRef, ApplicationConfig],
      useFactory: (options: ModuleOptions, modules: ModuleRef, application: ApplicationConfig) => {
        const { auth } = parseModuleOptions(options, extras)
        return auth === null ? null : new AuthRoutes(auth, () => modules.get(ShopifyTokens), application)
      },
    },
    {
      provide: OPENED_TOKENS,
      // The routes too, so that a wrong option of theirs is found before anything is open.
      inject: [MODULE_OPTIONS, AUTH_ROUTES],
      useFactory: (options: ModuleOptions) =>
        openTokens(
          parseModuleOptions(options, extras).source,
          [extras.auth, extras.webhooks].some((one) => one !== undefined),
        ),
    },
    {
      provide: ShopifyTokens,
      inject: [OPENED_TOKENS],
      useFactory: ({ tokens }: OpenedTokens) => new ShopifyTokens(tokens),
    },
    {
      provide: WebhookRoutes,
      inject: [ShopifyTokens, DiscoveryService],
      useFactory: (tokens: ShopifyTokens, discovery: DiscoveryService) => new WebhookRoutes(tokens, extras, discovery),
    },
    RequestOpener,
  ]
}

function optionsProviders(options: ShopifyTokensModuleAsyncOptions): Provider[] {
  const { inject = [], useFactory, useClass, useExisting } = options
  const given = [useFactory, useClass, useExisting].filter((one) => one !== undefined)
  if (given.length !== 1) {
    throw new InvalidOptionError('forRootAsync needs one of useFactory, useClass and useExisting.', [
      'useFactory',
      'useClass',
      'useExisting',
    ])
  }
  if (useFactory !== undefined) return [{ provide: MODULE_OPTIONS, inject, useFactory }]
  const factory = useClass ?? useExisting ?? ''
  const made: FactoryProvider = {
    provide: MODULE_OPTIONS,
    inject: [factory],
    useFactory: (maker: ShopifyTokensOptionsFactory) => maker.createShopifyTokensOptions(),
  }
  return useClass === undefined ? [made] : [made, useClass]
}
