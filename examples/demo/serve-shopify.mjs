import { once as happened } from 'node:events'
import { readEnvironment } from '@shopify-tokens/core'
import { App } from './app.mjs'
import { DEMO_APP } from './demo-app.mjs'
import { PORTS } from './ports.mjs'

/**
 * Runs the same two apps against Shopify, with the credentials of the environment, until `signal`. Rejects when the
 * environment is incomplete, naming what is missing.
 *
 * @param {{ once: boolean, signal: AbortSignal }} options
 * @returns {Promise<number>} the exit code
 */
export async function serveShopify({ once, signal }) {
  const env = { SHOPIFY_API_VERSION: DEMO_APP.apiVersion, ...process.env, FAKE_SHOPIFY_URL: undefined }
  readEnvironment(env)
  const apps = /** @type {const} */ (['express', 'nest']).map((name) => new App(name, env, tell, repeat))
  console.log('SHOPIFY_API_KEY and SHOPIFY_API_SECRET are set: the apps run against Shopify, and no story is told.')
  try {
    await Promise.all(apps.map((app) => app.start(PORTS[app.name])))
    for (const { name, url } of apps) console.log(`  ${name.padEnd(8)} ${url}/shop`)
    console.log('Ask with a session token of your app: Authorization: Bearer …')
    if (!once && !signal.aborted) {
      console.log('Ctrl-C ends them.')
      await happened(signal, 'abort')
    }
    return 0
  } finally {
    await Promise.all(apps.map((app) => app.close()))
  }
}

/** @param {App} app @param {import('./app.mjs').TokenEvent} event */
function tell({ name }, event) {
  console.log(`  ${name.padEnd(8)} ${event.type}${'shop' in event ? ` ${event.shop}` : ''}`)
}

/** @param {App} app @param {string} line */
function repeat({ name }, line) {
  console.log(`  ${name.padEnd(8)} ${line}`)
}
