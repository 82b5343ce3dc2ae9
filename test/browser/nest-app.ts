import 'reflect-metadata'
import type { RequestAccess } from '@shopify-tokens/core'
import { RequireScopes, ShopifyAccess, ShopifyTokenInterceptor, ShopifyTokensModule } from '@shopify-tokens/nestjs'
import { Controller, Get, HttpCode, Inject, Module, Post, Req, Res, UseInterceptors } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { ExpressAdapter } from '@nestjs/platform-express'
import type { Express, Request, Response } from 'express'
import { appPage, framePolicy } from './app-page.js'
import { type AppOptions, type FrameworkApp, HEADINGS, products, raisedPrices } from './apps.js'

const CLIENT_ID = 'client-id'

@Controller()
@UseInterceptors(ShopifyTokenInterceptor)
class GardenController {
  constructor(@Inject(CLIENT_ID) private readonly clientId: string) {}

  @Get(Object.keys(HEADINGS))
  page(@ShopifyAccess() { shop }: RequestAccess, @Req() { path }: Request, @Res() response: Response): void {
    const heading = HEADINGS[path] ?? ''
    response.set('content-security-policy', framePolicy(shop))
    response.send(appPage({ clientId: this.clientId, shop, heading }))
  }

  @Get('products')
  products(@ShopifyAccess() shopify: RequestAccess): Promise<object> {
    return products(shopify)
  }

  @Post('prices')
  @HttpCode(200)
  @RequireScopes('write_products')
  raise(@ShopifyAccess() shopify: RequestAccess): object {
    return raisedPrices(shopify)
  }
}

/** The app on Nest 12. */
export async function nestApp({ tokens, clientId, shopOf, ...auth }: AppOptions): Promise<FrameworkApp> {
  @Module({
    imports: [ShopifyTokensModule.forRoot({ tokens, shopOf, auth, webhooks: {} })],
    controllers: [GardenController],
    providers: [{ provide: CLIENT_ID, useValue: clientId }],
  })
  class GardenModule {}

  const adapter = new ExpressAdapter()
  const app = await NestFactory.create(GardenModule, adapter, { rawBody: true, logger: false })
  await app.init()
  return { listener: adapter.getInstance<Express>(), close: () => app.close() }
}
