import type { TokenLedger } from './token-ledger.js'
import type { WireAnswer } from './wire-answer.js'
import { json } from './wire-answer.js'

/** A request that the Admin API has let in. Its token is valid and is not passed on. */
export interface AdminRequest {
  readonly shop: string
  readonly method: string
  /** Path with the query. */
  readonly path: string
  /** `2026-10` of `/admin/api/2026-10/graphql.json`; `undefined` for other paths. */
  readonly apiVersion: string | undefined
  /** Parsed JSON, or the text of any other body; `undefined` without one. */
  readonly body: unknown
  /** Scopes of the token that was presented. */
  readonly scopes: readonly string[]
}

/** Answers an {@link AdminRequest} in place of the stub. `status` defaults to 200. */
export type AdminHandler = (request: AdminRequest) => AdminAnswer | Promise<AdminAnswer>

/** Answer of an {@link AdminHandler}. */
export interface AdminAnswer {
  readonly status?: number
  readonly body: unknown
}

/** Why a shop answers no Admin call: frozen (402), gone (404), locked (423), throttled (429) or suspected (430). */
export type ShopRestriction = 'frozen' | 'gone' | 'locked' | 'throttled' | 'suspected'

const RESTRICTION_STATUS: Readonly<Record<ShopRestriction, number>> = {
  frozen: 402,
  gone: 404,
  locked: 423,
  throttled: 429,
  suspected: 430,
}

const ERRORS: Readonly<Record<number, string>> = {
  401: '[API] Invalid API key or access token (unrecognized login or wrong password)',
  402: 'Unavailable Shop',
  403: '[API] Access denied',
  404: 'Not Found',
  423: 'This shop is locked',
  429: 'Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service.',
  430: 'Request was rejected for security reasons',
}

const NON_EXPIRING_REFUSED =
  '[API] Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline tokens.'

/** The status with which a restricted shop answers. @see Shopify page "API response status codes" */
export function restrictionStatus(restriction: ShopRestriction): number {
  return RESTRICTION_STATUS[restriction]
}

/** The Admin API's body for a status: `errors` is a string, on GraphQL routes too. */
export function adminErrorBody(status: number): unknown {
  return { errors: ERRORS[status] ?? `Status ${String(status)}` }
}

/** The Admin API behind a check of `X-Shopify-Access-Token` ("Errors of the Admin API" in docs/shopify-protocol.md). */
export class AdminApi {
  readonly #ledger: TokenLedger
  readonly #handler: AdminHandler
  readonly #restricted = new Map<string, ShopRestriction>()
  readonly #requiredScopes = new Map<string, string>()
  /** Whether non-expiring tokens get the 403 that public apps get from 2027-01-01 on. */
  refuseNonExpiring: boolean

  constructor(ledger: TokenLedger, refuseNonExpiring: boolean, handler: AdminHandler | undefined) {
    this.#ledger = ledger
    this.refuseNonExpiring = refuseNonExpiring
    this.#handler = handler ?? stub
  }

  restrict(shop: string, restriction: ShopRestriction | undefined): void {
    if (restriction === undefined) this.#restricted.delete(shop)
    else this.#restricted.set(shop, restriction)
  }

  requireScope(shop: string, scope: string | undefined): void {
    if (scope === undefined) this.#requiredScopes.delete(shop)
    else this.#requiredScopes.set(shop, scope)
  }

  /** Answers a request that presents `token`; `request.scopes` is filled in here. */
  async answer(token: string, request: Omit<AdminRequest, 'scopes'>): Promise<WireAnswer> {
    const { shop } = request
    const restriction = this.#restricted.get(shop)
    if (restriction !== undefined) return refusal(restrictionStatus(restriction))
    const verdict = this.#ledger.inspect(shop, token)
    if (verdict.state !== 'live') return refusal(401)
    if (this.refuseNonExpiring && verdict.kind === 'non-expiring') return json(403, { errors: NON_EXPIRING_REFUSED })
    const scope = this.#requiredScopes.get(shop)
    if (scope !== undefined && !verdict.scopes.includes(scope)) {
      return json(403, { errors: `[API] This action requires merchant approval for ${scope} scope.` })
    }
    try {
      const { status = 200, body } = await this.#handler({ ...request, scopes: verdict.scopes })
      return json(status, body)
    } catch (error) {
      return json(500, { errors: `The admin handler threw: ${String(error)}` })
    }
  }
}

function refusal(status: number): WireAnswer {
  return json(status, adminErrorBody(status), status === 429 ? { 'retry-after': '2.0' } : {})
}

function stub({ shop, apiVersion, path }: AdminRequest): AdminAnswer {
  const name = shop.slice(0, shop.indexOf('.'))
  const graphql = apiVersion !== undefined && path.includes('/graphql.json')
  if (graphql) return { body: { data: { shop: { name, myshopifyDomain: shop } } } }
  return { body: { shop: { name, myshopify_domain: shop } } }
}
