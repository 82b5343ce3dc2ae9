import 'reflect-metadata'
import { MemoryTokenStore, type RequestAccess, type TokenManager } from '@shopify-tokens/core'
import {
  InjectShopifyTokens,
  ShopifyAccess,
  ShopifyTokenInterceptor,
  ShopifyTokens,
  ShopifyTokensModule,
  type ShopifyTokensModuleOptions,
  type ShopifyTokensOptionsFactory,
} from '@shopify-tokens/nestjs'
import { Controller, Get, Inject, Injectable, Module, type ModuleMetadata, UseInterceptors } from '@nestjs/common'
import { APP_INTERCEPTOR } from '@nestjs/core'
import { Test, type TestingModule } from '@nestjs/testing'
import request from 'supertest'
import { CLIENT_ID, CLIENT_SECRET } from '../../core/managed-app.js'
import { closeAll, servedApp, shop, ShopController } from './served-app.js'

const open: TestingModule[] = []

afterEach(async () => {
  await Promise.all(open.splice(0).map((module) => module.close()))
  await closeAll()
})

async function compiled(metadata: ModuleMetadata): Promise<TestingModule> {
  const module = await Test.createTestingModule(metadata).compile()
  await module.init()
  open.push(module)
  return module
}

const managed = {
  clientId: CLIENT_ID,
  clientSecret: CLIENT_SECRET,
  store: new MemoryTokenStore(),
  sealing: 'unsealed-tokens-readable-in-store',
} as const

@Injectable()
class Jobs {
  constructor(
    @Inject(ShopifyTokens) readonly byClass: ShopifyTokens,
    @InjectShopifyTokens() readonly byDecorator: TokenManager,
  ) {}
}

/** As TypeScript and swc emit it: no decorator of ours, only the type. */
@Injectable()
class PlainJobs {
  constructor(readonly tokens: ShopifyTokens) {}
}

@Injectable()
class Options implements ShopifyTokensOptionsFactory {
  createShopifyTokensOptions(): ShopifyTokensModuleOptions {
    return managed
  }
}

@Module({ providers: [Options], exports: [Options] })
class OptionsModule {}

describe('the module', () => {
  it('gives every other module the token manager, by its class and by decorator', async () => {
    @Module({ providers: [Jobs, PlainJobs] })
    class Feature {}
    const module = await compiled({ imports: [ShopifyTokensModule.forRoot(managed), Feature] })

    const { byClass, byDecorator } = module.get(Jobs, { strict: false })
    expect(byClass).toBeInstanceOf(ShopifyTokens)
    expect(byDecorator).toBe(byClass)
    expect(module.get(PlainJobs, { strict: false }).tokens).toBe(byClass)
  })

  it('leaves other modules alone when it is not global', async () => {
    @Module({ providers: [Jobs] })
    class Feature {}
    @Module({ imports: [ShopifyTokensModule.forRoot({ ...managed, isGlobal: false })], providers: [Jobs] })
    class Importing {}

    await expect(
      compiled({ imports: [ShopifyTokensModule.forRoot({ ...managed, isGlobal: false }), Feature] }),
    ).rejects.toThrow(/ShopifyTokens/)
    await expect(compiled({ imports: [Importing] })).resolves.toBeDefined()
  })

  it.each([
    ['a factory', { inject: [Options], useFactory: (options: Options) => options.createShopifyTokensOptions() }],
    ['a class that another module has', { useExisting: Options }],
    ['a class of its own', { useClass: Options }],
    ['a factory that takes its time', { useFactory: () => Promise.resolve(managed) }],
  ])('takes its options from %s', async (_source, asked) => {
    const module = await compiled({
      imports: [ShopifyTokensModule.forRootAsync({ imports: [OptionsModule], ...asked })],
      providers: [Jobs],
    })

    await expect(module.get(Jobs).byClass.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
  })

  it('closes the manager that it has built when the application shuts down', async () => {
    const { clock, shopify } = await servedApp({ platform: 'express' })
    const module = await compiled({
      imports: [ShopifyTokensModule.forRoot({ ...managed, clock, fetch: shopify.fetch })],
    })
    const tokens = module.get(ShopifyTokens)

    await module.close()

    const visit = { idToken: shopify.sessionToken(shop) }
    await expect(tokens.acquire(shop, visit)).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })

  it('leaves open what it was given', async () => {
    const close = jest.fn()
    const module = await compiled({
      imports: [ShopifyTokensModule.forRoot({ tokens: Object.assign(neverAsked(), { close }) })],
    })

    await module.close()

    expect(close).not.toHaveBeenCalled()
  })

  it('makes do with a source of tokens that is no manager', async () => {
    const { seed, tokens } = await servedApp({ platform: 'express' })
    const { accessToken } = await seed()
    const module = await compiled({
      imports: [ShopifyTokensModule.forRoot({ tokens: { token: (at, options) => tokens.token(at, options) } })],
    })
    const service = module.get(ShopifyTokens)

    expect((await service.forShop(shop).accessToken()).value).toBe(accessToken)
    await expect(service.verifySessionToken('any')).rejects.toMatchObject({ code: 'ERR_INVALID_SESSION_TOKEN' })
    expect(() => service.force(shop)).toThrow(TypeError)
    expect(() => service.remove(shop)).toThrow(/remove/)
    expect(() => service.subscribe(() => undefined)).toThrow(/subscribe/)
    await expect(service.close()).resolves.toBeUndefined()
  })

  it('hands every call on to the manager', async () => {
    const { seed, shopify, tokens } = await servedApp({ platform: 'express' })
    const { accessToken } = await seed()
    const service = (await compiled({ imports: [ShopifyTokensModule.forRoot({ tokens })] })).get(ShopifyTokens)
    const seen: string[] = []
    service.subscribe(({ type }) => seen.push(type))

    expect((await service.token(shop)).value).toBe(accessToken)
    expect((await service.force(shop)).value).not.toBe(accessToken)
    const idToken = shopify.sessionToken(shop)
    expect(await service.verifySessionToken(idToken)).toMatchObject({ shop })
    await service.acquire(shop, { idToken })
    expect(await service.remove(shop)).toBe(true)
    expect(seen).toEqual(['token.rotated', 'token.acquired', 'shop.removed'])
    await service.close()
  })
})

describe('the interceptor', () => {
  @Controller()
  class Everywhere {
    @Get('token')
    token(@ShopifyAccess() shopify: RequestAccess): object {
      return { value: shopify.accessToken }
    }
  }

  it('serves all routes when the application registers its class', async () => {
    const { seed, server } = await servedApp({
      platform: 'express',
      shopOf: () => shop,
      controllers: [Everywhere],
      providers: [{ provide: APP_INTERCEPTOR, useClass: ShopifyTokenInterceptor }],
    })
    const { accessToken } = await seed()

    await request(server).get('/token').expect(200, { value: accessToken })
  })

  it('serves the routes of a module that imports the module without it being global', async () => {
    @Controller()
    @UseInterceptors(ShopifyTokenInterceptor)
    class Own extends Everywhere {}
    const { tokens, seed } = await servedApp({ platform: 'express' })
    const { accessToken } = await seed()
    const module = await compiled({
      imports: [ShopifyTokensModule.forRoot({ tokens, shopOf: () => shop, isGlobal: false })],
      controllers: [Own],
    })
    const app = await module.createNestApplication({ logger: false }).init()

    await request(app.getHttpServer() as never)
      .get('/token')
      .expect(200, { value: accessToken })
  })

  it('is answered by a token service that a test puts in its place', async () => {
    const { tokens, seed } = await servedApp({ platform: 'express' })
    const { accessToken } = await seed()
    const module = await Test.createTestingModule({
      imports: [ShopifyTokensModule.forRoot({ tokens: neverAsked(), shopOf: () => shop })],
      controllers: [ShopController],
    })
      .overrideProvider(ShopifyTokens)
      .useValue(tokens)
      .compile()
    open.push(module)
    const app = await module.createNestApplication({ logger: false }).init()

    await request(app.getHttpServer() as never)
      .get('/token')
      .expect(200, { shop, value: accessToken })
  })
})

describe('a wrong option is refused', () => {
  const tokens = neverAsked()

  it.each<[string, unknown, string[]]>([
    ['null', null, ['options']],
    ['a shop instead of a function', { tokens, shopOf: 'acme.myshopify.com' }, ['shopOf']],
    ['a word instead of true or false', { tokens, lazy: 'yes' }, ['lazy']],
    ['another origin for authorization', { tokens, authPath: '//evil.com' }, ['authPath']],
    ['a word for isGlobal', { tokens, isGlobal: 'yes' }, ['isGlobal']],
    ['a word for exceptionFilter', { tokens, exceptionFilter: 0 }, ['exceptionFilter']],
  ])('when the module is made: %s', (_mistake, options, names) => {
    expect(() => ShopifyTokensModule.forRoot(options as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: names }) as Error,
    )
  })

  it.each([
    ['no source of options', {}],
    ['two', { useFactory: () => managed, useClass: Options }],
  ])('when the module is made: %s', (_mistake, options) => {
    expect(() => ShopifyTokensModule.forRootAsync(options)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION' }) as Error,
    )
  })

  it.each<[string, unknown, string[]]>([
    ['an unknown name beside a source', { tokens, lasy: true }, ['lasy']],
    ['a source without token()', { tokens: {} }, ['tokens']],
    ['an unknown name for the manager', { ...managed, lasy: true }, ['lasy']],
    ['a manager without a client id', { ...managed, clientId: undefined }, ['clientId']],
  ])('when the application starts: %s', async (_mistake, options, names) => {
    await expect(compiled({ imports: [ShopifyTokensModule.forRoot(options as never)] })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      options: names,
    })
  })
})

function neverAsked(): { token: () => Promise<never> } {
  return { token: () => Promise.reject(new Error('not to be asked')) }
}
