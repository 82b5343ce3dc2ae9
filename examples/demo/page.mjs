import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { listenOn } from './ports.mjs'
import { SHOPS, shopName } from './shops.mjs'

/** @type {Readonly<Record<string, { file: string, type: string }>>} */
const FILES = {
  '/': { file: 'page.html', type: 'text/html' },
  '/page.css': { file: 'page.css', type: 'text/css' },
  '/page.js': { file: 'page.js', type: 'text/javascript' },
  '/lane.js': { file: 'lane.js', type: 'text/javascript' },
}

const HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy':
    "default-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

/**
 * Serves the page that draws the chronicle, and the chronicle as server-sent events: first what is kept, in one message,
 * then each entry as it happens.
 *
 * @param {import('./chronicle.mjs').Chronicle} chronicle
 * @param {number} port
 */
export async function openPage(chronicle, port) {
  /** @type {Set<import('node:http').ServerResponse>} */
  const viewers = new Set()

  const server = createServer((request, response) => {
    void answer(request, response).catch(() => response.destroy())
  })
  const url = await listenOn(server, port)
  const forget = chronicle.subscribe((entry) => {
    for (const viewer of viewers) send(viewer, 'happened', entry)
  })

  /** @param {import('node:http').IncomingMessage} request @param {import('node:http').ServerResponse} response */
  async function answer(request, response) {
    const path = (request.url ?? '/').split('?')[0] ?? '/'
    if (request.method !== 'GET' && request.method !== 'HEAD') return response.writeHead(405, HEADERS).end()
    if (path === '/events') return watch(response)
    const found = FILES[path]
    if (found === undefined) return response.writeHead(404, HEADERS).end()
    const content = await readFile(new URL(`page/${found.file}`, import.meta.url))
    response.writeHead(200, { ...HEADERS, 'content-type': `${found.type}; charset=utf-8` }).end(content)
  }

  /** @param {import('node:http').ServerResponse} response */
  function watch(response) {
    response.writeHead(200, { ...HEADERS, 'content-type': 'text/event-stream' })
    const shops = Object.values(SHOPS).map((shop) => ({ shop, name: shopName(shop) }))
    send(response, 'history', { now: chronicle.now, shops, entries: chronicle.history() })
    viewers.add(response)
    response.once('close', () => viewers.delete(response))
  }

  return {
    url,
    async close() {
      forget()
      for (const viewer of viewers) viewer.end()
      await new Promise((resolve) => {
        server.close(resolve)
        server.closeAllConnections()
      })
    },
  }
}

/** @param {import('node:http').ServerResponse} viewer @param {string} event @param {unknown} data */
function send(viewer, event, data) {
  viewer.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
