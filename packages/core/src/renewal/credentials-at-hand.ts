import { type AnyShopifyTokenError, InvalidSessionTokenError } from '../errors.js'
import type { Credential } from '../oauth/grants.js'
import { candidates, type ExpiringRecord, type RecordKey } from '../token.js'
import { CodeClaim } from './code-claim.js'
import type { Presenting } from './decide.js'
import type { RunContext } from './run-context.js'
import type { Want } from './want.js'

/** Life that an ID token must have left to be worth sending. */
const MIN_ID_TOKEN_LIFE_MS = 10_000

/** What one run may present: the row's refresh tokens that have not turned out dead in it, and what the merchant brings. */
export class CredentialsAtHand {
  readonly #context: RunContext
  readonly #key: RecordKey
  readonly #idToken: string | undefined
  readonly #code: CodeClaim | null
  readonly #dead = new Set<string>()
  /** Whether it is the run's turn to replace the tokens for want of scopes. */
  #mayGrow = false

  constructor(context: RunContext, key: RecordKey, { idToken, code }: Want) {
    this.#context = context
    this.#key = key
    this.#idToken = idToken
    this.#code = code === undefined ? null : new CodeClaim(context, key, code)
  }

  /** The credential got the terminal answer: it is not presented again. */
  bury({ value }: Credential): void {
    this.#dead.add(value)
  }

  /** Another refresh token of the row, else the ID token. `null`: all are dead. Rejects unless the ID token may be sent. */
  async next(record: ExpiringRecord): Promise<Credential | null> {
    const value = candidates(record).find((token) => !this.#dead.has(token))
    if (value !== undefined) return { grant: 'refresh', value }
    return this.#idToken === undefined || this.#dead.has(this.#idToken) ? null : this.#verified()
  }

  /** What is to be presented now. `null`: the shop's tokens were replaced for want of scopes a moment ago, in vain. */
  async of(decision: Presenting): Promise<Credential | null> {
    switch (decision.do) {
      case 'refresh':
        return { grant: 'refresh', value: decision.record.refreshToken }
      case 'migrate':
        return { grant: 'migration', value: decision.record.accessToken }
      case 'request':
        return this.#own()
      case 'acquire':
        return this.#code === null ? this.#verified() : this.#code.take()
      case 'grow': {
        const credential = decision.record.kind === 'client-credentials' ? this.#own() : await this.#verified()
        this.#mayGrow ||= this.#context.grown.isDue(this.#key.shop)
        return this.#mayGrow ? credential : null
      }
    }
  }

  /** To be called when everything is ready for the credential to be sent. */
  async spend({ grant }: Credential): Promise<void> {
    if (grant === 'code') await this.#code?.spend()
  }

  /** The error for an acquisition whose credential Shopify has refused. */
  refused({ grant }: Credential, requestId: string | undefined): AnyShopifyTokenError {
    const error = grant === 'code' ? this.#code?.refused(requestId) : undefined
    return error ?? new InvalidSessionTokenError('refused', { shop: this.#key.shop, requestId })
  }

  /** The run has ended: what it has not sent is free for others. */
  async release(): Promise<void> {
    await this.#code?.release()
  }

  /** The app's own credentials, which go with every grant. */
  #own(): Credential {
    return { grant: 'client-credentials', value: this.#key.clientId }
  }

  /** The ID token, verified once more where it counts. Rejects unless it lives long enough to be worth sending. */
  async #verified(): Promise<Credential> {
    const value = this.#idToken ?? ''
    const { shop, expiresAt } = await this.#context.verifyIdToken(value)
    if (shop !== this.#key.shop) throw new InvalidSessionTokenError('shop')
    if (expiresAt - this.#context.time.now() < MIN_ID_TOKEN_LIFE_MS) throw new InvalidSessionTokenError('expired')
    return { grant: 'id-token', value }
  }
}
