import { CurrentShop, RequireScopes, ShopifyAccess, ShopifyTokenInterceptor } from '@shopify-tokens/nestjs'
import { currentShop, type RequestAccess } from '@shopify-tokens/core'
import { UseInterceptors } from '@nestjs/common'
import { GqlExecutionContext, GraphQLModule, Query, Resolver } from '@nestjs/graphql'
import { MercuriusDriver, type MercuriusDriverConfig } from '@nestjs/mercurius'
import request from 'supertest'
import { closeAll, QUERY, type ServedApp, servedApp, type ServedAppOptions, shop } from './served-app.js'

afterEach(closeAll)

@Resolver()
@UseInterceptors(ShopifyTokenInterceptor)
class ShopResolver {
  @Query(() => String)
  async shopName(@ShopifyAccess() shopify: RequestAccess): Promise<string> {
    const { data } = await shopify.graphql<{ shop: { name: string } }>(QUERY)
    return data?.shop.name ?? ''
  }

  @Query(() => String)
  shopAtHand(@CurrentShop() named: string): string {
    return `${named} ${currentShop().shop}`
  }

  @RequireScopes('read_orders')
  @Query(() => String)
  orders(@ShopifyAccess() shopify: RequestAccess): string {
    return shopify.scopes.join()
  }
}

function graphqlApp(options: Partial<ServedAppOptions> = {}): Promise<ServedApp> {
  return servedApp({
    platform: 'fastify',
    imports: [GraphQLModule.forRoot<MercuriusDriverConfig>({ driver: MercuriusDriver, autoSchemaFile: true })],
    controllers: [],
    providers: [ShopResolver],
    ...options,
  })
}

const ask = ({ server }: ServedApp, query: string): request.Test => request(server).post('/graphql').send({ query })

describe('behind GraphQL', () => {
  it("takes the shop from the HTTP request's session token", async () => {
    const served = await graphqlApp()
    served.shopify.installShop(shop)
    const token = served.shopify.sessionToken(shop)

    const answer = await ask(served, '{ shopName shopAtHand }').set('Authorization', `Bearer ${token}`).expect(200)

    expect(answer.body).toEqual({ data: { shopName: 'acme', shopAtHand: `${shop} ${shop}` } })
    expect(served.shopify.counters(shop).tokenCalls).toBe(1)
  })

  it("takes the shop from the application's own function, which reads the GraphQL context", async () => {
    const served = await graphqlApp({
      shopOf: (context) => {
        const { reply } = GqlExecutionContext.create(context).getContext<MercuriusContext>()
        return String(reply.request.headers['x-session-shop'])
      },
    })
    await served.seed()

    const answer = await ask(served, '{ shopAtHand }').set('x-session-shop', shop).expect(200)

    expect(answer.body).toEqual({ data: { shopAtHand: `${shop} ${shop}` } })
  })

  it('checks the scopes of a field, and verifies nothing twice for it', async () => {
    const served = await graphqlApp()
    const verified = jest.spyOn(served.tokens, 'verifySessionToken')
    const bearer = `Bearer ${served.shopify.sessionToken(shop)}`

    await served.seed({ scopes: ['read_products'] })
    const missing = await ask(served, '{ orders }').set('Authorization', bearer)
    await served.seed({ scopes: ['write_orders'] })
    const granted = await ask(served, '{ orders }').set('Authorization', bearer)

    expect(granted.body).toEqual({ data: { orders: 'write_orders' } })
    expect(missing.body).toMatchObject({ errors: [{ extensions: { code: 'ERR_SCOPE_MISSING', status: 403 } }] })
    expect(verified).toHaveBeenCalledTimes(2)
  })

  it('answers an error of ours with its code and status in the extensions, and nothing more', async () => {
    const served = await graphqlApp({ shopOf: () => shop })

    const answer = await ask(served, '{ shopAtHand }')

    expect(answer.body).toMatchObject({
      data: null,
      errors: [{ path: ['shopAtHand'], extensions: { code: 'ERR_REAUTHORIZATION_REQUIRED', status: 403 } }],
    })
    expect(answer.text).not.toMatch(/stack|\.ts:|test-client-secret/)
  })
})

interface MercuriusContext {
  readonly reply: { readonly request: { readonly headers: Readonly<Record<string, unknown>> } }
}
