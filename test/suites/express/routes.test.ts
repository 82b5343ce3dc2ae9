import type { Installed, WebhookDelivery } from '@shopify-tokens/core'
import {
  requireScopes,
  shopifyAuth,
  shopifyTokens,
  shopifyTokensErrorHandler,
  shopifyWebhooks,
} from '@shopify-tokens/express'
import express, { type RequestHandler } from 'express'
import { closeAll, managedApp, shop } from '../../core/managed-app.js'
import { APP_URL, describeRoutes, type RoutesOptions, type ServedRoutes } from '../routes.js'

afterEach(closeAll)

const PARSERS: Readonly<Record<NonNullable<RoutesOptions['parser']>, readonly RequestHandler[]>> = {
  none: [],
  'keeps-bytes': [
    express.json({
      verify: (request, _response, bytes) => {
        Object.assign(request, { rawBody: bytes })
      },
    }),
  ],
  'forgets-bytes': [express.json()],
}

async function serve({ shopBy, parser = 'none', onOrder, managed }: RoutesOptions = {}): Promise<ServedRoutes> {
  const backend = await managedApp(managed)
  const installed: Installed[] = []
  const uninstalled: WebhookDelivery[] = []
  const shopify = shopifyTokens({ tokens: backend.tokens, ...(shopBy === 'app' ? { shopOf: () => shop } : {}) })
  const server = express()
  server.use(...PARSERS[parser], (_request, _response, next) => {
    next()
  })
  server.use(
    shopifyAuth({
      tokens: shopify,
      ...{ appUrl: APP_URL, scopes: ['read_products'] },
      onInstalled: (each) => installed.push(each),
    }),
  )
  server.use(
    shopifyWebhooks({
      tokens: shopify,
      handlers: {
        'app/uninstalled': (delivery) => uninstalled.push(delivery),
        'orders/create': (delivery) => onOrder?.(delivery),
      },
      onError: () => undefined,
    }),
  )
  server.use(shopify)
  server.get('/token', ({ shopify }, response) => {
    response.json({ shop: shopify.shop, value: shopify.accessToken })
  })
  server.all('/products', requireScopes('write_products'), ({ shopify }, response) => {
    response.json({ shop: shopify.shop, value: shopify.accessToken, scopes: shopify.scopes })
  })
  server.use(shopifyTokensErrorHandler())
  return { ...backend, server, installed, uninstalled }
}

describeRoutes(serve)
