import 'reflect-metadata'
import type { RequestAccess } from '@shopify-tokens/core'
import {
  CurrentShop,
  type GivenTokens,
  ShopifyAccess,
  ShopifyTokenInterceptor,
  ShopifyTokensModule,
  type ShopifyTokensModuleExtras,
} from '@shopify-tokens/nestjs'
import { Controller, Get, type INestApplication, type ModuleMetadata, type Type, UseInterceptors } from '@nestjs/common'
import { APP_INTERCEPTOR } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { Test } from '@nestjs/testing'
import type { Server } from 'node:http'
import { managedApp, type ManagedApp, closeAll as closeBackends } from '../../core/managed-app.js'

export { HOUR_MS, shop } from '../../core/managed-app.js'

export const QUERY = '{ shop { name } }'

/** Nest runs on both; what we answer is the same. */
export const PLATFORMS = ['express', 'fastify'] as const
export type Platform = (typeof PLATFORMS)[number]

@Controller()
@UseInterceptors(ShopifyTokenInterceptor)
export class ShopController {
  @Get('token')
  token(@ShopifyAccess() shopify: RequestAccess, @CurrentShop() shop: string): object {
    return { shop, value: shopify.accessToken }
  }

  @Get('shop')
  async shop(@ShopifyAccess() shopify: RequestAccess): Promise<object> {
    return shopify.graphql(QUERY)
  }
}

export interface ServedApp extends ManagedApp {
  readonly app: INestApplication
  readonly server: Server
  /** Resolves when `n` requests have reached the server, whatever became of them since. */
  arrived(n: number): Promise<void>
}

export interface ServedAppOptions
  extends
    Partial<GivenTokens>,
    ShopifyTokensModuleExtras,
    Pick<ModuleMetadata, 'controllers' | 'imports' | 'providers'> {
  readonly platform: Platform
  /** The interceptor for every route, instead of by `@UseInterceptors`. */
  readonly everywhere?: boolean
  readonly managed?: Parameters<typeof managedApp>[0]
  readonly cors?: { readonly exposedHeaders: string }
}

const running: INestApplication[] = []

/** Ends every application and every fake Shopify that a test has started. */
export async function closeAll(): Promise<void> {
  await Promise.all(running.splice(0).map((app) => app.close()))
  await closeBackends()
}

/** A Nest application over a manager and a fake Shopify, listening on a port of its own. */
export async function servedApp(given: ServedAppOptions): Promise<ServedApp> {
  const { platform, everywhere = false, managed, cors, controllers, imports = [], providers = [], ...options } = given
  const backend = await managedApp(managed)
  const interceptor = everywhere ? [{ provide: APP_INTERCEPTOR, useExisting: ShopifyTokenInterceptor }] : []
  const module = await Test.createTestingModule({
    imports: [ShopifyTokensModule.forRoot({ tokens: backend.tokens, ...options }), ...imports],
    controllers: controllers ?? [ShopController],
    providers: [...providers, ...interceptor],
  }).compile()
  const app = await started(
    platform,
    (adapter) => module.createNestApplication<NestFastifyApplication>(adapter as FastifyAdapter, { logger: false }),
    cors,
  )
  const server = app.getHttpServer() as Server
  const arrivals = countArrivals(server)
  return { ...backend, app, server, arrived: arrivals }
}

/** Starts an application on the platform's adapter. */
export async function started(
  platform: Platform,
  create: (adapter: ExpressAdapter | FastifyAdapter) => INestApplication,
  cors?: { readonly exposedHeaders: string },
): Promise<INestApplication> {
  const app = create(platform === 'express' ? new ExpressAdapter() : new FastifyAdapter())
  if (cors !== undefined) app.enableCors(cors)
  await app.listen(0, '127.0.0.1')
  running.push(app)
  return app
}

function countArrivals(server: Server): (n: number) => Promise<void> {
  let count = 0
  let waiting: { readonly n: number; readonly resolve: () => void }[] = []
  server.on('request', () => {
    count += 1
    for (const { n, resolve } of waiting) if (count >= n) resolve()
    waiting = waiting.filter(({ n }) => count < n)
  })
  return async (n) => {
    if (count < n) await new Promise<void>((resolve) => waiting.push({ n, resolve }))
  }
}

export type AnyController = Type
