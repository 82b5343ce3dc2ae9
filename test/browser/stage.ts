import { once } from 'node:events'
import { createServer as createHttpServer, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { createTokenManager, MemoryTokenStore, parseShop, type Shop, type TokenManager } from '@shopify-tokens/core'
import { type AdminAnswer, type AppBridgeReload, FakeClock, FakeShopify } from '@shopify-tokens/testing'
import type { AppOptions, FrameworkApp } from './apps.js'
import { Merchant } from './merchant.js'
import { APP_HOST, type Theatre } from './theatre.js'

const CLIENT = { clientId: 'token-garden', clientSecret: 'test-client-secret' }
const APP_URL = `https://${APP_HOST}`
const SCOPES = ['read_products']
export const shop = parseShop('acme.myshopify.com')
/** The app in the admin of {@link shop}, without a scheme. */
export const ADMIN = `admin.shopify.com/store/acme/apps/${CLIENT.clientId}`
export const IN_ADMIN = `https://${ADMIN}`

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

/** Sets the stage for an app; one at a time in a theatre. */
export async function setStage(
  { browser, tls, shopifyPort, appPort }: Theatre,
  makeApp: (options: AppOptions) => Promise<FrameworkApp>,
  { named = false, appBridgeReload }: StageOptions,
): Promise<Stage> {
  const clock = new FakeClock()
  const redirectUris = [`${APP_URL}/auth/callback`]
  const pages = { tls: { ...tls, port: shopifyPort }, appUrl: APP_URL, redirectUris, appBridgeReload }
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
  const servers = [createHttpServer(app.listener), createHttpsServer(tls, app.listener)] as const
  await listening(servers[0], 0)
  await listening(servers[1], appPort)
  const merchant = await Merchant.at(browser)
  return {
    ...{ clock, shopify, tokens, installed },
    merchant,
    refreshToken: async () => {
      const { record } = await store.get({ clientId: CLIENT.clientId, shop })
      return record !== null && 'refreshToken' in record ? record.refreshToken : ''
    },
    webhookUrl: `http://127.0.0.1:${portOf(servers[0])}/webhooks`,
    close: () => strike({ merchant, servers, app, tokens, shopify }),
  }
}

function products(): AdminAnswer {
  return { body: { data: { products: { nodes: [{ title: 'Snowboard' }, { title: 'Wax' }] } } } }
}

async function listening(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
}

function portOf(server: Server): string {
  return String((server.address() as AddressInfo).port)
}

interface Props {
  readonly merchant: Merchant
  readonly servers: readonly Server[]
  readonly app: FrameworkApp
  readonly tokens: TokenManager
  readonly shopify: FakeShopify
}

async function strike({ merchant, servers, app, tokens, shopify }: Props): Promise<void> {
  await merchant.leaves()
  for (const server of servers) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  await app.close()
  await tokens.close()
  await shopify.close()
}
