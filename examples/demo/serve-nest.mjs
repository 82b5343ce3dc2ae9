// @ts-nocheck
import { createServer } from 'node:http'
import express from 'express'
import { shopifyTokens } from '@shopify-tokens/express'
import { listenOn } from './ports.mjs'

/** @param {import('@shopify-tokens/core').TokenManager} tokens @param {number} port */
export async function serveNest(tokens, port) {
  const app = express()
  app.use(shopifyTokens({ tokens }))
  app.get('/shop', async (req, res) => {
    const { data } = await req.shopify.graphql('{ shop { name myshopifyDomain } }')
    res.json(data)
  })
  const server = createServer(app)
  const url = await listenOn(server, port)
  return {
    url,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve)
        server.closeIdleConnections()
      }),
  }
}
