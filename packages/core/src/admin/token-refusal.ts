import { readBounded } from '../oauth/read-bounded.js'
import type { TokenOptions } from '../token-source.js'

/** What the Admin API says with a 403 where it takes expiring tokens only. @see Shopify changelog 2026-05-20 */
const NON_EXPIRING = 'Non-expiring access tokens are no longer accepted'
const MAX_BYTES = 65_536

/** How the Admin API refused the token, in the words of {@link TokenOptions}; `null`: its answer is about something else. */
export async function refusalOf(response: Response): Promise<Pick<TokenOptions, 'rejectedAs'> | null> {
  if (response.status === 401) return {}
  // Every other 403 is about scopes or permissions, which no other token has.
  return response.status === 403 && (await saysNonExpiring(response)) ? { rejectedAs: 'non-expiring' } : null
}

/** Reads a copy: the answer may be the caller's. */
async function saysNonExpiring(response: Response): Promise<boolean> {
  try {
    const { errors } = JSON.parse((await readBounded(response.clone(), MAX_BYTES)) ?? '') as { errors?: unknown }
    return typeof errors === 'string' && errors.includes(NON_EXPIRING)
  } catch {
    return false
  }
}
