import 'reflect-metadata'
import {
  Controller,
  type DynamicModule,
  Get,
  type INestApplication,
  Injectable,
  Module,
  Post,
  UseInterceptors,
} from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import {
  type GraphqlResult,
  type RequestAccess,
  RequireScopes,
  ShopifyAccess,
  ShopifyTokenInterceptor,
  ShopifyTokensModule,
  type ShopifyTokensModuleOptions,
  ShopifyWebhook,
  type WebhookDelivery,
} from '@shopify-tokens/nestjs'

@Controller('health')
class HealthController {
  @Get()
  health(): object {
    return { status: 'ok' }
  }
}

@Controller()
@UseInterceptors(ShopifyTokenInterceptor)
class ShopController {
  @Get('shop')
  shop(@ShopifyAccess() shopify: RequestAccess): Promise<GraphqlResult> {
    return shopify.graphql('{ shop { name myshopifyDomain } }')
  }

  @RequireScopes('write_products')
  @Post('products')
  create(@ShopifyAccess() shopify: RequestAccess): Promise<GraphqlResult> {
    return shopify.graphql('mutation { productCreate(product: { title: "Hat" }) { product { id } } }')
  }
}

@Injectable()
class Accounts {
  @ShopifyWebhook('app/uninstalled')
  end({ shop }: WebhookDelivery): void {
    console.log(`${shop} has uninstalled the app`)
  }
}

@Module({ controllers: [HealthController, ShopController], providers: [Accounts] })
class AppModule {
  static with(options: ShopifyTokensModuleOptions): DynamicModule {
    const appUrl = process.env.SHOPIFY_APP_URL ?? 'http://localhost:3000'
    return {
      module: AppModule,
      imports: [ShopifyTokensModule.forRoot({ ...options, auth: { appUrl }, webhooks: {} })],
    }
  }
}

/** The app, configured from the environment unless `options` say otherwise. `app.close()` closes the tokens' store too. */
export function createApp(options: ShopifyTokensModuleOptions = {}): Promise<INestApplication> {
  const module = AppModule.with(options)
  return NestFactory.create(module, { abortOnError: false, logger: ['error', 'warn'], rawBody: true })
}
