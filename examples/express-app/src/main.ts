import { createApp } from './app.js'

const { app, shopify } = createApp()
await shopify.ready
const server = app.listen(Number(process.env.PORT ?? 3000))

const end = (): void => {
  server.close(() => void shopify.close().catch(console.error))
}
process.once('SIGTERM', end)
process.once('SIGINT', end)
