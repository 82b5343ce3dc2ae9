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
const PURPOSE = 'oauth-state'
const PREFIX = 'shopify_tokens_auth_'
const STATE = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/**
 * A new state, and the `Set-Cookie` headers that make the browser remember what it has begun: one signed cookie for each
 * state, so that two tabs do not fight. Of too many, the oldest are forgotten.
 */
export function beginState(
  signatures: AppSignatures,
  authPath: string,
  pending: PendingAuthorization,
  present: string | undefined,
): { readonly state: string; readonly cookies: readonly string[] } {
  const state = randomUUID()
  const value = signatures.seal(PURPOSE, { ...pending, state }, LIFE_MS)
  // Browsers send the oldest first: RFC 6265 section 5.4.
  const others = statesIn(present)
  const surplus = others.slice(0, Math.max(0, others.length - MAX_OTHERS))
  return {
    state,
    cookies: [
      `${PREFIX}${state}=${value}; Max-Age=${String(LIFE_MS / 1000)}; ${attributes(authPath)}`,
      ...surplus.flatMap(([other]) => endCookie(other, authPath)),
    ],
  }
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

/** The states, with the values of their cookies, that a `Cookie` header holds. */
function statesIn(header = ''): readonly (readonly [state: string, value: string])[] {
  return header
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(PREFIX) && pair.includes('='))
    .map((pair) => [pair.slice(PREFIX.length, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)])
}
