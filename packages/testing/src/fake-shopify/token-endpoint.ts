import type { ClientSecrets } from './client-secrets.js'
import { OAUTH_ERRORS } from './oauth-errors.js'
import type { RefusalReason } from './pair.js'
import { acceptsSessionToken } from './session-token.js'
import type { Granted, Refused, TokenAnswer } from './token-answer.js'
import type { TokenLedger } from './token-ledger.js'
import type { TokenGrant, TokenParameters } from './token-request.js'
import type { OAuthError } from './wire-answer.js'

/** What the token endpoint makes of a request. */
export type TokenDecision =
  | { readonly outcome: 'granted' | 'replayed'; readonly answer: TokenAnswer }
  | { readonly outcome: 'refused'; readonly error: OAuthError; readonly reason?: RefusalReason }

/**
 * `POST /admin/oauth/access_token`, without HTTP: parameters in, decision out ("The token endpoint" in
 * docs/shopify-protocol.md). Checks the app's credentials first, then the grant's own.
 */
export class TokenEndpoint {
  readonly #clientId: string
  readonly #secrets: ClientSecrets
  readonly #ledger: TokenLedger
  readonly #now: () => number
  readonly #random: (size: number) => Uint8Array
  readonly #codes = new Map<string, { readonly shop: string; readonly scopes: readonly string[] }>()

  constructor(
    clientId: string,
    secrets: ClientSecrets,
    ledger: TokenLedger,
    now: () => number,
    random: (size: number) => Uint8Array,
  ) {
    this.#clientId = clientId
    this.#secrets = secrets
    this.#ledger = ledger
    this.#now = now
    this.#random = random
  }

  /** Returns an authorization code, good for one exchange, which installs the app with these scopes. */
  issueCode(shop: string, scopes: readonly string[]): string {
    const code = Buffer.from(this.#random(16)).toString('hex')
    this.#codes.set(code, { shop, scopes })
    return code
  }

  /** Decides a request. Without `expiring=1` an acquisition brings a non-expiring token. */
  decide(shop: string, grant: TokenGrant, parameters: TokenParameters): TokenDecision {
    if (parameters.client_id !== this.#clientId) return refusal(OAUTH_ERRORS.unknownApplication)
    const secret = this.#secrets.number(parameters.client_secret ?? '')
    if (secret === undefined) return refusal(OAUTH_ERRORS.invalidClient)
    const expiring = parameters.expiring === '1' || parameters.expiring === 'true'
    switch (grant) {
      case 'code':
        return this.#code(shop, parameters.code ?? '', expiring, secret)
      case 'id-token':
        return this.#idToken(shop, parameters.subject_token ?? '', expiring, secret)
      case 'refresh':
        return decision(this.#ledger.refresh(shop, parameters.refresh_token ?? '', secret), OAUTH_ERRORS.terminal)
      case 'migration':
        return this.#migration(shop, parameters.subject_token ?? '', expiring, secret)
      case 'client-credentials':
        return decision(this.#ledger.clientCredentials(shop, secret), OAUTH_ERRORS.appNotInstalled)
      case 'unknown':
        return refusal(OAUTH_ERRORS.unsupportedGrantType)
    }
  }

  #code(shop: string, code: string, expiring: boolean, secret: number): TokenDecision {
    const issued = this.#codes.get(code)
    if (issued?.shop !== shop) return refusal(OAUTH_ERRORS.codeUsed)
    this.#codes.delete(code)
    this.#ledger.install(shop, issued.scopes)
    return this.#acquired(shop, expiring, secret)
  }

  #idToken(shop: string, token: string, expiring: boolean, secret: number): TokenDecision {
    const accepted = acceptsSessionToken(token, shop, this.#clientId, this.#secrets.active(), this.#now())
    if (!accepted) return refusal(OAUTH_ERRORS.invalidSubjectToken)
    if (!this.#ledger.isInstalled(shop)) return refusal(OAUTH_ERRORS.appNotInstalled, 'not-installed')
    return this.#acquired(shop, expiring, secret)
  }

  #acquired(shop: string, expiring: boolean, secret: number): TokenDecision {
    const result = expiring ? this.#ledger.acquire(shop, secret) : this.#ledger.acquireNonExpiring(shop, secret)
    return decision(result, OAUTH_ERRORS.invalidSubjectToken)
  }

  #migration(shop: string, token: string, expiring: boolean, secret: number): TokenDecision {
    if (!this.#ledger.accepts(shop, token) || expiring) {
      return decision(this.#ledger.migrate(shop, token, secret), OAUTH_ERRORS.invalidSubjectToken)
    }
    return decision(this.#ledger.mintNonExpiring(shop, secret), OAUTH_ERRORS.invalidSubjectToken)
  }
}

function decision(result: Granted | Refused, error: OAuthError): TokenDecision {
  if (result.granted) return { outcome: result.replayed ? 'replayed' : 'granted', answer: result.answer }
  const installed = result.reason !== 'not-installed'
  return refusal(installed ? error : OAUTH_ERRORS.appNotInstalled, result.reason)
}

function refusal(error: OAuthError, reason?: RefusalReason): TokenDecision {
  return reason === undefined ? { outcome: 'refused', error } : { outcome: 'refused', error, reason }
}
