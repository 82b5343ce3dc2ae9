import 'reflect-metadata'
import type { Server } from 'node:http'
import type { Installed, RequestAccess, WebhookDelivery } from '@shopify-tokens/core'
import {
  RequireScopes,
  ShopifyAccess,
  ShopifyTokenInterceptor,
  ShopifyTokensModule,
  type ShopifyTokensModuleExtras,
  ShopifyWebhook,
} from '@shopify-tokens/nestjs'
import { All, Controller, Get, HttpCode, type INestApplication, Injectable, type ModuleMetadata } from '@nestjs/common'
import { APP_INTERCEPTOR } from '@nestjs/core'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import { managedApp, shop } from '../../core/managed-app.js'
import { APP_URL, type RoutesOptions, type ServedRoutes } from '../routes.js'
import { type Platform, started } from './served-app.js'

@Controller()
class ProductsController {
  @Get('token')
  token(@ShopifyAccess() shopify: RequestAccess): object {
    return { shop: shopify.shop, value: shopify.accessToken }
  }

  @RequireScopes('write_products')
  @HttpCode(200)
  @All('products')
  products(@ShopifyAccess() shopify: RequestAccess): object {
    return { shop: shopify.shop, value: shopify.accessToken, scopes: shopify.scopes }
  }
}

export interface RoutesAppOptions
  extends RoutesOptions, ShopifyTokensModuleExtras, Pick<ModuleMetadata, 'controllers' | 'imports' | 'providers'> {
  readonly platform: Platform
  /** What `main.ts` would do with the application before it listens. */
  readonly prepare?: (app: INestApplication) => void
}

/** A Nest application with everything that {@link ServedRoutes} asks for, and the interceptor for every route. */
export async function routesApp(options: RoutesAppOptions): Promise<ServedRoutes & { readonly app: INestApplication }> {
  const {
    platform,
    shopBy,
    parser,
    onOrder,
    managed,
    prepare,
    controllers = [],
    imports = [],
    providers = [],
  } = options
  const backend = await managedApp(managed)
  const installed: Installed[] = []
  const uninstalled: WebhookDelivery[] = []

  @Injectable()
  class Accounts {
    readonly #uninstalled = uninstalled

    @ShopifyWebhook('app/uninstalled')
    end(delivery: WebhookDelivery): void {
      this.#uninstalled.push(delivery)
    }

    @ShopifyWebhook('orders/create')
    order(delivery: WebhookDelivery): unknown {
      return onOrder?.(delivery)
    }
  }

  const { routeDecorators } = options
  const module = await Test.createTestingModule({
    imports: [
      ShopifyTokensModule.forRoot({
        tokens: backend.tokens,
        ...(shopBy === 'app' ? { shopOf: () => shop } : {}),
        auth: {
          appUrl: APP_URL,
          scopes: ['read_products'],
          onInstalled: (each) => installed.push(each),
          ...options.auth,
        },
        webhooks: { onError: () => undefined, ...options.webhooks },
        routeDecorators,
      }),
      ...imports,
    ],
    controllers: [ProductsController, ...controllers],
    providers: [Accounts, { provide: APP_INTERCEPTOR, useExisting: ShopifyTokenInterceptor }, ...providers],
  }).compile()
  const create = { logger: false, rawBody: parser !== 'forgets-bytes' } as const
  const app = await started(platform, (adapter) => {
    const made = module.createNestApplication<NestFastifyApplication>(adapter as never, create)
    prepare?.(made)
    return made
  })
  return { ...backend, app, server: app.getHttpServer() as Server, installed, uninstalled }
}
