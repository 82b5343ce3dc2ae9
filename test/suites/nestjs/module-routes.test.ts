import 'reflect-metadata'
import type { Installed, WebhookDelivery } from '@shopify-tokens/core'
import { RequireScopes, ShopifyTokensModule, ShopifyWebhook } from '@shopify-tokens/nestjs'
import {
  type CanActivate,
  Controller,
  type DynamicModule,
  type ExecutionContext,
  Get,
  Inject,
  Injectable,
  Module,
  RequestMethod,
  Scope,
  SetMetadata,
  VersioningType,
} from '@nestjs/common'
import { APP_GUARD, Reflector } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import { Test } from '@nestjs/testing'
import request, { type Test as Sent } from 'supertest'
import type { App } from 'supertest/types.js'
import { managedApp } from '../../core/managed-app.js'
import { APP_URL, type ServedRoutes } from '../routes.js'
import { routesApp, type RoutesAppOptions } from './routes-app.js'
import { closeAll, PLATFORMS, shop } from './served-app.js'

afterEach(closeAll)

const DOCUMENT = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document' }
const auth = { appUrl: APP_URL }
const refused = (...options: string[]): object => ({ code: 'ERR_INVALID_OPTION', options })

function deliver({ server, shopify }: ServedRoutes, topic: string, path = '/webhooks'): Sent {
  const { headers, body } = shopify.webhook(topic, shop)
  return request(server).post(path).set(headers).send(body)
}

describe.each(PLATFORMS)('on platform-%s', (platform) => {
  const callbackOf = async (path: string, options: Partial<RoutesAppOptions>): Promise<string | null> => {
    const { server } = await routesApp({ platform, ...options })
    const { headers } = await request(server).get(`${path}?shop=${shop}`).expect(302)
    return new URL(String(headers.location)).searchParams.get('redirect_uri')
  }

  it('the routes are below the global prefix, and so is what is told of them', async () => {
    const prefixed = { prepare: (app: { setGlobalPrefix: (prefix: string) => unknown }) => app.setGlobalPrefix('api') }
    const app = await routesApp({ platform, shopBy: 'app', ...prefixed })

    const sent = await request(app.server).get('/api/token').set(DOCUMENT).expect(302)

    expect(sent.headers.location).toBe(`/api/auth?shop=${shop}&return_to=%2Fapi%2Ftoken`)
    expect(await callbackOf('/api/auth', prefixed)).toBe(`${APP_URL}/api/auth/callback`)
    await deliver(app, 'shop/redact', '/api/webhooks').expect(200)
  })

  it('the routes may be excluded from the global prefix', async () => {
    const exclude = [{ path: '/auth{/*rest}', method: RequestMethod.GET }]
    const callback = await callbackOf('/auth', { prepare: (app) => app.setGlobalPrefix('/api/', { exclude }) })

    expect(callback).toBe(`${APP_URL}/auth/callback`)
  })

  it('the routes have no version, and may have other paths', async () => {
    const callback = await callbackOf('/login', {
      auth: { authPath: '/login' },
      prepare: (app) => app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' }),
    })

    expect(callback).toBe(`${APP_URL}/login/callback`)
  })

  it("an application's guard for all routes lets them through by what it looks for", async () => {
    const Public = (): ClassDecorator => SetMetadata('public', true)
    @Injectable()
    class OnlyPublic implements CanActivate {
      constructor(@Inject(Reflector) readonly reflector: Reflector) {}

      canActivate(context: ExecutionContext): boolean {
        return this.reflector.get<true | undefined>('public', context.getClass()) === true
      }
    }
    const guarded: RoutesAppOptions = { platform, providers: [{ provide: APP_GUARD, useClass: OnlyPublic }] }
    const [closed, open] = [await routesApp(guarded), await routesApp({ ...guarded, routeDecorators: [Public()] })]

    await deliver(closed, 'shop/redact').expect(403)
    await deliver(open, 'shop/redact').expect(200)
    await request(open.server).get(`/auth?shop=${shop}`).expect(302)
    await request(open.server).get('/token').expect(403)
  })

  it('a check of scopes holds without the interceptor, for a controller and its handlers alike', async () => {
    const reached: string[] = []
    @RequireScopes('read_orders')
    @Controller('orders')
    class OrdersController {
      @Get()
      list(): void {
        reached.push('list')
      }

      @RequireScopes('read_products')
      @Get('products')
      products(): void {
        reached.push('products')
      }
    }
    const app = await routesApp({ platform, shopBy: 'app', controllers: [OrdersController] })

    await app.seed({ scopes: ['read_products'] })
    await request(app.server).get('/orders').expect(403)
    await request(app.server).get('/orders/products').expect(403)
    await app.seed({ scopes: ['read_orders'] })
    await request(app.server).get('/orders').expect(200)
    await request(app.server).get('/orders/products').expect(403)

    expect(reached).toEqual(['list'])
  })

  it('what the hook of an installation throws is for the filters of the application', async () => {
    const onInstalled = (): never => {
      throw new Error('a secret detail')
    }
    const { server, shopify, record } = await routesApp({ platform, auth: { onInstalled } })
    const begun = await request(server).get(`/auth?shop=${shop}`)
    const callback = new URL(shopify.authorize(shop, String(begun.headers.location)))

    const answer = await request(server)
      .get(callback.pathname + callback.search)
      .set('Cookie', String(begun.headers['set-cookie']).split(';')[0]!)

    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('secret detail')
    expect(await record()).toMatchObject({ kind: 'expiring' })
  })
})

it('the bytes of a webhook are read where the application has no body parser at all', async () => {
  const backend = await managedApp()
  const module = await Test.createTestingModule({
    imports: [ShopifyTokensModule.forRoot({ tokens: backend.tokens, webhooks: {} })],
  }).compile()
  const app = await module.createNestApplication(new ExpressAdapter(), { logger: false, bodyParser: false }).init()
  const { headers, body } = backend.shopify.webhook('app/uninstalled', shop)

  await request(app.getHttpServer() as App)
    .post('/webhooks')
    .set(headers)
    .send(body)
    .expect(200)
  await app.close()
})

describe('@ShopifyWebhook', () => {
  /** What a method was called with, by its name. */
  const calls: [name: string, topic: string][] = []
  beforeEach(() => {
    calls.length = 0
  })

  @Injectable()
  class Orders {
    protected readonly name: string = 'orders'

    @ShopifyWebhook('orders/create')
    @ShopifyWebhook('orders/updated')
    note({ topic }: WebhookDelivery): void {
      calls.push([this.name, topic])
    }
  }
  @Injectable()
  class Invoices extends Orders {
    protected override readonly name = 'invoices'
  }
  @Module({ providers: [Invoices, { provide: 'alias', useExisting: Invoices }] })
  class InvoicesModule {}

  it('calls every method of a topic, of whatever module, each once', async () => {
    const app = await routesApp({ platform: 'express', providers: [Orders], imports: [InvoicesModule] })

    await deliver(app, 'orders/updated').expect(200)
    await deliver(app, 'products/update').expect(200)

    expect(calls.sort()).toEqual([
      ['invoices', 'orders/updated'],
      ['orders', 'orders/updated'],
    ])
  })

  it('calls methods of the modules alone that the option names', async () => {
    const app = await routesApp({
      platform: 'express',
      providers: [Orders],
      imports: [InvoicesModule],
      webhooks: { modules: [InvoicesModule] },
    })

    await deliver(app, 'orders/updated').expect(200)

    expect(calls).toEqual([['invoices', 'orders/updated']])
  })

  it('takes a webhook as done when all of its methods have done it, and as under way until the last has ended', async () => {
    let fail = true
    const order: string[] = []
    const gate: { open: () => void } = { open: () => undefined }
    const held = new Promise<void>((resolve) => (gate.open = resolve))
    @Injectable()
    class Failing {
      @ShopifyWebhook('orders/create')
      first(): void {
        order.push('first')
        if (fail) throw new Error('not yet')
      }

      @ShopifyWebhook('orders/create')
      async second(): Promise<void> {
        await held
        order.push('second')
      }
    }
    const app = await routesApp({ platform: 'express', providers: [Failing] })
    const { headers, body } = app.shopify.webhook('orders/create', shop)
    const post = (): Sent => request(app.server).post('/webhooks').set(headers).send(body)

    const failing = post().then()
    while (order.length === 0) await new Promise((resolve) => setImmediate(resolve))
    await post().expect(503)
    gate.open()
    expect((await failing).status).toBe(500)
    fail = false
    await post().expect(200)

    expect(order).toEqual(['first', 'second', 'first', 'second'])
  })

  const starting = (options: Partial<RoutesAppOptions>): Promise<unknown> =>
    routesApp({ platform: 'express', ...options })

  it.each([
    ['a request', { scope: Scope.REQUEST }],
    ['whoever asks', { scope: Scope.TRANSIENT }],
  ])('is refused on a class that is made anew for %s', async (_whom, options) => {
    @Injectable(options)
    class Anew {
      @ShopifyWebhook('orders/create')
      take(): void {
        calls.push(['anew', 'never'])
      }
    }

    await expect(starting({ providers: [Anew] })).rejects.toMatchObject(refused('ShopifyWebhook'))
    await expect(starting({ providers: [Anew] })).rejects.toThrow(/Anew\.take/)
  })

  it('is refused for what is no topic', async () => {
    @Injectable()
    class Wrong {
      @ShopifyWebhook('ORDERS_CREATE')
      take(): void {
        calls.push(['wrong', 'never'])
      }
    }

    await expect(starting({ providers: [Wrong] })).rejects.toMatchObject(refused('handlers'))
  })

  it('is refused where the module receives no webhooks, unless the module is for some only', async () => {
    const { tokens } = await managedApp()
    const compiled = async (module: DynamicModule): Promise<void> => {
      const made = await Test.createTestingModule({ imports: [module], providers: [Orders] }).compile()
      await made.init()
      await made.close()
    }

    await expect(compiled(ShopifyTokensModule.forRoot({ tokens }))).rejects.toMatchObject(refused('webhooks'))
    await compiled(ShopifyTokensModule.forRoot({ tokens, isGlobal: false }))
  })
})

describe('the options of the routes', () => {
  const compile = async (module: DynamicModule): Promise<void> => {
    await (await Test.createTestingModule({ imports: [module] }).compile()).init()
  }

  it.each<[string, object, string[]]>([
    ['auth that is no object', { auth: true }, ['auth']],
    ['webhooks that are no object', { webhooks: '/webhooks' }, ['webhooks']],
    ['an unknown name in webhooks', { webhooks: { handlers: {} } }, ['handlers']],
    ['another origin for webhooks', { webhooks: { path: '//evil.com' } }, ['path']],
    ['another origin for authorization', { auth: { authPath: '//evil.com' } }, ['authPath']],
    ['two paths for authorization', { auth, authPath: '/login' }, ['authPath']],
  ])('are refused when the module is made: %s', (_mistake, options, names) => {
    const make = (): unknown => ShopifyTokensModule.forRoot({ tokens: {} as never, ...options })

    expect(make).toThrow(expect.objectContaining(refused(...names)) as Error)
  })

  it.each<[string, object, string[]]>([
    ['no address of the app', { auth: {} }, ['appUrl']],
    ['an unknown name in auth', { auth: { ...auth, scope: [] } }, ['scope']],
    ['tokens that can exchange no code', { auth }, ['tokens']],
    ['tokens that can verify no webhook', { webhooks: {} }, ['tokens']],
  ])('are refused when the application starts: %s', async (_mistake, options, names) => {
    const tokens = { token: () => Promise.reject(new Error('not called')) }

    await expect(compile(ShopifyTokensModule.forRoot({ tokens, ...options }))).rejects.toMatchObject(refused(...names))
  })

  it('may come from a factory, with other providers, as far as they are no paths', async () => {
    const { tokens, shopify } = await managedApp()
    const installed: string[] = []
    @Injectable()
    class Accounts {
      add(name: string): number {
        return installed.push(name)
      }
    }
    @Module({ providers: [Accounts], exports: [Accounts] })
    class AccountsModule {}
    const async = (given: object, auth?: object): DynamicModule =>
      ShopifyTokensModule.forRootAsync({
        imports: [AccountsModule],
        inject: [Accounts],
        useFactory: (accounts: Accounts) => ({
          tokens,
          auth: { appUrl: APP_URL, onInstalled: ({ shop }: Installed) => accounts.add(shop), ...auth },
        }),
        ...given,
      })
    const module = await Test.createTestingModule({ imports: [async({ auth: { authPath: '/login' } })] }).compile()
    const app = await module.createNestApplication({ logger: false }).init()
    const server = app.getHttpServer() as App
    const begun = await request(server).get(`/login?shop=${shop}`).expect(302)
    const callback = new URL(shopify.authorize(shop, String(begun.headers.location)))
    await request(server)
      .get(callback.pathname + callback.search)
      .set('Cookie', String(begun.headers['set-cookie']).split(';')[0]!)
      .expect(302)

    expect(installed).toEqual([shop])
    await expect(compile(async({}))).rejects.toMatchObject(refused('auth'))
    await expect(compile(async({ auth: {} }, { authPath: '/x' }))).rejects.toMatchObject(refused('authPath'))
    await app.close()
  })

  it('name scopes that are scopes', () => {
    const decorate = (): unknown => RequireScopes('write products')

    expect(decorate).toThrow(expect.objectContaining(refused('scopes')) as Error)
  })
})
