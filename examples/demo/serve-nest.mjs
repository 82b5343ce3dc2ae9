import { createApp } from '@shopify-tokens/example-nest-app/dist/app.js'
import { listenOn } from './ports.mjs'

/**
 * The Nest example as it is, on a port.
 *
 * @param {import('@shopify-tokens/nestjs').EnvironmentTokens} options
 * @param {number} port
 */
export async function serveNest(options, port) {
  const app = await createApp(options)
  await app.init()
  const url = await listenOn(app.getHttpServer(), port)
  return { url, close: () => app.close() }
}
