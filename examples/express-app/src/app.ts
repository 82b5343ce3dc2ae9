import {
  shopifyTokens,
  shopifyTokensErrorHandler,
  type ShopifyTokensMiddleware,
  type ShopifyTokensOptions,
} from '@shopify-tokens/express'
import express, { type Express } from 'express'

/** The app, configured from the environment unless `options` say otherwise, and the middleware to wait for and to close. */
export function createApp(options: ShopifyTokensOptions = {}): {
  readonly app: Express
  readonly shopify: Pick<ShopifyTokensMiddleware, 'close'> & { readonly ready: Promise<unknown> }
} {
  const shopify = shopifyTokens(options)
  const app = express()

  app.get('/health', (_request, response) => {
    response.json({ status: 'ok' })
  })

  app.use(shopify)
  app.get('/shop', async (request, response) => {
    response.json(await request.shopify.graphql('{ shop { name myshopifyDomain } }'))
  })
  app.use(shopifyTokensErrorHandler())

  return { app, shopify }
}
