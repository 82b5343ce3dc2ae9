import { type AnyShopifyTokenError, InvalidSessionTokenError } from '../errors.js'
import type { Credential } from '../oauth/grants.js'
import type { Shop } from '../shop.js'
import { candidates, type ExpiringRecord, type RecordKey } from '../token.js'
import { CodeClaim } from './code-claim.js'
import type { Want } from './decide.js'
import type { RunContext } from './run-context.js'

/** Life that an ID token must have left to be worth sending. */
const MIN_ID_TOKEN_LIFE_MS = 10_000

/** What one run may present: the row's refresh tokens that have not turned out dead in it, and what the merchant brings. */
export class CredentialsAtHand {
  readonly #context: RunContext
  readonly #shop: Shop
  readonly #idToken: string | undefined
  readonly #code: CodeClaim | null
  readonly #dead = new Set<string>()

  constructor(context: RunContext, key: RecordKey, { idToken, code }: Want) {
    this.#context = context
    this.#shop = key.shop
    this.#idToken = idToken
    this.#code = code === undefined ? null : new CodeClaim(context, key, code)
  }

  /** The credential got the terminal answer: it is not presented again. */
  bury({ value }: Credential): void {
    this.#dead.add(value)
  }

  /** Another refresh token of the row, else the ID token, which rejects as `idToken()` does. `null`: all are dead. */
  async next(record: ExpiringRecord): Promise<Credential | null> {
    const value = candidates(record).find((token) => !this.#dead.has(token))
    if (value !== undefined) return { grant: 'refresh', value }
    return this.#idToken === undefined || this.#dead.has(this.#idToken) ? null : this.idToken()
  }

  /** What brings a first pair, or replaces one: the authorization code, else the ID token. Rejects as they do. */
  async acquisition(): Promise<Credential> {
    return this.#code === null ? this.idToken() : this.#code.take()
  }

  /** To be called when everything is ready for the credential to be sent. */
  async spend({ grant }: Credential): Promise<void> {
    if (grant === 'code') await this.#code?.spend()
  }

  /** The error for an acquisition whose credential Shopify has refused. */
  refused({ grant }: Credential, requestId: string | undefined): AnyShopifyTokenError {
    const error = grant === 'code' ? this.#code?.refused(requestId) : undefined
    return error ?? new InvalidSessionTokenError('expired', { shop: this.#shop, requestId })
  }

  /** The run has ended: what it has not sent is free for others. */
  async release(): Promise<void> {
    await this.#code?.release()
  }

  /** The ID token, verified once more where it counts. Rejects unless it lives long enough to be worth sending. */
  async idToken(): Promise<Credential> {
    const value = this.#idToken ?? ''
    const { shop, expiresAt } = await this.#context.verifyIdToken(value)
    if (shop !== this.#shop) throw new InvalidSessionTokenError('shop')
    if (expiresAt - this.#context.time.now() < MIN_ID_TOKEN_LIFE_MS) throw new InvalidSessionTokenError('expired')
    return { grant: 'id-token', value }
  }
}
