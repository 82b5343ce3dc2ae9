import { isShopifyTokenError, type SessionTokenFlaw } from '../errors.js'
import { isShop, type Shop } from '../shop.js'
import { redirect } from './auth-pages.js'
import { MAX_RETURN_LENGTH } from './begin-authorization.js'
import { bounceLocation } from './bounce.js'
import { errorAnswer, type HttpAnswer, REAUTHORIZE_URL } from './error-answer.js'
import type { HttpReply } from './http-reply.js'
import type { RequestFacts } from './open-request.js'
import { ownUrl, pathOf } from './own-path.js'

export interface ErrorReplyOptions {
  /** The app's path that begins authorization. */
  readonly authPath: string
  /** Whether the OAuth routes are there, so that documents can be sent to them. Without, they get problem details too. */
  readonly documents: boolean
  /** Whether the app is shown in Shopify's admin, so that App Bridge can get session tokens for documents. Default true. */
  readonly embedded?: boolean | undefined
}

/**
 * The whole answer to a request that an error of this project has ended; `null`: not one of ours, the app's own error
 * handling decides.
 *
 * A document, for which no script is waiting, is sent where the trouble can be mended: for a session token to the bounce
 * page, for a merchant's consent to the begin of authorization, where the visit with which Shopify installs the app goes
 * too. Everything else gets the problem details and the headers of {@link errorAnswer}, which App Bridge acts on. No answer
 * is for a cache to keep.
 *
 * @see Shopify: "Session tokens"; protocol of the official libraries
 */
export function errorReply(error: unknown, facts: RequestFacts, options: ErrorReplyOptions): HttpReply | null {
  const answer = errorAnswer(error, options)
  if (answer === null) return null
  const location = options.documents && isDocument(facts) ? locationFor(error, answer, facts, options) : null
  return location === null ? problemReply(answer) : redirect(location)
}

/** The problem details of an error, as a whole answer. */
export function problemReply({ status, headers, body }: HttpAnswer): HttpReply {
  const lowerCase = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return {
    status,
    headers: { ...Object.fromEntries(lowerCase), 'content-type': 'application/problem+json' },
    body: JSON.stringify(body),
  }
}

/**
 * Whether a browser will show the answer as a page, and can be sent elsewhere without losing anything: what a form has
 * posted would be lost. Newer browsers say so; of others, those that want HTML and hold no session token.
 */
function isDocument({ method, authorization, accept, fetchDest }: RequestFacts): boolean {
  if ((method !== 'GET' && method !== 'HEAD') || authorization !== undefined) return false
  if (fetchDest !== undefined) return fetchDest === 'document' || fetchDest === 'iframe'
  return accept?.includes('text/html') ?? false
}

/**
 * Flaws that a new session token mends. The others are our own mistake, such as a wrong client secret or clock: the
 * browser would go round in circles.
 */
const MENDED: readonly SessionTokenFlaw[] = ['missing', 'malformed', 'expired']

/** `null`: no page could help. */
function locationFor(
  error: unknown,
  { headers }: HttpAnswer,
  facts: RequestFacts,
  { authPath, embedded = true }: ErrorReplyOptions,
): string | null {
  const target = ownUrl(facts.url)
  if (!isShopifyTokenError(error) || target === null) return null
  if (error.code === 'ERR_INVALID_SESSION_TOKEN') {
    const shop = error.flaw === 'missing' ? installingShop(target, facts) : null
    const begin = shop === null ? null : ownUrl(`${authPath}?${new URLSearchParams({ shop }).toString()}`)
    if (begin !== null) return beginLocation(begin, target, facts)
    return embedded && MENDED.includes(error.flaw) ? bounceLocation(authPath, target) : null
  }
  const begin = ownUrl(headers[REAUTHORIZE_URL])
  return begin === null || error.shop === undefined ? null : beginLocation(begin, target, facts)
}

/**
 * The shop from which Shopify opens the app to be installed: in the window, not in a frame, signed and without a session
 * token. App Bridge would open the app in an admin that has none yet, and Shopify would begin the installation again. The
 * signature is not verified here: anybody may begin authorization for any shop.
 *
 * @see Shopify: "Implement authorization code grant manually"
 */
function installingShop({ searchParams }: URL, { fetchDest }: RequestFacts): Shop | null {
  const shop = searchParams.get('shop')
  const framed = searchParams.get('embedded') === '1' || fetchDest === 'iframe'
  return !framed && searchParams.has('hmac') && isShop(shop) ? shop : null
}

/** What the admin tells a document of itself, and will tell it anew. */
const TOLD_BY_ADMIN = ['embedded', 'hmac', 'host', 'locale', 'session', 'shop', 'timestamp']

/** With what the begin of authorization has to know of the document: whether it is framed, and how to come back. */
function beginLocation(begin: URL, target: URL, { fetchDest }: RequestFacts): string {
  const host = target.searchParams.get('host')
  if (target.searchParams.get('embedded') === '1' || fetchDest === 'iframe') begin.searchParams.set('embedded', '1')
  // App Bridge needs it to leave the frame.
  if (host !== null) begin.searchParams.set('host', host)
  for (const name of TOLD_BY_ADMIN) target.searchParams.delete(name)
  const returnTo = pathOf(target)
  if (returnTo !== '/' && returnTo.length <= MAX_RETURN_LENGTH) begin.searchParams.set('return_to', returnTo)
  return pathOf(begin)
}
