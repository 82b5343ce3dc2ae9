// Shopify's own library, fetched for the occasion: it belongs to no package here.
import { execFileSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const VERSION = '13.1.0'
export const NOW = Date.UTC(2026, 10, 20, 12)
export const CLIENT_ID = 'vectors-client-id'
export const SECRET = 'shpss_vectors0123456789abcdef'
export const OTHER_SECRET = 'shpss_another0123456789abcdef'
export const SHOP = 'acme.myshopify.com'

const here = dirname(fileURLToPath(import.meta.url))
const library = join(here, '../../node_modules/.cache', `shopify-api-${VERSION}`)

export function fetchLibrary() {
  if (existsSync(join(library, 'node_modules/@shopify/shopify-api'))) return
  mkdirSync(library, { recursive: true })
  writeFileSync(join(library, 'package.json'), '{ "private": true }\n')
  const options = ['--no-audit', '--no-fund', '--ignore-scripts', '--no-save']
  execFileSync('npm', ['install', ...options, `@shopify/shopify-api@${VERSION}`], { cwd: library, stdio: 'inherit' })
}

/** The library asks the machine for the time: here it is always the same. */
class StandingDate extends Date {
  constructor(...args) {
    super(...(args.length === 0 ? [NOW] : args))
  }
  static now() {
    return NOW
  }
}

export async function loadLibrary() {
  const at = (path) => pathToFileURL(join(library, 'node_modules/@shopify/shopify-api/dist/esm', path)).href
  globalThis.Date = StandingDate
  await import(at('adapters/node/index.mjs'))
  const { shopifyApi } = await import(at('lib/index.mjs'))
  const { generateLocalHmac } = await import(at('lib/utils/hmac-validator.mjs'))
  const api = shopifyApi({
    apiKey: CLIENT_ID,
    apiSecretKey: SECRET,
    apiVersion: '2026-10',
    hostName: 'app.example.com',
    hostScheme: 'https',
    isEmbeddedApp: true,
    logger: { level: 0, log: () => undefined },
  })
  return { api, generateLocalHmac: generateLocalHmac(api.config) }
}

export const without = (object, name) => Object.fromEntries(Object.entries(object).filter(([key]) => key !== name))

/** What the library says: what it throws is a refusal. */
export const verdict = async (check) => {
  try {
    return (await check()) ? 'accepts' : 'refuses'
  } catch {
    return 'refuses'
  }
}

export const hmac = (text, encoding, secret = SECRET) => createHmac('sha256', secret).update(text).digest(encoding)
