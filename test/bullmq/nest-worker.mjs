// A NestJS application without HTTP, whose only work are jobs. A platform ends it with SIGTERM.
import 'reflect-metadata'
import { BullModule, Processor, WorkerHost } from '@nestjs/bullmq'
import { Inject, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { runShopJob } from '@shopify-tokens/bullmq'
import { ShopifyTokens, ShopifyTokensModule } from '@shopify-tokens/nestjs'
import { fakeShopifyFetch } from '@shopify-tokens/testing'

const { connection, prefix, queueName, shopifyUrl } = JSON.parse(process.argv[2])

class NamesProcessor extends WorkerHost {
  constructor(tokens) {
    super()
    this.tokens = tokens
  }

  process(job, token) {
    return runShopJob(this.tokens, job, token, (shop) => shop.graphql('{ shop { myshopifyDomain } }'))
  }
}

class AppModule {}

// What TypeScript writes as decorators, and the type of a parameter.
Processor(queueName)(NamesProcessor)
Inject(ShopifyTokens)(NamesProcessor, undefined, 0)
Module({
  imports: [
    ShopifyTokensModule.forRoot({ fetch: fakeShopifyFetch(shopifyUrl), keepAlive: false }),
    BullModule.forRoot({ connection, prefix }),
    BullModule.registerQueue({ name: queueName }),
  ],
  providers: [NamesProcessor],
})(AppModule)

const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] })
app.enableShutdownHooks()
