import 'reflect-metadata'
import { Controller, type DynamicModule, Get, type INestApplication, Module, UseInterceptors } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  type GraphqlResult,
  type RequestAccess,
  ShopifyAccess,
  ShopifyTokenInterceptor,
  ShopifyTokensModule,
  type ShopifyTokensModuleOptions,
} from '@shopify-tokens/nestjs'

@Controller('health')
class HealthController {
  @Get()
  health(): object {
    return { status: 'ok' }
  }
}

@Controller('shop')
@UseInterceptors(ShopifyTokenInterceptor)
class ShopController {
  @Get()
  shop(@ShopifyAccess() shopify: RequestAccess): Promise<GraphqlResult> {
    return shopify.graphql('{ shop { name myshopifyDomain } }')
  }
}

@Module({ controllers: [HealthController, ShopController] })
class AppModule {
  static with(options: ShopifyTokensModuleOptions): DynamicModule {
    return { module: AppModule, imports: [ShopifyTokensModule.forRoot(options)] }
  }
}

/** The app, configured from the environment unless `options` say otherwise. `app.close()` closes the tokens' store too. */
export function createApp(options: ShopifyTokensModuleOptions = {}): Promise<INestApplication> {
  return NestFactory.create(AppModule.with(options), { abortOnError: false, logger: ['error', 'warn'] })
}
