import {
  requireScopes,
  shopifyAuth,
  shopifyTokens,
  shopifyTokensErrorHandler,
  shopifyWebhooks,
} from '@shopify-tokens/express'
import express from 'express'
import { appPage, framePolicy } from './app-page.js'
import { type AppOptions, type FrameworkApp, HEADINGS, products, raisedPrices } from './apps.js'

/** The app on Express 5. */
export function expressApp({ tokens, clientId, shopOf, ...auth }: AppOptions): Promise<FrameworkApp> {
  const app = express()
  app.use(shopifyWebhooks({ tokens }))
  app.use(shopifyAuth({ tokens, ...auth }))
  app.use(shopifyTokens({ tokens, shopOf }))
  app.get(Object.keys(HEADINGS), (request, response) => {
    const { shop } = request.shopify
    const heading = HEADINGS[request.path] ?? ''
    response.set('content-security-policy', framePolicy(shop)).send(appPage({ clientId, shop, heading }))
  })
  app.get('/products', async (request, response) => {
    response.json(await products(request.shopify))
  })
  app.post('/prices', requireScopes('write_products'), (request, response) => {
    response.json(raisedPrices(request.shopify))
  })
  app.use(shopifyTokensErrorHandler())
  return Promise.resolve({ listener: app, close: () => Promise.resolve() })
}
