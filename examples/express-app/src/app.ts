import {
  requireScopes,
  shopifyAuth,
  shopifyTokens,
  shopifyTokensErrorHandler,
  type ShopifyTokensMiddleware,
  type ShopifyTokensOptions,
  shopifyWebhooks,
  type TokenManager,
} from '@shopify-tokens/express'
import express, { type Express } from 'express'

/** The app, configured from the environment unless `options` say otherwise, and the middleware to wait for and to close. */
export function createApp(options: ShopifyTokensOptions<TokenManager> = {}): {
  readonly app: Express
  readonly shopify: Pick<ShopifyTokensMiddleware, 'close' | 'ready'>
} {
  const shopify = shopifyTokens(options)
  const app = express()

  app.get('/health', (_request, response) => {
    response.json({ status: 'ok' })
  })

  app.use(shopifyAuth({ tokens: shopify, appUrl: process.env.SHOPIFY_APP_URL ?? 'http://localhost:3000' }))
  app.use(
    shopifyWebhooks({
      tokens: shopify,
      handlers: {
        'app/uninstalled': ({ shop }) => {
          console.log(`${shop} has uninstalled the app`)
        },
      },
    }),
  )

  app.use(shopify)
  app.get('/shop', async (request, response) => {
    response.json(await request.shopify.graphql('{ shop { name myshopifyDomain } }'))
  })
  app.post('/products', requireScopes('write_products'), async (request, response) => {
    const mutation = 'mutation { productCreate(product: { title: "Hat" }) { product { id } } }'
    response.json(await request.shopify.graphql(mutation))
  })
  app.use(shopifyTokensErrorHandler())

  return { app, shopify }
}
