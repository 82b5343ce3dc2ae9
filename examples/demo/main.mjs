// What `npm start` runs. `--once`: tells the story to its end and exits, with 0 if it came out as told.
import { tellOn } from './account.mjs'
import { Chronicle } from './chronicle.mjs'
import { playDemo } from './play.mjs'
import { serveShopify } from './serve-shopify.mjs'

const once = process.argv.includes('--once')
const stop = new AbortController()
let asked = 0
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    // A second Ctrl-C is impatience.
    if (++asked > 1) process.exit(130)
    stop.abort()
  })
}

// Nobody listens any more: `npm start | head`.
process.stdout.on('error', () => stop.abort())

const { SHOPIFY_API_KEY: key, SHOPIFY_API_SECRET: secret } = process.env
try {
  if (key && secret) {
    process.exitCode = await serveShopify({ once, signal: stop.signal })
  } else {
    const chronicle = new Chronicle()
    tellOn(chronicle, process.stdout)
    process.exitCode = await playDemo(chronicle, { once, signal: stop.signal })
  }
} catch (error) {
  console.error(error instanceof Error ? error.message : 'The demo could not be started.')
  process.exitCode = 1
}
