import { createShopClient } from '../admin/create-shop-client.js'
import type { ShopClient } from '../admin/shop-client.js'
import { InvalidOptionError, InvalidSessionTokenError, ReauthorizationRequiredError } from '../errors.js'
import type { RequestTokenSource } from '../http/open-request.js'
import { namedShop, type SessionToken } from '../oauth/id-token.js'
import { systemFetch } from '../ports/fetch.js'
import { parseShop, type Shop } from '../shop.js'
import type { AccessToken } from '../token.js'
import type { TokenOptions } from '../token-source.js'
import { readShopMap } from './shop-map.js'

/** Which source has the tokens of a shop: by shop domain, or chosen by a function. `undefined`: none has. */
export type SourcesByShop =
  Readonly<Record<string, RequestTokenSource>> | ((shop: Shop) => RequestTokenSource | undefined)

/**
 * One token source out of several, for apps whose shops come by their tokens in different ways: each shop has one source,
 * and nothing of the others. Does no I/O, and closes nothing: whoever made the sources closes them.
 *
 * ```ts
 * const tokens = tokensByShop((shop) => (shop === 'legacy.myshopify.com' ? legacy : manager))
 * app.use(shopifyTokens({ tokens }))
 * ```
 *
 * A session token is verified by the source of the shop that it names, and by no other: what was signed for one app opens
 * no shop of another's. A function is asked about shops that anybody may have named, as often as there are requests.
 *
 * `token` rejects with `ERR_REAUTHORIZATION_REQUIRED` (`not-installed`) for a shop that no source has.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function tokensByShop(sources: SourcesByShop): Required<RequestTokenSource> {
  if (typeof sources === 'function') return new ChosenTokens(sources)
  const map = readShopMap('sources', sources, readSource)
  return new ChosenTokens((shop) => map.get(shop))
}

function readSource(shop: Shop, value: unknown): RequestTokenSource {
  if (typeof (value as Partial<RequestTokenSource> | null | undefined)?.token === 'function') {
    return value as RequestTokenSource
  }
  throw new InvalidOptionError(`Option sources: what ${shop} has must be a token source, an object with token().`, [
    'sources',
  ])
}

class ChosenTokens implements Required<RequestTokenSource> {
  readonly #choose: (shop: Shop) => RequestTokenSource | undefined

  constructor(choose: (shop: Shop) => RequestTokenSource | undefined) {
    this.#choose = choose
  }

  async token(untrusted: Shop, options?: TokenOptions): Promise<AccessToken> {
    const shop = parseShop(untrusted)
    const source = this.#choose(shop)
    if (source === undefined) throw new ReauthorizationRequiredError('not-installed', { shop })
    return source.token(shop, options)
  }

  async verifySessionToken(token: string): Promise<SessionToken> {
    const shop = namedShop(token)
    const source = this.#choose(shop)
    if (source === undefined) throw new InvalidSessionTokenError('shop')
    // The shop's tokens are of an app that has no session tokens, so this one is of another.
    if (source.verifySessionToken === undefined) throw new InvalidSessionTokenError('audience')
    const session = await source.verifySessionToken(token)
    if (session.shop !== shop) throw new InvalidSessionTokenError('shop')
    return session
  }

  forShop(untrusted: Shop, options: { readonly idToken?: string | undefined } = {}): ShopClient {
    const shop = parseShop(untrusted)
    const made = this.#choose(shop)?.forShop?.(shop, options)
    return made ?? createShopClient(this, shop, { fetch: systemFetch, apiVersion: null }, options.idToken)
  }
}
