import { createServer } from 'node:http'
import { createApp } from '@shopify-tokens/example-express-app/dist/app.js'
import { listenOn } from './ports.mjs'

/**
 * The Express example as it is, on a port.
 *
 * @param {import('@shopify-tokens/express').EnvironmentTokens} options
 * @param {number} port
 */
export async function serveExpress(options, port) {
  const { app, shopify } = createApp(options)
  await shopify.ready
  const server = createServer(app)
  const url = await listenOn(server, port)
  return {
    url,
    async close() {
      await new Promise((resolve) => server.close(resolve))
      await shopify.close()
    },
  }
}
