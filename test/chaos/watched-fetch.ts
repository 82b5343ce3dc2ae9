import type { Fetch, Grant } from '@shopify-tokens/core'
import { fakeShopifyFetch } from '@shopify-tokens/testing'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Seeded } from './seeded.js'
import { pairOf } from './switches.js'
import type { Watch, WatchedStore } from './watched-store.js'

/** One answer in so many is handed on late. */
const DELAYED_IN = 60

/** The Shopifys of a run, and the longest that an answer of theirs is held back. */
export interface Ways {
  readonly shopifys: readonly string[]
  readonly longestDelayMs: number
  readonly chance: Seeded
}

/**
 * The way to the Shopify that a shop lives under. Writes down each pair that arrives and each credential that is
 * presented unannounced, dies where it is told to, and hands some answers on late.
 */
export function watchedFetch(
  { shopifys, longestDelayMs, chance }: Ways,
  store: WatchedStore,
  { journal, killSwitch, arrived }: Watch,
): Fetch {
  const ways = shopifys.map((url) => fakeShopifyFetch(url))
  return async (input, init) => {
    const { hostname: shop, pathname } = new URL(input)
    const way = ways[pairOf(shop)]
    if (way === undefined) throw new TypeError(`${shop} is no shop of this run.`)
    if (!pathname.endsWith('/oauth/access_token')) return way(input, init)

    const { grant, credential } = presentedIn(init)
    if (!store.isAnnounced(credential)) journal.write({ t: 'unannounced', shop, grant })
    const response = await way(input, init)
    const refreshToken = response.ok ? await refreshTokenIn(response.clone()) : undefined
    if (chance.between(1, DELAYED_IN) === 1) await sleep(chance.between(1, longestDelayMs))
    // A client that has gone on without it does not get it.
    if (refreshToken === undefined || init.signal?.aborted === true) return response
    const requestId = response.headers.get('x-request-id') ?? ''
    journal.write({ t: 'answer', shop, grant, requestId, refreshToken, at: Date.now() })
    killSwitch.reached('after-answer', shop)
    arrived.add(shop, refreshToken)
    return response
  }
}

/** `undefined`: the answer was cut off, or lacks it. */
async function refreshTokenIn(response: Response): Promise<string | undefined> {
  try {
    const { refresh_token: refreshToken } = (await response.json()) as { refresh_token?: string }
    return refreshToken
  } catch {
    return undefined
  }
}

function presentedIn({ body }: RequestInit): { readonly grant: Grant; readonly credential: string } {
  const parameters = new URLSearchParams(typeof body === 'string' ? body : '')
  const refreshToken = parameters.get('refresh_token')
  if (refreshToken !== null) return { grant: 'refresh', credential: refreshToken }
  return { grant: 'id-token', credential: parameters.get('subject_token') ?? '' }
}
