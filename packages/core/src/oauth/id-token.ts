import { createHash, createSecretKey, type KeyObject } from 'node:crypto'
import { decodeJwt, errors as joseErrors, type JWTPayload, jwtVerify } from 'jose'
import { LRUCache } from 'lru-cache'
import { InvalidSessionTokenError, type SessionTokenFlaw } from '../errors.js'
import type { Secret } from '../secret.js'
import { parseShop, type Shop } from '../shop.js'

/** What a verified session token (App Bridge's ID token) proves. */
export interface SessionToken {
  /** The shop in whose admin the app was opened: the host of `dest`, never a request parameter. */
  readonly shop: Shop
  /** The staff member (`sub`); absent in tokens without a user. */
  readonly userId: string | undefined
  /** The merchant's admin session (`sid`). */
  readonly sessionId: string | undefined
  /** Epoch milliseconds of Shopify's time. */
  readonly expiresAt: number
}

export interface SessionTokenVerifierOptions {
  readonly clientId: string
  /** Every secret that may have signed, the current one first. */
  readonly clientSecrets: readonly Secret[]
  /** Shopify's time in epoch milliseconds. */
  readonly now: () => number
  /** Hears of every token that is refused. `noneVerified`: not one has been accepted so far. */
  readonly onRefused?: ((flaw: SessionTokenFlaw, noneVerified: boolean) => void) | undefined
}

const LEEWAY_MS = 10_000
/** App Bridge's tokens have some 700 characters. */
const MAX_LENGTH = 8_192
const REMEMBERED = 10_000

/**
 * Verifies session tokens and remembers those it has verified until they expire, by hash: App Bridge sends the same
 * token with every request of a minute, and a signature check costs an order of magnitude more than a hash.
 */
export class SessionTokenVerifier {
  readonly #clientId: string
  readonly #keys: readonly KeyObject[]
  readonly #now: () => number
  readonly #onRefused: SessionTokenVerifierOptions['onRefused']
  #noneVerified = true
  readonly #remembered = new LRUCache<string, SessionToken>({ max: REMEMBERED })

  constructor({ clientId, clientSecrets, now, onRefused }: SessionTokenVerifierOptions) {
    this.#clientId = clientId
    this.#keys = clientSecrets.map((secret) => createSecretKey(secret.reveal(), 'utf8'))
    this.#now = now
    this.#onRefused = onRefused
  }

  /**
   * Resolves with what the token proves, or rejects with `ERR_INVALID_SESSION_TOKEN`. HS256 only, whatever the header
   * says; `aud` must be our client id, and `iss` and `dest` must name the same shop.
   *
   * @see RFC 7519 section 7.2; Shopify: "Session tokens"
   */
  async verify(token: string): Promise<SessionToken> {
    try {
      return await this.#verify(token)
    } catch (error) {
      if (error instanceof InvalidSessionTokenError) this.#onRefused?.(error.flaw, this.#noneVerified)
      throw error
    }
  }

  async #verify(token: string): Promise<SessionToken> {
    if (token === '') throw new InvalidSessionTokenError('missing')
    if (token.length > MAX_LENGTH) throw new InvalidSessionTokenError('malformed')
    const hash = createHash('sha256').update(token).digest('base64')
    const known = this.#remembered.get(hash)
    if (known !== undefined) {
      if (this.#now() < known.expiresAt + LEEWAY_MS) return known
      this.#remembered.delete(hash)
      throw new InvalidSessionTokenError('expired')
    }
    const verified = read(await this.#payload(token))
    this.#remembered.set(hash, verified)
    this.#noneVerified = false
    return verified
  }

  async #payload(token: string): Promise<JWTPayload> {
    let refusal: unknown
    for (const key of this.#keys) {
      try {
        const { payload } = await jwtVerify(token, key, {
          algorithms: ['HS256'],
          audience: this.#clientId,
          clockTolerance: LEEWAY_MS / 1000,
          currentDate: new Date(this.#now()),
          requiredClaims: ['exp', 'nbf', 'iss', 'dest'],
        })
        return payload
      } catch (error) {
        refusal = error
        if (!(error instanceof joseErrors.JWSSignatureVerificationFailed)) break
      }
    }
    // Without the cause: jose's claim errors carry the payload.
    throw new InvalidSessionTokenError(flawOf(refusal))
  }
}

function read({ iss, dest, sub, sid, exp }: JWTPayload): SessionToken {
  const shop = shopOf(dest, ORIGIN)
  if (shop !== shopOf(iss, ORIGIN_AND_PATH)) throw new InvalidSessionTokenError('shop')
  return {
    shop,
    userId: typeof sub === 'string' ? sub : undefined,
    sessionId: typeof sid === 'string' ? sid : undefined,
    expiresAt: Number(exp) * 1000,
  }
}

/**
 * The shop that a session token names, **unverified**: anybody can write one. Good for choosing who is to verify it, and
 * for nothing else.
 *
 * @throws InvalidSessionTokenError `ERR_INVALID_SESSION_TOKEN`
 */
export function namedShop(token: string): Shop {
  if (token === '') throw new InvalidSessionTokenError('missing')
  if (token.length > MAX_LENGTH) throw new InvalidSessionTokenError('malformed')
  let payload: JWTPayload
  try {
    payload = decodeJwt(token)
  } catch {
    throw new InvalidSessionTokenError('malformed')
  }
  return shopOf(payload.dest, ORIGIN)
}

/** Not through `URL`, which repairs: it drops a user name or a default port, and turns look-alike letters into ASCII. */
const ORIGIN = /^https:\/\/([^/]*)$/
const ORIGIN_AND_PATH = /^https:\/\/([^/]*)(?:\/.*)?$/

function shopOf(claim: unknown, form: RegExp): Shop {
  try {
    return parseShop(typeof claim === 'string' ? form.exec(claim)?.[1] : undefined)
  } catch {
    throw new InvalidSessionTokenError('shop')
  }
}

function flawOf(error: unknown): SessionTokenFlaw {
  if (error instanceof joseErrors.JWTExpired) return 'expired'
  if (error instanceof joseErrors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed') return 'not-yet-valid'
    return error.claim === 'aud' ? 'audience' : 'malformed'
  }
  if (error instanceof joseErrors.JWSSignatureVerificationFailed) return 'signature'
  // `alg: none` or RS256: somebody signed, or did not sign, in a way that we do not accept.
  if (error instanceof joseErrors.JOSEAlgNotAllowed) return 'signature'
  return 'malformed'
}
