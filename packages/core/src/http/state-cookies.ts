import { randomUUID } from 'node:crypto'
import type { AppSignatures } from '../oauth/app-signatures.js'
import { isSameText } from '../oauth/same-text.js'
import type { Shop } from '../shop.js'

/** An authorization that a browser has begun. */
export interface PendingAuthorization {
  readonly shop: Shop
  /** The scopes that were asked for beside the app's own. */
  readonly extraScopes: readonly string[]
  /** Where in the app the merchant wants to go. */
  readonly returnTo: string
}

/** Time enough to read what the app wants, and to find somebody who may install it. */
const LIFE_MS = 600_000
/** Beside the new one. */
const MAX_OTHERS = 4
/** Their values together: with all that a browser sends, a server's limit of 16 kB must not be met. */
const MAX_OTHERS_LENGTH = 4_096
const PURPOSE = 'oauth-state'
const PREFIX = 'shopify_tokens_auth_'
const STATE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * A new state, and the `Set-Cookie` headers that make the browser remember what it has begun: one signed cookie for each
 * state, so that two tabs do not fight. Of too many, or too long ones, the oldest are forgotten.
 */
export function beginState(
  signatures: AppSignatures,
  authPath: string,
  pending: PendingAuthorization,
  present: string | undefined,
): { readonly state: string; readonly cookies: readonly string[] } {
  const state = randomUUID()
  const value = signatures.seal(PURPOSE, { ...pending, state }, LIFE_MS)
  return {
    state,
    cookies: [
      `${PREFIX}${state}=${value}; Max-Age=${String(LIFE_MS / 1000)}; ${attributes(authPath)}`,
      ...surplusOf(statesIn(present)).flatMap(([other]) => endCookie(other, authPath)),
    ],
  }
}

/** Of what the browser has begun before, the oldest that have to go: it sends them first (RFC 6265 section 5.4). */
function surplusOf(others: States): States {
  let length = 0
  const isTooMuch = ([, value]: States[number], place: number): boolean => {
    length += value.length
    return length > MAX_OTHERS_LENGTH || others.length - place > MAX_OTHERS
  }
  return others.slice(0, others.findLastIndex(isTooMuch) + 1)
}

/** What this browser has begun under `state`; `null`: nothing, or it is over. */
export function pendingFor(
  signatures: AppSignatures,
  state: string,
  present: string | undefined,
): PendingAuthorization | null {
  for (const [name, value] of statesIn(present)) {
    if (name !== state) continue
    const opened = signatures.open(PURPOSE, value) as (PendingAuthorization & { readonly state: string }) | null
    if (opened !== null && isSameText(opened.state, state)) return opened
  }
  return null
}

/** The `Set-Cookie` header that makes the browser forget `state`; none for what was never a state of ours. */
export function endCookie(state: unknown, authPath: string): readonly string[] {
  if (typeof state !== 'string' || !STATE.test(state)) return []
  return [`${PREFIX}${state}=; Max-Age=0; ${attributes(authPath)}`]
}

/** http-only, and sent to the OAuth routes alone. Lax: Shopify sends the browser back by a link, from another site. */
function attributes(authPath: string): string {
  return `Path=${authPath}; HttpOnly; Secure; SameSite=Lax`
}

/** States with the values of their cookies. */
type States = readonly (readonly [state: string, value: string])[]

/** Those that a `Cookie` header holds. */
function statesIn(header = ''): States {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(PREFIX) && pair.includes('='))
    .map((pair) => [pair.slice(PREFIX.length, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
}
