// One of the two apps in a process of its own. Its environment says everything that a deployed app's would; two variables
// more are the demo's: FAKE_SHOPIFY_URL (without it the app talks to Shopify) and DEMO_PORT.
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { DURATIONS } from './demo-app.mjs'
import { serveExpress } from './serve-express.mjs'
import { serveNest } from './serve-nest.mjs'

const { FAKE_SHOPIFY_URL: fakeUrl, DEMO_PORT: port = '0' } = process.env
const shortened = fakeUrl === undefined ? {} : { ...DURATIONS, fetch: fakeShopifyFetch(fakeUrl) }

/** @param {import('@shopify-tokens/core').TokenEvent} event */
const onEvent = (event) => void process.send?.({ kind: 'event', event })

const serve = process.argv[2] === 'nest' ? serveNest : serveExpress
const served = await serve({ ...shortened, onEvent }, Number(port))
process.send?.({ kind: 'listening', url: served.url })

let isClosing = false
async function close() {
  if (isClosing) return
  isClosing = true
  await served.close()
  if (process.connected) process.disconnect()
}

// A terminal sends Ctrl-C to every process of the demo; the narrator decides when this one ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => void close())
process.on('message', (message) => message === 'close' && void close())
process.on('disconnect', () => void close())
