import { CurrentShop, WithoutShopify } from '@shopify-tokens/nestjs'
import { Controller, Get } from '@nestjs/common'
import request from 'supertest'
import { closeAll, PLATFORMS, servedApp, shop } from './served-app.js'

afterEach(closeAll)

@Controller('mixed')
class MixedController {
  @WithoutShopify()
  @Get('health')
  health(): string {
    return 'ok'
  }

  @Get('shop')
  shop(@CurrentShop() named: string): string {
    return named
  }

  @WithoutShopify()
  @Get('mistaken')
  mistaken(@CurrentShop() named: string): string {
    return named
  }
}

@WithoutShopify()
@Controller('webhooks')
class WebhooksController {
  @Get()
  received(): string {
    return 'received'
  }
}

describe.each(PLATFORMS)('with the interceptor for every route, on platform-%s', (platform) => {
  const everywhere = { platform, everywhere: true, controllers: [MixedController, WebhooksController] }

  it.each([
    ['a handler', '/mixed/health', 'ok'],
    ['a controller', '/webhooks', 'received'],
  ])('%s without Shopify asks for no session token, no shop and no token', async (_which, path, text) => {
    const shopOf = jest.fn(() => shop)
    const { server, store } = await servedApp({ ...everywhere, shopOf })

    await request(server).get(path).expect(200, text)

    expect(shopOf).not.toHaveBeenCalled()
    expect(store.count()).toBe(0)
  })

  it('the handler beside it still does', async () => {
    const { server, seed, shopify } = await servedApp(everywhere)
    await seed()
    const bearer = `Bearer ${shopify.sessionToken(shop)}`

    await request(server).get('/mixed/shop').expect(401)
    await request(server).get('/mixed/shop').set('Authorization', bearer).expect(200, shop)
  })

  it('a handler without Shopify that asks for a shop all the same is answered with 500 and the code', async () => {
    const { server } = await servedApp({ ...everywhere, shopOf: () => shop })

    const answer = await request(server).get('/mixed/mistaken').expect(500)

    expect(answer.body).toMatchObject({ code: 'ERR_NO_CONTEXT' })
  })
})
