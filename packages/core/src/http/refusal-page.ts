import { type AnyShopifyTokenError, type CallbackFlaw, isShopifyTokenError } from '../errors.js'
import { isShop } from '../shop.js'
import { messagePage } from './auth-pages.js'
import { errorAnswer } from './error-answer.js'
import type { HttpReply } from './http-reply.js'

const OPEN_AGAIN = 'Open the app from the admin of your shop.'
const BEGIN_AGAIN = 'This page has been used already, or has waited for too long. Begin again.'

const CALLBACK_ADVICE: Record<CallbackFlaw, string> = {
  malformed: OPEN_AGAIN,
  shop: OPEN_AGAIN,
  signature: OPEN_AGAIN,
  expired: BEGIN_AGAIN,
  state: BEGIN_AGAIN,
  code: BEGIN_AGAIN,
  denied: 'You have declined what the app asked for.',
}

/**
 * What a merchant sees of an error that ended one of the OAuth routes: its code, one sentence about what to do and, once
 * Shopify has told the shop, a link that begins anew. Holds nothing of the request, no message, no stack.
 *
 * @throws `error` itself if it is not one of ours: the app's own error handling decides.
 */
export function refusalPage(error: unknown, authPath: string): HttpReply {
  const answer = errorAnswer(error, { authPath })
  if (answer === null || !isShopifyTokenError(error)) throw error
  const { status, body, headers } = answer
  const shop = isShop(error.shop) ? error.shop : null
  const link = shop === null ? undefined : { href: `${authPath}?shop=${shop}`, label: 'Begin again' }
  const isDenied = error.code === 'ERR_INVALID_CALLBACK' && error.flaw === 'denied'
  const title = isDenied ? 'Nothing was changed.' : body.title
  const page = messagePage({ status, title, text: advice(error, status), code: body.code, link }, shop)
  const wait = headers['retry-after']
  return wait === undefined ? page : { ...page, headers: { ...page.headers, 'retry-after': wait } }
}

function advice(error: AnyShopifyTokenError, status: number): string {
  if (error.code === 'ERR_INVALID_CALLBACK') return CALLBACK_ADVICE[error.flaw]
  if (error.code === 'ERR_SCOPE_MISSING') return 'The app needs a permission that it was not given. Begin again.'
  if (status === 503) return 'Wait a moment, then begin again.'
  return status < 500 ? OPEN_AGAIN : 'Please tell the makers of the app; nothing that you do here can help.'
}
