import { shopifyTokens } from '@shopify-tokens/express'
import { closeAll } from '../../core/managed-app.js'
import { describeKeepAlive } from '../keep-alive.js'

afterEach(closeAll)

describeKeepAlive(async (options) => {
  const middleware = shopifyTokens(options)
  await middleware.ready
  return middleware
})
