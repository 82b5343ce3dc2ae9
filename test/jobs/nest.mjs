// The job in a processor of @nestjs/bullmq. The application ends when the job has.
import 'reflect-metadata'
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq'
import { Inject, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { jobCheckpoint, runShopJob } from '@shopify-tokens/bullmq'
import { ShopifyTokens, ShopifyTokensModule } from '@shopify-tokens/nestjs'
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { syncProducts } from './products-sync.mjs'

const { shopifyUrl, durations, queue, workerOptions } = JSON.parse(process.argv[2])
const { connection, prefix, ...perWorker } = workerOptions

class ProductsProcessor extends WorkerHost {
  constructor(tokens) {
    super()
    this.tokens = tokens
  }

  process(job, token) {
    const checkpoint = jobCheckpoint(job, { lockDurationMs: perWorker.lockDuration })
    return runShopJob(this.tokens, job, token, () => syncProducts({ checkpoint }))
  }
}

class AppModule {}

// What TypeScript writes as decorators, and the type of a parameter.
Processor(queue, perWorker)(ProductsProcessor)
Inject(ShopifyTokens)(ProductsProcessor, undefined, 0)
Module({
  imports: [
    ShopifyTokensModule.forRoot({ ...durations, fetch: fakeShopifyFetch(shopifyUrl) }),
    BullModule.forRoot({ connection, prefix }),
    BullModule.registerQueue({ name: queue }),
  ],
  providers: [ProductsProcessor],
})(AppModule)

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] })
const { worker } = app.get(ProductsProcessor)
worker.once('completed', () => void app.close())
worker.once('failed', (_job, error) => {
  console.error(error)
  process.exitCode = 1
  void app.close()
})
