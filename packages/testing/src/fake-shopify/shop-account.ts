import type { Lifetimes } from './lifetimes.js'
import type { AccessKind, IssuedAccess, Pair, PairEnd } from './pair.js'
import type { TokenAnswer } from './token-answer.js'

/** A migration that was made: the pair it brought, and Shopify's time of it (R9 in docs/shopify-protocol.md). */
export interface Migration {
  readonly pair: Pair
  readonly at: number
}

/** What Shopify knows of one shop: whether it has the app, what it granted, and every token ever minted for it. */
export class ShopAccount {
  readonly access = new Map<string, IssuedAccess>()
  readonly pairs = new Map<string, Pair>()
  /** Each pair's first answer, for verbatim replays. */
  readonly answers = new Map<Pair, TokenAnswer>()
  /** By original token. */
  readonly migrations = new Map<string, Migration>()
  installed = false
  scopes: readonly string[] = []

  readonly #random: (size: number) => Uint8Array

  constructor(random: (size: number) => Uint8Array) {
    this.#random = random
  }

  mintAccess(kind: AccessKind, secret: number, expiresAt: number | undefined): IssuedAccess {
    const token = this.#token('shpat_')
    const access: IssuedAccess = { token, kind, scopes: this.scopes, expiresAt, secret, revoked: false }
    this.access.set(token, access)
    return access
  }

  mintPair(secret: number, issuedAt: number, lifetimes: Lifetimes, predecessor?: Pair): Pair {
    const pair: Pair = {
      access: this.mintAccess('expiring', secret, issuedAt + lifetimes.accessTokenMs),
      refreshToken: this.#token('shprt_'),
      issuedAt,
      refreshExpiresAt: issuedAt + lifetimes.refreshTokenMs,
      predecessor,
      successor: undefined,
      firstUsedAt: undefined,
      ended: undefined,
    }
    this.pairs.set(pair.refreshToken, pair)
    return pair
  }

  /** Ends every refresh token that has not ended; access tokens stay. */
  endPairs(reason: PairEnd): void {
    for (const pair of this.pairs.values()) pair.ended ??= reason
  }

  /** Ends every token of every kind. */
  endEverything(): void {
    this.endPairs('uninstalled')
    for (const access of this.access.values()) access.revoked = true
  }

  /** Ends everything that is pinned to a client secret (R10). */
  endSecret(secret: number): void {
    for (const access of this.access.values()) if (access.secret === secret) access.revoked = true
    for (const pair of this.pairs.values()) if (pair.access.secret === secret) pair.ended ??= 'secret-revoked'
  }

  /** Ends one token alone. Returns whether it was known. */
  revoke(token: string): boolean {
    const access = this.access.get(token)
    if (access !== undefined) access.revoked = true
    const pair = this.pairs.get(token)
    if (pair !== undefined) pair.ended ??= 'revoked'
    return access !== undefined || pair !== undefined
  }

  #token(prefix: string): string {
    return prefix + Buffer.from(this.#random(16)).toString('hex')
  }
}
