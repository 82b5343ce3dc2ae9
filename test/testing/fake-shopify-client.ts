import type { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'

export const SHOP = 'a.myshopify.com'
export const CLIENT = { client_id: 'client-id', client_secret: 'client-secret' }
export const APP = { clientId: CLIENT.client_id, clientSecret: CLIENT.client_secret }

export const TERMINAL = {
  error: 'invalid_request',
  error_description: 'This request requires an active refresh_token',
}

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const OFFLINE = 'urn:shopify:params:oauth:token-type:offline-access-token'

export type Parameters = Record<string, string>

export const byCode = (code: string): Parameters => ({ ...CLIENT, code, expiring: '1' })
export const byIdToken = (token: string): Parameters => ({
  ...CLIENT,
  grant_type: EXCHANGE,
  subject_token: token,
  subject_token_type: ID_TOKEN,
  requested_token_type: OFFLINE,
  expiring: '1',
})
export const byRefresh = (token: string): Parameters => ({
  ...CLIENT,
  grant_type: 'refresh_token',
  refresh_token: token,
})
export const byMigration = (token: string): Parameters => ({
  ...byIdToken(token),
  subject_token_type: OFFLINE,
})
export const byClientCredentials = (): Parameters => ({ ...CLIENT, grant_type: 'client_credentials' })

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The parsed body; `undefined` when it is no JSON. */
  readonly body: Record<string, unknown> | undefined
}

export async function read(response: Response): Promise<Answer> {
  const text = await response.text()
  let body: Record<string, unknown> | undefined
  try {
    body = JSON.parse(text) as Record<string, unknown>
  } catch {
    body = undefined
  }
  return { status: response.status, headers: response.headers, text, body }
}

/** Posts to the token endpoint as a careful client does, and reads the whole answer. */
export async function token(
  shopify: Pick<FakeShopify, 'fetch'>,
  parameters: Parameters,
  { shop = SHOP, ...init }: RequestInit & { shop?: string } = {},
): Promise<Answer> {
  const response = await shopify.fetch(`https://${shop}/admin/oauth/access_token`, {
    method: 'POST',
    headers: { accept: 'application/json' },
    redirect: 'manual',
    body: new URLSearchParams(parameters),
    ...init,
  })
  return read(response)
}

/** Posts a query to the Admin API. */
export async function admin(
  shopify: Pick<FakeShopify, 'fetch'>,
  accessToken: string,
  {
    shop = SHOP,
    path = '/admin/api/2026-10/graphql.json',
    ...init
  }: RequestInit & { shop?: string; path?: string } = {},
): Promise<Answer> {
  const response = await shopify.fetch(`https://${shop}${path}`, {
    method: 'POST',
    headers: { 'x-shopify-access-token': accessToken, 'content-type': 'application/json' },
    redirect: 'manual',
    body: '{"query":"{ shop { name } }"}',
    ...init,
  })
  return read(response)
}

/** The code of the system error beneath `fetch failed`. */
export async function failure(call: Promise<unknown>): Promise<string> {
  try {
    await call
  } catch (error) {
    const { name, cause } = error as Error & { cause?: { code?: string } }
    return cause?.code ?? name
  }
  return 'answered'
}
