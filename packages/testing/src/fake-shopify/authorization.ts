import { randomUUID } from 'node:crypto'
import type { ClientSecrets } from './client-secrets.js'
import { hostParameter, signedUrl } from './signed-url.js'
import type { TokenEndpoint } from './token-endpoint.js'
import type { TokenLedger } from './token-ledger.js'

/** What Shopify has on file about the app, beside its credentials. */
export interface AppRegistration {
  url: string | undefined
  /** `undefined`: every address is allowed. */
  redirectUris: readonly string[] | undefined
  consent: Consent
}

/**
 * Whether a merchant is asked who has granted every scope already: `'once'` sends the browser straight back with a
 * code, as Shopify does (reported by developers); `'always'` shows the page.
 */
export type Consent = 'once' | 'always'

/** What a browser that comes to the authorize page is shown, or where it is sent. */
export type AuthorizationStep =
  | { readonly outcome: 'error'; readonly text: string }
  | { readonly outcome: 'ask'; readonly update: boolean; readonly scopes: readonly string[] }
  | { readonly outcome: 'leave'; readonly location: string }

/** What an {@link Authorization} works with. */
export interface AuthorizationParts {
  readonly clientId: string
  readonly registration: Readonly<AppRegistration>
  readonly secrets: ClientSecrets
  readonly ledger: TokenLedger
  readonly tokens: TokenEndpoint
  readonly defaultScopes: readonly string[]
  readonly now: () => number
}

/**
 * What Shopify says to the app by way of the merchant's browser, without HTTP: each address that it sends a browser to
 * is signed.
 *
 * @see Shopify page "Implement authorization code grant manually"
 */
export class Authorization {
  readonly #parts: AuthorizationParts

  constructor(parts: AuthorizationParts) {
    this.#parts = parts
  }

  /** The browser arrives. */
  begin(shop: string, query: URLSearchParams): AuthorizationStep {
    const { ledger, registration } = this.#parts
    const error = this.#errorOf(query)
    if (error !== undefined) return { outcome: 'error', text: error }
    const scopes = this.#scopes(query)
    const installed = ledger.isInstalled(shop)
    const granted = installed ? ledger.scopes(shop) : []
    const covered = scopes.every((scope) => granted.includes(scope) || granted.includes(wider(scope)))
    if (installed && covered && registration.consent === 'once') return this.allow(shop, query)
    return { outcome: 'ask', update: installed, scopes }
  }

  /** The merchant agrees: the app gets a code. */
  allow(shop: string, query: URLSearchParams): AuthorizationStep {
    return this.#leave(shop, query, () => ({ code: this.#parts.tokens.issueCode(shop, this.#scopes(query)) }))
  }

  /** The merchant does not: the app hears `access_denied` (RFC 6749 section 4.1.2.1; inferred). */
  refuse(shop: string, query: URLSearchParams): AuthorizationStep {
    return this.#leave(shop, query, () => ({ error: 'access_denied', error_description: 'The merchant cancelled.' }))
  }

  /** Where the merchant who installs the app is sent first; `undefined` while the app has no address. */
  installUrl(shop: string): string | undefined {
    const { url } = this.#parts.registration
    return url === undefined ? undefined : this.#signed(url, { shop, host: hostParameter(shop) })
  }

  /** What the admin loads into its frame; `undefined` while the app has no address. */
  embeddedUrl(shop: string, path: string, query: URLSearchParams, idToken: string): string | undefined {
    const { url } = this.#parts.registration
    if (url === undefined) return undefined
    return this.#signed(url.replace(/\/$/, '') + path, {
      ...Object.fromEntries(query),
      embedded: '1',
      host: hostParameter(shop),
      id_token: idToken,
      locale: 'en',
      session: randomUUID(),
      shop,
    })
  }

  #leave(shop: string, query: URLSearchParams, result: () => Record<string, string>): AuthorizationStep {
    const error = this.#errorOf(query)
    if (error !== undefined) return { outcome: 'error', text: error }
    const state = query.get('state')
    const told = { ...result(), host: hostParameter(shop), shop, ...(state === null ? {} : { state }) }
    return { outcome: 'leave', location: this.#signed(query.get('redirect_uri') ?? '', told) }
  }

  #signed(address: string, parameters: Readonly<Record<string, string>>): string {
    const timestamp = String(Math.floor(this.#parts.now() / 1000))
    return signedUrl(address, { ...parameters, timestamp }, this.#parts.secrets.signing())
  }

  #errorOf(query: URLSearchParams): string | undefined {
    const { clientId, registration } = this.#parts
    if (query.get('client_id') !== clientId) return 'Could not find Shopify API application with api_key'
    const redirectUri = query.get('redirect_uri') ?? ''
    const allowed = registration.redirectUris?.includes(redirectUri) ?? /^https?:/.test(redirectUri)
    return allowed && URL.canParse(redirectUri) ? undefined : 'The redirect_uri is not whitelisted'
  }

  #scopes(query: URLSearchParams): readonly string[] {
    const asked = (query.get('scope') ?? '').split(',').filter((scope) => scope !== '')
    return asked.length === 0 ? this.#parts.defaultScopes : withoutImplied(asked)
  }
}

/** Shopify's answers name no scope that another one implies: `write_products` alone for both (library). */
function withoutImplied(scopes: readonly string[]): readonly string[] {
  return scopes.filter((scope) => wider(scope) === scope || !scopes.includes(wider(scope)))
}

function wider(scope: string): string {
  return scope.replace(/^(unauthenticated_|)read_/, '$1write_')
}
