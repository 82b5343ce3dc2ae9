import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { currentAccess, currentShop, parseShop, type RequestAccess } from '@shopify-tokens/core'
import { CurrentShop, ShopifyAccess, ShopifyTokenInterceptor } from '@shopify-tokens/nestjs'
import { Body, Controller, Get, Inject, Injectable, Post, UseInterceptors } from '@nestjs/common'
import { concatMap, from, map, type Observable, toArray } from 'rxjs'
import request from 'supertest'
import { closeAll, PLATFORMS, servedApp, shop } from './served-app.js'

afterEach(closeAll)

@Injectable()
class DeepService {
  async shop(): Promise<string> {
    await setImmediate()
    return new Promise((resolve) => {
      process.nextTick(() => {
        resolve(currentShop().shop)
      })
    })
  }
}

const printed: string[] = []

@Controller()
class ContextController {
  readonly #deep: DeepService

  constructor(@Inject(DeepService) deep: DeepService) {
    this.#deep = deep
  }

  @Get('deep')
  async deep(): Promise<object> {
    return { found: await this.#deep.shop() }
  }

  @Get('access')
  async access(@ShopifyAccess() shopify: RequestAccess): Promise<object> {
    await setImmediate()
    return { same: currentAccess() === shopify }
  }

  @Get('stream')
  stream(): Observable<string[]> {
    return from([1, 2]).pipe(
      concatMap((n) => this.#deep.shop().then((found) => `${n} ${found}`)),
      map((found) => `${found} ${currentShop().shop}`),
      toArray(),
    )
  }

  @Post('echo')
  echo(@CurrentShop() named: string, @Body() body: unknown): object {
    return { named, found: currentShop().shop, body }
  }

  @Get('printed')
  printed(@ShopifyAccess() shopify: RequestAccess): RequestAccess {
    const copy = Object.assign({}, shopify)
    for (const each of [shopify, shopify.client, copy]) {
      printed.push(JSON.stringify(each), inspect(each, { depth: 9, showHidden: true }))
    }
    return shopify
  }
}

@Controller()
class OutsideController {
  @Get('outside')
  outside(@CurrentShop() named: string): string {
    return named
  }
}

describe.each(PLATFORMS)('on platform-%s', (platform) => {
  const everywhere = { platform, everywhere: true, controllers: [ContextController], providers: [DeepService] }
  const named = { ...everywhere, shopOf: () => shop }

  it('nested asynchronous code finds the shop of its own request, never that of another', async () => {
    const { server, seed } = await servedApp({
      ...everywhere,
      shopOf: (context) =>
        String(context.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-session-shop']),
    })
    const shops = ['one', 'two', 'three', 'four'].map((name) => parseShop(`${name}.myshopify.com`))
    for (const each of shops) await seed({ shop: each })

    const sent = Array.from({ length: 40 }, (_, index) => shops[index % shops.length]!)
    const answers = await Promise.all(sent.map((each) => request(server).get('/deep').set('x-session-shop', each)))

    expect(answers.map(({ body }: { body: unknown }) => body)).toEqual(sent.map((found) => ({ found })))
  })

  it('nested asynchronous code finds what its request has got', async () => {
    const { server, seed } = await servedApp(named)
    await seed()

    await request(server).get('/access').expect(200, { same: true })
  })

  it('an Observable that a handler returns runs with the shop at hand', async () => {
    const { server, seed } = await servedApp(named)
    await seed()

    await request(server)
      .get('/stream')
      .expect(200, [`1 ${shop} ${shop}`, `2 ${shop} ${shop}`])
  })

  it('a handler with a parsed body has the shop as a parameter and at hand', async () => {
    const { server, seed } = await servedApp(named)
    await seed()

    await request(server)
      .post('/echo')
      .send({ a: 1 })
      .expect(201, { named: shop, found: shop, body: { a: 1 } })
  })

  it('what a request gets shows its token to no serialiser and no printer', async () => {
    const { server, seed } = await servedApp(named)
    const { accessToken, refreshToken } = await seed()

    const { text } = await request(server).get('/printed').expect(200, { shop })

    for (const output of [...printed.splice(0), text]) {
      expect(output).not.toContain(accessToken)
      expect(output).not.toContain(refreshToken)
      expect(output).not.toContain('test-client-secret')
    }
  })

  it('a decorator where no interceptor has run is answered with 500 and the code', async () => {
    const { server } = await servedApp({ platform, controllers: [OutsideController] })

    await request(server)
      .get('/outside')
      .expect(500)
      .expect(({ body }) => {
        expect(body).toMatchObject({ code: 'ERR_NO_CONTEXT' })
      })
  })
})

it('the interceptor may stand on one method as well', async () => {
  @Controller()
  class OneController {
    @Get('with')
    @UseInterceptors(ShopifyTokenInterceptor)
    with(@CurrentShop() named: string): string {
      return named
    }

    @Get('without')
    without(): string {
      return 'free'
    }
  }
  const { server, seed } = await servedApp({ platform: 'express', shopOf: () => shop, controllers: [OneController] })
  await seed()

  await request(server).get('/with').expect(200, shop)
  await request(server).get('/without').expect(200, 'free')
})
