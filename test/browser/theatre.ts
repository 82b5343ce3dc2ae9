import type { TlsIdentity } from '@shopify-tokens/testing'
import type { Browser } from 'playwright-core'
import { freePort } from '../own-servers/free-port.js'
import { throwAwayIdentity } from './certificate.js'
import { startBrowser } from './chromium.js'

/** The host at which the browser finds the app. */
export const APP_HOST = 'token-garden.example'

/** Where the stages of a suite are set, one after the other: a browser that finds Shopify and the app at two ports. */
export interface Theatre {
  readonly browser: Browser
  readonly tls: TlsIdentity
  readonly shopifyPort: number
  readonly appPort: number
}

export async function openTheatre(): Promise<Theatre> {
  const [shopifyPort, appPort] = [await freePort(), await freePort()]
  const browser = await startBrowser({
    '*.myshopify.com': shopifyPort,
    'admin.shopify.com': shopifyPort,
    'cdn.shopify.com': shopifyPort,
    [APP_HOST]: appPort,
  })
  return { browser, tls: throwAwayIdentity(), shopifyPort, appPort }
}
