import type { RequestListener } from 'node:http'
import type { Installed, RequestAccess, TokenManager } from '@shopify-tokens/core'

/** What a test decides about its app. */
export interface AppOptions {
  readonly tokens: TokenManager
  readonly clientId: string
  readonly appUrl: string
  readonly scopes: readonly string[]
  /** The shop as the app itself knows it, for an app that takes no session tokens. */
  readonly shopOf?: (() => string) | undefined
  readonly onInstalled?: ((installed: Installed) => unknown) | undefined
}

/**
 * The same app on each framework: `/` and `/settings` are pages for the admin, `GET /products` asks the Admin API and
 * `POST /prices` needs the scope `write_products`; webhooks arrive at `/webhooks`.
 */
export interface FrameworkApp {
  readonly listener: RequestListener
  close(): Promise<void>
}

export const HEADINGS: Readonly<Record<string, string>> = { '/': 'Token Garden', '/settings': 'Settings' }

/** The answer of `GET /products`. */
export async function products(shopify: RequestAccess): Promise<{ says: string }> {
  const { data } = await shopify.graphql<{ products: { nodes: { title: string }[] } }>(
    '{ products(first: 2) { nodes { title } } }',
  )
  const titles = data?.products.nodes.map(({ title }) => title) ?? []
  const until = new Date(shopify.expiresAt).toISOString().slice(11, 16)
  return { says: `${titles.join(', ')} – with an access token that works until ${until}` }
}

/** The answer of `POST /prices`. */
export function raisedPrices({ scopes }: RequestAccess): { says: string } {
  return { says: `Raised, with ${scopes.join(', ')}` }
}
