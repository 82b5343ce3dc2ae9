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

async function saysNonExpiring(response: Response): Promise<boolean> {
  try {
    const { errors } = JSON.parse(await textOfCopy(response)) as { errors?: unknown }
    return typeof errors === 'string' && errors.includes(NON_EXPIRING)
  } catch {
    return false
  }
}

/** Reads a copy: the answer may be the caller's. Empty if it is longer than anything that Shopify says. */
async function textOfCopy(response: Response): Promise<string> {
  const body = response.clone().body as ReadableStream<Uint8Array> | null
  const reader = body?.getReader()
  const chunks: Uint8Array[] = []
  let bytes = 0
  for (let part = await reader?.read(); part?.done === false; part = await reader?.read()) {
    bytes += part.value.byteLength
    if (bytes > MAX_BYTES) {
      // Nobody waits for the end of it: it comes when the caller is through with the answer itself.
      reader?.cancel().catch(() => undefined)
      return ''
    }
    chunks.push(part.value)
  }
  return Buffer.concat(chunks).toString()
}
