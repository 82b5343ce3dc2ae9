import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import { currentShop, parseShop, type RequestAccess } from '@shopify-tokens/core'
import { RequireScopes, ShopifyAccess, ShopifyTokenInterceptor, ShopifyTokensModule } from '@shopify-tokens/nestjs'
import { Controller, type INestMicroservice, UseInterceptors } from '@nestjs/common'
import { ClientProxyFactory, type ClientProxy, MessagePattern, Payload, Transport } from '@nestjs/microservices'
import { Test } from '@nestjs/testing'
import { firstValueFrom } from 'rxjs'
import { closeAll, managedApp, type ManagedApp } from '../../core/managed-app.js'
import { QUERY, shop } from './served-app.js'

@Controller()
@UseInterceptors(ShopifyTokenInterceptor)
class ShopListener {
  @MessagePattern('shop-name')
  async shopName(
    @ShopifyAccess() shopify: RequestAccess,
    @Payload() { greeting }: { readonly greeting: string },
  ): Promise<string> {
    const { data } = await shopify.graphql<{ shop: { name: string } }>(QUERY)
    return `${greeting} ${data?.shop.name ?? ''} of ${currentShop().shop}`
  }

  @RequireScopes('write_products')
  @MessagePattern('shop-scopes')
  scopes(@ShopifyAccess() shopify: RequestAccess): readonly string[] {
    return shopify.scopes
  }
}

let service: INestMicroservice
let client: ClientProxy
let backend: ManagedApp

beforeEach(async () => {
  backend = await managedApp()
  const module = await Test.createTestingModule({
    imports: [
      ShopifyTokensModule.forRoot({
        tokens: backend.tokens,
        shopOf: (context) => context.switchToRpc().getData<{ shop: string }>().shop,
      }),
    ],
    controllers: [ShopListener],
  }).compile()
  service = module.createNestMicroservice({
    transport: Transport.TCP,
    options: { host: '127.0.0.1', port: 0 },
    logger: false,
  })
  await service.listen()
  const { port } = service.unwrap<{ address(): AddressInfo }>().address()
  client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port } })
})
afterEach(async () => {
  client.close()
  await service.close()
  await closeAll()
})

const ask = (named: string, pattern = 'shop-name'): Promise<unknown> =>
  firstValueFrom(client.send(pattern, { shop: named, greeting: 'hello' }))

describe('in a microservice', () => {
  it('takes the shop from the message, as the application says', async () => {
    await backend.seed()

    expect(await ask(shop)).toBe(`hello acme of ${shop}`)
  })

  it('checks scopes, for the shop of each message', async () => {
    await backend.seed({ scopes: ['write_products'] })
    expect(await ask(shop, 'shop-scopes')).toEqual(['write_products'])

    await backend.seed({ scopes: ['read_products'], shop: parseShop('other.myshopify.com') })
    await expect(ask('other.myshopify.com', 'shop-scopes')).rejects.toMatchObject({ code: 'ERR_SCOPE_MISSING' })
  })

  it.each([
    ['a shop that only its merchant can help', shop, 'ERR_REAUTHORIZATION_REQUIRED'],
    ['a hostile shop', 'evil.com', 'ERR_INVALID_SHOP'],
  ])('answers %s with the code, and nothing more', async (_what, named, code) => {
    await expect(ask(named)).rejects.toEqual({ status: 'error', message: expect.any(String) as string, code })
  })
})
