import type { Fetch, TokenManager, TokenManagerOptions } from '@shopify-tokens/core'
import { FaultyStore, type StoreVerb } from '@shopify-tokens/testing'
import type { ManagedApp } from './managed-app.js'

/** A process that only reads, beside those of `app` that renew. */
export interface Reader {
  readonly tokens: TokenManager
  /** What goes between this process and the store, and nothing of the others. */
  readonly store: FaultyStore
  /** How often it has called the token endpoint. There it is refused. */
  tokenCalls(): number
}

const TOKEN_ENDPOINT = '/admin/oauth/access_token'

export function aReader(app: ManagedApp, options: Partial<TokenManagerOptions> = {}): Reader {
  const { clock, shopify } = app
  const store = new FaultyStore(options.store ?? app.store, { clock })
  let tokenCalls = 0
  const fetch: Fetch = (input, init) => {
    if (new URL(input).pathname !== TOKEN_ENDPOINT) return shopify.fetch(input, init)
    tokenCalls += 1
    return Promise.reject(new Error('A process that only reads has called the token endpoint.'))
  }
  const tokens = app.anotherProcess({ renewal: 'never', fetch: clock.watch(fetch), ...options, store })
  return { tokens, store, tokenCalls: () => tokenCalls }
}

/** What it may do to the store. */
export const MERE_READING: readonly StoreVerb[] = ['get', 'ask', 'scan']

/** Everything but reading that the process has done so far. */
export function deedsOf({ store, tokenCalls }: Reader): { readonly tokenCalls: number; readonly writes: StoreVerb[] } {
  const verbs = store.calls.map(({ verb }) => verb)
  return { tokenCalls: tokenCalls(), writes: verbs.filter((verb) => !MERE_READING.includes(verb)) }
}

export const NOTHING_DONE = { tokenCalls: 0, writes: [] }
