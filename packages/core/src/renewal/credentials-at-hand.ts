import { InvalidSessionTokenError } from '../errors.js'
import type { Credential } from '../oauth/grants.js'
import type { Shop } from '../shop.js'
import { candidates, type ExpiringRecord } from '../token.js'
import type { RunContext } from './run-context.js'

/** Life that an ID token must have left to be worth sending. */
const MIN_ID_TOKEN_LIFE_MS = 10_000

/** What one run may present: the row's refresh tokens that have not turned out dead in it, and the merchant's ID token. */
export class CredentialsAtHand {
  readonly #context: Pick<RunContext, 'time' | 'verifyIdToken'>
  readonly #shop: Shop
  readonly #idToken: string | undefined
  readonly #dead = new Set<string>()

  constructor(context: Pick<RunContext, 'time' | 'verifyIdToken'>, shop: Shop, idToken: string | undefined) {
    this.#context = context
    this.#shop = shop
    this.#idToken = idToken
  }

  /** The credential got the terminal answer: it is not presented again. */
  bury({ value }: Credential): void {
    this.#dead.add(value)
  }

  /** Another refresh token of the row, else the ID token, which rejects as `idToken()` does. */
  async next(record: ExpiringRecord): Promise<Credential | null> {
    const value = candidates(record).find((token) => !this.#dead.has(token))
    if (value !== undefined) return { grant: 'refresh', value }
    return this.#idToken === undefined ? null : this.idToken()
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
