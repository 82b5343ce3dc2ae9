import '@shopify/shopify-api/adapters/node'
import { createAdminApiClient, createAdminRestApiClient } from '@shopify/admin-api-client'
import { type Session as SessionOf, Session, shopifyApi } from '@shopify/shopify-api'
import { abstractFetch, setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { adminFetch, type Shop, type TokenManager } from '@shopify-tokens/core'
import { CLIENT_ID, CLIENT_SECRET } from '../core/managed-app.js'

/** Shopify's clients want an access token to be made; whatever it is, it is replaced. */
export const PLACEHOLDER = 'put-in-by-shopify-tokens'
const API_VERSION = '2026-10'
const QUERY = '{ shop { name } }'

/** What a client made of one call. */
export interface Outcome {
  /** HTTP status of the answer; `undefined`: the client had none. */
  readonly status: number | undefined
  /** What the client says went wrong; `null`: nothing did. */
  readonly message: string | null
}

/** One call through a client that was built once; `retries`: what the client may try again by itself. */
export type Call = (retries?: number) => Promise<Outcome>

export interface ShopifyClient {
  readonly name: string
  build(tokens: TokenManager, shop: Shop): Call
}

export const CLIENTS: readonly ShopifyClient[] = [
  {
    name: '@shopify/admin-api-client, GraphQL',
    build(tokens, shop) {
      const client = createAdminApiClient({
        storeDomain: shop,
        apiVersion: API_VERSION,
        accessToken: PLACEHOLDER,
        customFetchApi: tokens.forShop(shop).fetch,
      })
      return async (retries = 0) => {
        const { errors } = await client.request(QUERY, { retries })
        return { status: errors === undefined ? 200 : errors.networkStatusCode, message: errors?.message ?? null }
      }
    },
  },
  {
    name: '@shopify/admin-api-client, REST',
    build(tokens, shop) {
      const client = createAdminRestApiClient({
        storeDomain: shop,
        apiVersion: API_VERSION,
        accessToken: PLACEHOLDER,
        customFetchApi: tokens.forShop(shop).fetch,
        defaultRetryTime: 1,
      })
      return async (retries = 0) => {
        try {
          const { ok, status, statusText } = await client.get('shop', { retries })
          return { status, message: ok ? null : statusText }
        } catch (error) {
          return { status: undefined, message: (error as Error).message }
        }
      }
    },
  },
  {
    name: '@shopify/shopify-api, GraphQL',
    build(tokens, shop) {
      setAbstractFetchFunc(adminFetch(tokens))
      const { clients } = aLibrary()
      const client = new clients.Graphql({ session: sessionOf(shop) })
      return async (retries = 0) => outcomeOf(() => client.request(QUERY, { retries }))
    },
  },
  {
    name: '@shopify/shopify-api, REST',
    build(tokens, shop) {
      setAbstractFetchFunc(adminFetch(tokens))
      const { clients } = aLibrary()
      const client = new clients.Rest({ session: sessionOf(shop) })
      return async (retries = 0) => outcomeOf(() => client.get({ path: 'shop', tries: retries + 1 }))
    },
  },
]

/** Shopify's library as an app configures it, and what it has logged. */
export function aLibrary(logged: string[] = []): ReturnType<typeof shopifyApi> {
  return shopifyApi({
    apiKey: CLIENT_ID,
    apiSecretKey: CLIENT_SECRET,
    apiVersion: API_VERSION as never,
    hostName: 'app.example.com',
    hostScheme: 'https',
    isEmbeddedApp: true,
    logger: { level: 3, httpRequests: true, log: (_severity, message) => void logged.push(message) },
  })
}

export function sessionOf(shop: Shop): SessionOf {
  return new Session({ id: `offline_${shop}`, shop, state: '', isOnline: false, accessToken: PLACEHOLDER })
}

/** The library's way of saying what went wrong is to throw. */
async function outcomeOf(call: () => Promise<unknown>): Promise<Outcome> {
  try {
    await call()
    return { status: 200, message: null }
  } catch (error) {
    const { response, message } = error as Error & { readonly response?: { readonly code: number } }
    return { status: response?.code, message }
  }
}

const fetchOfTheLibrary = abstractFetch

/** The library has one fetch for the whole process: each test gives it back. */
export function giveBackFetch(): void {
  setAbstractFetchFunc(fetchOfTheLibrary)
}
