import type { RequestFacts, ShopOfRequest } from '@shopify-tokens/core'
import type { Request } from 'express'

/**
 * Names the shop of a request as the app itself knows it: from its own signed-in session, never from a parameter or a
 * header that the client is free to choose, because whatever it names gets that shop's token. `undefined`: the request's
 * session token must tell.
 */
export type ShopOf = ShopOfRequest<Request>

/** What a request says about itself. Nothing that a proxy may have added counts, and no shop that it merely names. */
export function factsOf(request: Request): RequestFacts {
  const { headers, query, method, originalUrl } = request
  return {
    authorization: headers.authorization,
    idToken: query.id_token,
    method,
    url: originalUrl,
    accept: headers.accept,
    fetchDest: headerOf(request, 'sec-fetch-dest'),
  }
}

/** A header that is given at most once. */
export function headerOf({ headers }: Request, name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : undefined
}

/** The whole path as the client has sent it, wherever in the app it is looked at. */
export function pathOf({ originalUrl }: Request): string {
  const query = originalUrl.indexOf('?')
  return query === -1 ? originalUrl : originalUrl.slice(0, query)
}
