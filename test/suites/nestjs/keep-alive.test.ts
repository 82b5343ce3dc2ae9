import 'reflect-metadata'
import { ShopifyTokensModule } from '@shopify-tokens/nestjs'
import { Test } from '@nestjs/testing'
import { closeAll } from '../../core/managed-app.js'
import { describeKeepAlive } from '../keep-alive.js'

afterEach(closeAll)

describe.each(['forRoot', 'forRootAsync'] as const)('%s', (way) => {
  describeKeepAlive(async (options) => {
    const module =
      way === 'forRoot'
        ? ShopifyTokensModule.forRoot(options)
        : ShopifyTokensModule.forRootAsync({ useFactory: () => options })
    const compiled = await Test.createTestingModule({ imports: [module] }).compile()
    return compiled.createNestApplication({ logger: false }).init()
  })
})
