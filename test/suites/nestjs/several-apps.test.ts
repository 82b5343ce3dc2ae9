import 'reflect-metadata'
import { parseShop, type RequestAccess, tokensByShop } from '@shopify-tokens/core'
import {
  ShopifyAccess,
  ShopifyTokenInterceptor,
  ShopifyTokens,
  ShopifyTokensExceptionFilter,
  ShopifyTokensModule,
} from '@shopify-tokens/nestjs'
import {
  Controller,
  type DynamicModule,
  Get,
  type INestApplication,
  Inject,
  Injectable,
  Module,
  type Type,
  UseFilters,
  UseInterceptors,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import type { AddressInfo } from 'node:net'
import type { Server } from 'node:http'
import request from 'supertest'
import { type OneApp, shop, type TwoApps, twoApps } from '../two-apps.js'
import { type Platform, PLATFORMS, QUERY, ShopController } from './served-app.js'

let apps: TwoApps
const running: INestApplication[] = []

beforeEach(async () => {
  apps = await twoApps()
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((app) => app.close()))
  await apps.close()
})

/** A feature with a Shopify app of its own, below a path of its own. */
function feature(path: string, { tokens }: OneApp): { readonly module: Type; readonly jobs: Type<HasTokens> } {
  @Injectable()
  class Jobs {
    constructor(@Inject(ShopifyTokens) readonly tokens: ShopifyTokens) {}
  }

  @Controller(path)
  @UseInterceptors(ShopifyTokenInterceptor)
  @UseFilters(ShopifyTokensExceptionFilter)
  class Routes {
    @Get('token')
    token(@ShopifyAccess() shopify: RequestAccess): object {
      return { value: shopify.accessToken }
    }

    @Get('shop')
    async shop(@ShopifyAccess() shopify: RequestAccess): Promise<object> {
      return shopify.graphql(QUERY)
    }
  }

  @Module({
    imports: [
      ShopifyTokensModule.forRoot({
        ...{ tokens, authPath: `/${path}/auth`, isGlobal: false, exceptionFilter: false },
        webhooks: { path: `/${path}/webhooks`, modules: [] },
      }),
    ],
    controllers: [Routes],
    providers: [Jobs],
  })
  class Feature {}
  return { module: Feature, jobs: Jobs }
}

interface HasTokens {
  readonly tokens: ShopifyTokens
}

async function started(
  platform: Platform,
  imports: (Type | DynamicModule)[],
  controllers: Type[] = [],
): Promise<Server> {
  @Module({ imports, controllers })
  class App {}
  const adapter = platform === 'express' ? new ExpressAdapter() : new FastifyAdapter()
  const app = await NestFactory.create(App, adapter, { logger: false, rawBody: true, abortOnError: false })
  running.push(app)
  await app.listen(0, '127.0.0.1')
  return app.getHttpServer() as Server
}

async function visit(server: Server, path: string, { shopify }: OneApp): Promise<string> {
  const answer = await request(server)
    .get(path)
    .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
    .expect(200)
  return (answer.body as { readonly value: string }).value
}

describe.each(PLATFORMS)('two modules with an app each, with one table (%s)', (platform) => {
  let server: Server
  let jobs: readonly Type<HasTokens>[]

  beforeEach(async () => {
    const features = [feature('first', apps.first), feature('second', apps.second)]
    jobs = features.map((each) => each.jobs)
    server = await started(
      platform,
      features.map(({ module }) => module),
    )
  })

  it('have a token each of the shop that has installed both', async () => {
    const { first, second } = apps

    const values = [await visit(server, '/first/token', first), await visit(server, '/second/token', second)]

    expect(first.shopify.accessTokenState(shop, values[0] ?? '')).toBe('live')
    expect(second.shopify.accessTokenState(shop, values[1] ?? '')).toBe('live')
    expect(await apps.rows()).toEqual([
      ['first-app', 'expiring'],
      ['second-app', 'expiring'],
    ])
    const injected = jobs.map((each) => running[0]?.get(each, { strict: false }).tokens)
    expect(await Promise.all(injected.map(async (tokens) => (await tokens?.token(shop))?.value))).toEqual(values)
  })

  it('call Shopify each with its own, however the requests come', async () => {
    const { first, second } = apps

    await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        n % 2 === 0 ? visit(server, '/first/shop', first) : visit(server, '/second/shop', second),
      ),
    )

    for (const { shopify } of [first, second]) {
      expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 1, adminCallsByStatus: { 200: 10 } })
    }
  })

  it('refuse each other’s session tokens, and send merchants each to their own authorization', async () => {
    const { first, second } = apps
    const ask = (path: string, { shopify }: OneApp) =>
      request(server)
        .get(path)
        .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)

    const refused = await ask('/second/token', first).expect(401)
    expect(refused.body).toMatchObject({ code: 'ERR_INVALID_SESSION_TOKEN' })
    expect(second.shopify.counters(shop).tokenCalls).toBe(0)

    for (const [path, app] of [
      ['first', first],
      ['second', second],
    ] as const) {
      app.shopify.uninstall(shop)
      const answer = await ask(`/${path}/token`, app).expect(403)
      expect(answer.headers['x-shopify-api-request-failure-reauthorize-url']).toContain(`/${path}/auth`)
    }
  })

  it('are uninstalled one by one: the other’s tokens stay', async () => {
    const { first, second } = apps
    await visit(server, '/first/token', first)
    const value = await visit(server, '/second/token', second)
    const { port } = server.address() as AddressInfo
    const webhooks = (path: string): string => `http://127.0.0.1:${port}${path}/webhooks`

    first.shopify.uninstall(shop)
    expect(await first.shopify.deliverWebhook(webhooks('/second'), 'app/uninstalled', shop)).toEqual([401])
    expect(await first.shopify.deliverWebhook(webhooks('/first'), 'app/uninstalled', shop)).toEqual([200])

    expect(await apps.rows()).toEqual([
      ['first-app', 'removed'],
      ['second-app', 'expiring'],
    ])
    expect((await second.tokens.token(shop)).value).toBe(value)
    await visit(server, '/second/shop', second)
  })
})

describe('one module with two apps', () => {
  it('tells them apart by the shop, which has one of them', async () => {
    const { first, second } = apps
    const others = parseShop('others.myshopify.com')
    first.shopify.installShop(others)
    const tokens = tokensByShop({ [shop]: second.tokens, [others]: first.tokens })
    const server = await started('express', [ShopifyTokensModule.forRoot({ tokens })], [ShopController])

    const value = await visit(server, '/token', second)
    await request(server)
      .get('/token')
      .set('Authorization', `Bearer ${first.shopify.sessionToken(shop)}`)
      .expect(401)
    await request(server)
      .get('/token')
      .set('Authorization', `Bearer ${first.shopify.sessionToken(others)}`)
      .expect(200)

    expect((await second.tokens.token(shop)).value).toBe(value)
    expect(await apps.rows()).toEqual([
      ['first-app', 'expiring'],
      ['second-app', 'expiring'],
    ])
  })
})
