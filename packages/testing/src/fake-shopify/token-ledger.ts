import type { AccessKind, Pair, RefusalReason } from './pair.js'
import { accessState, refreshRefusal } from './pair.js'
import type { RotationRules } from './rotation-rules.js'
import { graceOf } from './rotation-rules.js'
import { ShopAccount } from './shop-account.js'
import type { Granted, Refused } from './token-answer.js'
import { accessAnswer, granted, pairAnswer, refused } from './token-answer.js'

/** What the Admin API makes of an access token. */
export type AccessVerdict =
  | { readonly state: 'live'; readonly kind: AccessKind; readonly scopes: readonly string[] }
  | { readonly state: 'expired' | 'revoked' | 'unknown' }

/**
 * Shopify's book of tokens for one app: which shops have installed it, which tokens live, what each grant brings. Pure
 * state over a clock and a source of random bytes: no I/O and no timers; every rule is looked up at the moment of the
 * call. Client secrets appear as numbers, a newer one with a higher number.
 *
 * @see R1 to R11 in docs/shopify-protocol.md; Shopify pages "Offline access tokens", "Access tokens: token refresh",
 * "Migrate to expiring offline access tokens" and the changelog posts of 2026-08-28 and 2026-09-29
 */
export class TokenLedger {
  readonly #rules: RotationRules
  readonly #now: () => number
  readonly #random: (size: number) => Uint8Array
  readonly #accounts = new Map<string, ShopAccount>()

  constructor(rules: RotationRules, now: () => number, random: (size: number) => Uint8Array) {
    this.#rules = rules
    this.#now = now
    this.#random = random
  }

  /** Installs the app, or changes what an installed one was granted; tokens minted before keep their scopes. */
  install(shop: string, scopes: readonly string[]): void {
    const account = this.#account(shop)
    account.installed = true
    account.scopes = [...scopes]
  }

  /** Uninstalls the app: every token of the shop ends at once (R10). A later install brings none of them back. */
  uninstall(shop: string): void {
    const account = this.#account(shop)
    account.installed = false
    account.endEverything()
  }

  isInstalled(shop: string): boolean {
    return this.#account(shop).installed
  }

  /** The scopes granted to the app in that shop, whether it is installed at present or was before. */
  scopes(shop: string): readonly string[] {
    return this.#account(shop).scopes
  }

  /**
   * Mints a pair for a code or an ID token. Every earlier refresh token of the shop ends at once; earlier access tokens
   * run out on their own (R5). `ageMs` dates the pair back, so that tests can seed a token that has already expired.
   */
  acquire(shop: string, secret: number, ageMs = 0): Granted {
    const account = this.#account(shop)
    account.endPairs('acquisition')
    return this.#first(account, account.mintPair(secret, this.#now() - ageMs, this.#rules.lifetimes))
  }

  /** Mints a token without an end for an acquisition that did not ask for `expiring=1`. Ends refresh tokens like one (R5). */
  acquireNonExpiring(shop: string, secret: number): Granted {
    this.#account(shop).endPairs('acquisition')
    return this.mintNonExpiring(shop, secret)
  }

  /** Mints a token without an end and leaves everything else alone. */
  mintNonExpiring(shop: string, secret: number): Granted {
    const access = this.#account(shop).mintAccess('non-expiring', secret, undefined)
    return granted(accessAnswer(access, undefined, this.#rules.lifetimes))
  }

  /** Mints a client-credentials token: no refresh token, no effect on any pair ("Client credentials grant"). */
  clientCredentials(shop: string, secret: number): Granted | Refused {
    const account = this.#account(shop)
    if (!account.installed) return refused('not-installed')
    const { lifetimes } = this.#rules
    const access = account.mintAccess('client-credentials', secret, this.#now() + lifetimes.clientCredentialsMs)
    return granted(accessAnswer(access, lifetimes.clientCredentialsMs, lifetimes))
  }

  /**
   * Rotates a pair. The first use of a refresh token mints its replacement (R1) and retires its own predecessor (R4);
   * a later one is a replay, answered as `replay` and `grace` say (R3, R7). Pins what it answers to the secret (R11).
   */
  refresh(shop: string, refreshToken: string, secret: number): Granted | Refused {
    const account = this.#account(shop)
    const pair = account.pairs.get(refreshToken)
    if (pair === undefined) return refused('unknown-token')
    const refusal = refreshRefusal(pair, this.#now(), graceOf(this.#rules))
    if (refusal !== undefined) return refused(refusal)
    pair.firstUsedAt ??= this.#now()
    if (pair.predecessor !== undefined) pair.predecessor.ended ??= 'replaced'
    const { successor } = pair
    if (successor !== undefined && successor.ended === undefined) {
      if (this.#rules.replay !== 'new-pair') return this.#replay(account, successor, secret)
      successor.ended = 'superseded'
    }
    pair.successor = account.mintPair(secret, this.#now(), this.#rules.lifetimes, pair)
    return this.#first(account, pair.successor)
  }

  /**
   * Exchanges a non-expiring token for a pair and ends it for the Admin API at once. For seven days the exchange may be
   * repeated and brings the same pair, its access token's life renewed if it has run out, its refresh token's never;
   * a refresh of the pair or an acquisition ends that early (R9).
   */
  migrate(shop: string, token: string, secret: number): Granted | Refused {
    const account = this.#account(shop)
    const refusal = this.#migrationRefusal(account, token)
    if (refusal !== undefined) return refused(refusal)
    const memo = account.migrations.get(token)
    if (memo !== undefined) {
      const { access } = memo.pair
      const { accessTokenMs } = this.#rules.lifetimes
      if (accessState(access, this.#now()) === 'expired') access.expiresAt = this.#now() + accessTokenMs
      return this.#remaining(memo.pair, secret)
    }
    const original = account.access.get(token)
    if (original !== undefined) original.revoked = true
    const pair = account.mintPair(secret, this.#now(), this.#rules.lifetimes)
    account.migrations.set(token, { pair, at: this.#now() })
    return this.#first(account, pair)
  }

  /** What the Admin API of that shop makes of an access token at this moment (R2: also of one whose pair was renewed). */
  inspect(shop: string, accessToken: string): AccessVerdict {
    const access = this.#account(shop).access.get(accessToken)
    if (access === undefined) return { state: 'unknown' }
    const state = accessState(access, this.#now())
    return state === 'live' ? { state, kind: access.kind, scopes: access.scopes } : { state }
  }

  /** Whether a refresh token or a non-expiring token would bring a pair if it were presented now. Uses nothing up. */
  accepts(shop: string, credential: string): boolean {
    const account = this.#account(shop)
    const pair = account.pairs.get(credential)
    if (pair !== undefined) return refreshRefusal(pair, this.#now(), graceOf(this.#rules)) === undefined
    return this.#migrationRefusal(account, credential) === undefined
  }

  /** Ends one access or refresh token, alone, as if Shopify had revoked it. Returns whether it was known. */
  revoke(shop: string, token: string): boolean {
    return this.#account(shop).revoke(token)
  }

  /** Ends every token that is pinned to a client secret, in every shop (R10). */
  revokeSecret(secret: number): void {
    for (const account of this.#accounts.values()) account.endSecret(secret)
  }

  #first(account: ShopAccount, pair: Pair): Granted {
    const answer = pairAnswer(pair, pair.issuedAt, this.#rules.lifetimes)
    account.answers.set(pair, answer)
    return granted(answer)
  }

  #replay(account: ShopAccount, pair: Pair, secret: number): Granted {
    const verbatim = account.answers.get(pair)
    if (this.#rules.replay === 'same-pair' || verbatim === undefined) return this.#remaining(pair, secret)
    pin(pair, secret)
    return granted(verbatim, true)
  }

  #remaining(pair: Pair, secret: number): Granted {
    pin(pair, secret)
    return granted(pairAnswer(pair, this.#now(), this.#rules.lifetimes), true)
  }

  #migrationRefusal(account: ShopAccount, token: string): RefusalReason | undefined {
    if (!account.installed) return 'not-installed'
    const original = account.access.get(token)
    if (original?.kind !== 'non-expiring') return 'unknown-token'
    const memo = account.migrations.get(token)
    if (memo === undefined) return original.revoked ? 'revoked' : undefined
    if (memo.pair.firstUsedAt !== undefined) return 'replaced'
    if (this.#now() >= memo.at + this.#rules.lifetimes.migrationMemoMs) return 'memo-over'
    return refreshRefusal(memo.pair, this.#now(), graceOf(this.#rules))
  }

  #account(shop: string): ShopAccount {
    let account = this.#accounts.get(shop)
    if (account === undefined) this.#accounts.set(shop, (account = new ShopAccount(this.#random)))
    return account
  }
}

/** A replay with an older secret does not undo the pinning to a newer one (R11). */
function pin(pair: Pair, secret: number): void {
  pair.access.secret = Math.max(pair.access.secret, secret)
}
