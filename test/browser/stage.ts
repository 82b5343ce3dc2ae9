import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createTokenManager, MemoryTokenStore, type Shop, type TokenManager, parseShop } from '@shopify-tokens/core'
import { type AdminRequest, type AppBridgeReload, FakeClock, FakeShopify } from '@shopify-tokens/testing'
import type { Browser } from 'playwright-core'
import type { AppOptions, FrameworkApp } from './apps.js'
import { throwAwayIdentity } from './certificate.js'
import { startBrowser } from './chromium.js'
import { Merchant } from './merchant.js'

export const APP_HOST = 'token-garden.example'
const CLIENT = { clientId: 'token-garden', clientSecret: 'test-client-secret' }
const APP_URL = `https://${APP_HOST}`
const SCOPES = ['read_products']
export const shop = parseShop('acme.myshopify.com')
/** The app in the admin of {@link shop}, without a scheme. */
export const ADMIN = `admin.shopify.com/store/acme/apps/${CLIENT.clientId}`
export const IN_ADMIN = `https://${ADMIN}`

const tls = throwAwayIdentity()

/** Shopify, an app and a merchant at a browser, with a clock that they share. */
export interface Stage {
  readonly clock: FakeClock
  readonly shopify: FakeShopify
  readonly tokens: TokenManager
  readonly merchant: Merchant
  readonly webhookUrl: string
  /** The shops that the app's `onInstalled` has heard of. */
  readonly installed: Shop[]
  /** The refresh token on record. */
  refreshToken(): Promise<string>
  close(): Promise<void>
}

export interface StageOptions {
  /** Whether the app takes no session tokens and knows the shop by itself. Default false. */
  readonly named?: boolean | undefined
  readonly appBridgeReload?: AppBridgeReload | undefined
}

/** Sets the stage for an app. */
export async function setStage(
  makeApp: (options: AppOptions) => Promise<FrameworkApp>,
  { named = false, appBridgeReload }: StageOptions,
): Promise<Stage> {
  const clock = new FakeClock()
  const redirectUris = [`${APP_URL}/auth/callback`]
  const pages = { tls, appUrl: APP_URL, redirectUris, appBridgeReload }
  const shopify = await FakeShopify.start({ ...CLIENT, clock, ...pages, admin: products })
  const store = new MemoryTokenStore({ clock })
  const tokens = createTokenManager({
    ...CLIENT,
    store,
    clock,
    sealing: 'unsealed-tokens-readable-in-store',
    fetch: shopify.fetch,
    apiVersion: '2026-10',
  })
  const installed: Shop[] = []
  const app = await makeApp({
    tokens,
    clientId: CLIENT.clientId,
    appUrl: APP_URL,
    scopes: SCOPES,
    shopOf: named ? () => shop : undefined,
    onInstalled: ({ shop }) => installed.push(shop),
  })
  const plain = await listening(createHttpServer(app.listener))
  const secure = await listening(createHttpsServer(tls, app.listener))
  const shopifyPort = new URL(shopify.secureUrl ?? '').port
  const browser = await startBrowser({
    '*.myshopify.com': shopifyPort,
    'admin.shopify.com': shopifyPort,
    'cdn.shopify.com': shopifyPort,
    [APP_HOST]: portOf(secure),
  })
  return {
    ...{ clock, shopify, tokens, installed },
    merchant: await Merchant.at(browser),
    refreshToken: async () => {
      const { record } = await store.get({ clientId: CLIENT.clientId, shop })
      return record !== null && 'refreshToken' in record ? record.refreshToken : ''
    },
    webhookUrl: `http://127.0.0.1:${portOf(plain)}/webhooks`,
    close: () => strike({ browser, servers: [plain, secure], app, tokens, shopify }),
  }
}

function products({ body }: AdminRequest): { body: unknown } {
  const nodes = [{ title: 'Snowboard' }, { title: 'Wax' }]
  return { body: JSON.stringify(body).includes('products') ? { data: { products: { nodes } } } : { data: {} } }
}

async function listening(server: Server): Promise<Server> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return server
}

function portOf(server: Server): string {
  return String((server.address() as AddressInfo).port)
}

interface Set {
  readonly browser: Browser
  readonly servers: readonly Server[]
  readonly app: FrameworkApp
  readonly tokens: TokenManager
  readonly shopify: FakeShopify
}

async function strike({ browser, servers, app, tokens, shopify }: Set): Promise<void> {
  await browser.close()
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await app.close()
  await tokens.close()
  await shopify.close()
}
