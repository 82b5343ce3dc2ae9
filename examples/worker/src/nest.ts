// The same worker as a NestJS application, without any route.
import 'reflect-metadata'
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq'
import { Module, type OnModuleDestroy } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { runShopJob } from '@shopify-tokens/bullmq'
import { ClosedError } from '@shopify-tokens/core'
import { ShopifyTokens, ShopifyTokensModule } from '@shopify-tokens/nestjs'
import type { Job } from 'bullmq'
import { onRedis, type ProductsJob, PRODUCTS_QUEUE } from './queue.js'
import { syncProducts } from './sync-products.js'

@Processor(PRODUCTS_QUEUE, { concurrency: 5 })
class ProductsProcessor extends WorkerHost implements OnModuleDestroy {
  readonly #ending = new AbortController()

  constructor(private readonly tokens: ShopifyTokens) {
    super()
  }

  process(job: Job<ProductsJob>, token?: string): Promise<void> {
    return runShopJob(this.tokens, job, token, (shop) => syncProducts(job, shop, this.#ending.signal))
  }

  onModuleDestroy(): void {
    this.#ending.abort(new ClosedError())
  }
}

@Module({
  imports: [
    // Opens the manager that the environment names, keeps idle shops alive, and closes in good order.
    ShopifyTokensModule.forRoot(),
    BullModule.forRoot(onRedis),
    BullModule.registerQueue({ name: PRODUCTS_QUEUE }),
  ],
  providers: [ProductsProcessor],
})
class WorkerModule {}

const app = await NestFactory.createApplicationContext(WorkerModule)
app.enableShutdownHooks()
