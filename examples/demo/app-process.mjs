// One of the two apps in a process of its own. Its environment says everything a deployed app's would; two variables more
// are the demo's: FAKE_SHOPIFY_URL (without it the app talks to Shopify) and DEMO_PORT.
import { readEnvironment } from '@shopify-tokens/core'
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { openTokenManager } from '@shopify-tokens/typeorm-store/from-environment'
import { serveExpress } from './serve-express.mjs'
import { serveNest } from './serve-nest.mjs'
import { DURATIONS } from './demo-app.mjs'

const serve = process.argv[2] === 'nest' ? serveNest : serveExpress
const { FAKE_SHOPIFY_URL: fakeUrl, DEMO_PORT: port = '0' } = process.env
const demo = fakeUrl === undefined ? {} : { ...DURATIONS, fetch: fakeShopifyFetch(fakeUrl) }

const opened = openTokenManager(readEnvironment(process.env), {
  ...demo,
  onEvent: (event) => process.send?.({ kind: 'event', event }),
})
await opened.ready()
const served = await listen(Number(port))
process.send?.({ kind: 'listening', url: served.url })

/** @param {number} wanted */
async function listen(wanted) {
  try {
    return await serve(opened.tokens, wanted)
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EADDRINUSE') throw error
    return serve(opened.tokens, 0)
  }
}

let closing = false
async function close() {
  if (closing) return
  closing = true
  await served.close()
  await opened.close()
  process.disconnect?.()
}

// A terminal sends Ctrl-C to every process of the demo; the narrator decides when this one ends.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => void close())
process.on('message', (message) => message === 'close' && void close())
process.on('disconnect', () => void close())
