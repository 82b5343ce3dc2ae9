import type { Lifetimes } from './lifetimes.js'
import { secondsFor } from './lifetimes.js'
import type { AccessKind, IssuedAccess, Pair, PairEnd, RefusalReason } from './pair.js'
import { accessState, refreshRefusal } from './pair.js'

/**
 * What a refresh token that is presented again brings while its grace lasts (R7: undocumented, so a client must survive
 * all three): the same pair with its remaining lifetime, the first answer word for word (its `expires_in` no longer
 * true), or a new pair whose minting retires the unused one.
 */
export type Replay = 'same-pair' | 'same-verbatim' | 'new-pair'

/**
 * How long a refresh token may be presented again after its first use: never, for 60 minutes, or until its replacement
 * is used and at most 30 days (R3, in force since 2026-08-28). Its own 90 days, an acquisition and the use of its
 * replacement end it in any case.
 */
export type Grace = 'none' | '60-minutes' | 'until-used'

/** The switches and durations that a ledger plays by. They may be changed between two calls. */
export interface LedgerRules {
  replay: Replay
  grace: Grace
  readonly lifetimes: Lifetimes
}

/** The JSON members of a token answer, in the order of Shopify's documentation ("Offline access tokens"). */
export interface TokenAnswer {
  readonly access_token: string
  readonly expires_in?: number
  readonly refresh_token?: string
  readonly refresh_token_expires_in?: number
  readonly scope: string
}

/** A grant that Shopify made: the answer, and whether it repeats an earlier one (R3, R9). */
export interface Granted {
  readonly granted: true
  readonly replayed: boolean
  readonly answer: TokenAnswer
}

/** A grant that Shopify refused. A refusal changes nothing. */
export interface Refused {
  readonly granted: false
  readonly reason: RefusalReason
}

/** What the Admin API makes of an access token. */
export type AccessVerdict =
  | { readonly state: 'live'; readonly kind: AccessKind; readonly scopes: readonly string[] }
  | { readonly state: 'expired' | 'revoked' | 'unknown' }

interface Account {
  installed: boolean
  scopes: readonly string[]
  readonly access: Map<string, IssuedAccess>
  readonly pairs: Map<string, Pair>
  readonly verbatim: Map<Pair, TokenAnswer>
  readonly migrations: Map<string, { readonly pair: Pair; readonly at: number }>
}

/**
 * Shopify's book of tokens for one app: which shops have installed it, which tokens live, what each grant brings. Pure
 * state over a clock and a source of random bytes: no I/O and no timers; every rule is looked up at the moment of the call.
 *
 * @see protocol rules R1 to R11; Shopify pages "Offline access tokens", "Access tokens: token refresh", "Migrate to
 * expiring offline access tokens" and the changelog posts of 2026-08-28 and 2026-09-29
 */
export class TokenLedger {
  readonly #rules: LedgerRules
  readonly #now: () => number
  readonly #random: (size: number) => Uint8Array
  readonly #accounts = new Map<string, Account>()

  constructor(rules: LedgerRules, now: () => number, random: (size: number) => Uint8Array) {
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
    this.#endPairs(account, 'uninstalled')
    for (const access of account.access.values()) access.revoked = true
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
    this.#endPairs(account, 'acquisition')
    return this.#first(account, this.#mintPair(account, secret, undefined, ageMs))
  }

  /** Mints a token without an end for an acquisition that did not ask for `expiring=1`. Ends refresh tokens like one (R5). */
  acquireNonExpiring(shop: string, secret: number): Granted {
    const account = this.#account(shop)
    this.#endPairs(account, 'acquisition')
    return this.mintNonExpiring(shop, secret)
  }

  /** Mints a token without an end and leaves everything else alone. */
  mintNonExpiring(shop: string, secret: number): Granted {
    const account = this.#account(shop)
    const access = this.#mintAccess(account, 'non-expiring', secret, undefined)
    return granted({ access_token: access.token, scope: access.scopes.join(',') })
  }

  /** Mints a client-credentials token: no refresh token, no effect on any pair ("Client credentials grant"). */
  clientCredentials(shop: string, secret: number): Granted | Refused {
    const account = this.#account(shop)
    if (!account.installed) return refused('not-installed')
    const { clientCredentialsMs } = this.#rules.lifetimes
    const access = this.#mintAccess(account, 'client-credentials', secret, this.#now() + clientCredentialsMs)
    const expires_in = secondsFor(clientCredentialsMs, this.#rules.lifetimes)
    return granted({ access_token: access.token, expires_in, scope: access.scopes.join(',') })
  }

  /**
   * Rotates a pair. The first use of a refresh token mints its replacement (R1) and retires its own predecessor (R4);
   * a later one is a replay, answered as `replay` and `grace` say (R3, R7). Pins what it answers to the secret (R11).
   */
  refresh(shop: string, refreshToken: string, secret: number): Granted | Refused {
    const account = this.#account(shop)
    const pair = account.pairs.get(refreshToken)
    if (pair === undefined) return refused('unknown-token')
    const refusal = refreshRefusal(pair, this.#now(), this.#graceMs())
    if (refusal !== undefined) return refused(refusal)
    pair.firstUsedAt ??= this.#now()
    if (pair.predecessor !== undefined) pair.predecessor.ended ??= 'replaced'
    const { successor } = pair
    if (successor !== undefined && successor.ended === undefined) {
      if (this.#rules.replay !== 'new-pair') return this.#replay(account, successor, secret)
      successor.ended = 'superseded'
    }
    pair.successor = this.#mintPair(account, secret, pair)
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
    const pair = this.#mintPair(account, secret, undefined)
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
    if (pair !== undefined) return refreshRefusal(pair, this.#now(), this.#graceMs()) === undefined
    return this.#migrationRefusal(account, credential) === undefined
  }

  /** Ends one access or refresh token, alone, as if Shopify had revoked it. Returns whether it was known. */
  revoke(shop: string, token: string): boolean {
    const account = this.#account(shop)
    const access = account.access.get(token)
    if (access !== undefined) access.revoked = true
    const pair = account.pairs.get(token)
    if (pair !== undefined) pair.ended ??= 'revoked'
    return access !== undefined || pair !== undefined
  }

  /** Ends every token that is pinned to a client secret, in every shop (R10). */
  revokeSecret(secret: number): void {
    for (const account of this.#accounts.values()) {
      for (const access of account.access.values()) if (access.secret === secret) access.revoked = true
      for (const pair of account.pairs.values()) if (pair.access.secret === secret) pair.ended ??= 'secret-revoked'
    }
  }

  #replay(account: Account, pair: Pair, secret: number): Granted {
    const verbatim = account.verbatim.get(pair)
    if (this.#rules.replay === 'same-pair' || verbatim === undefined) return this.#remaining(pair, secret)
    pin(pair, secret)
    return { granted: true, replayed: true, answer: verbatim }
  }

  #remaining(pair: Pair, secret: number): Granted {
    pin(pair, secret)
    return { granted: true, replayed: true, answer: this.#answer(pair, this.#now()) }
  }

  #first(account: Account, pair: Pair): Granted {
    const answer = this.#answer(pair, pair.issuedAt)
    account.verbatim.set(pair, answer)
    return granted(answer)
  }

  #answer(pair: Pair, at: number): TokenAnswer {
    const { lifetimes } = this.#rules
    return Object.freeze({
      access_token: pair.access.token,
      expires_in: secondsFor((pair.access.expiresAt ?? at) - at, lifetimes),
      refresh_token: pair.refreshToken,
      refresh_token_expires_in: secondsFor(pair.refreshExpiresAt - at, lifetimes),
      scope: pair.access.scopes.join(','),
    })
  }

  #mintPair(account: Account, secret: number, predecessor: Pair | undefined, ageMs = 0): Pair {
    const { accessTokenMs, refreshTokenMs } = this.#rules.lifetimes
    const issuedAt = this.#now() - ageMs
    const pair: Pair = {
      access: this.#mintAccess(account, 'expiring', secret, issuedAt + accessTokenMs),
      refreshToken: this.#token('shprt_'),
      issuedAt,
      refreshExpiresAt: issuedAt + refreshTokenMs,
      predecessor,
      successor: undefined,
      firstUsedAt: undefined,
      ended: undefined,
    }
    account.pairs.set(pair.refreshToken, pair)
    return pair
  }

  #mintAccess(account: Account, kind: AccessKind, secret: number, expiresAt: number | undefined): IssuedAccess {
    const token = this.#token('shpat_')
    const access: IssuedAccess = { token, kind, scopes: account.scopes, expiresAt, secret, revoked: false }
    account.access.set(token, access)
    return access
  }

  #migrationRefusal(account: Account, token: string): RefusalReason | undefined {
    if (!account.installed) return 'not-installed'
    const original = account.access.get(token)
    if (original?.kind !== 'non-expiring') return 'unknown-token'
    const memo = account.migrations.get(token)
    if (memo === undefined) return original.revoked ? 'revoked' : undefined
    if (memo.pair.firstUsedAt !== undefined) return 'replaced'
    if (this.#now() >= memo.at + this.#rules.lifetimes.migrationMemoMs) return 'memo-over'
    return refreshRefusal(memo.pair, this.#now(), this.#graceMs())
  }

  #endPairs(account: Account, reason: PairEnd): void {
    for (const pair of account.pairs.values()) pair.ended ??= reason
  }

  #graceMs(): number {
    const { grace, lifetimes } = this.#rules
    if (grace === 'none') return 0
    return grace === '60-minutes' ? lifetimes.shortGraceMs : lifetimes.graceMs
  }

  #token(prefix: string): string {
    return prefix + Buffer.from(this.#random(16)).toString('hex')
  }

  #account(shop: string): Account {
    let account = this.#accounts.get(shop)
    if (account === undefined) {
      account = {
        installed: false,
        scopes: [],
        access: new Map(),
        pairs: new Map(),
        verbatim: new Map(),
        migrations: new Map(),
      }
      this.#accounts.set(shop, account)
    }
    return account
  }
}

/** A replay with an older secret does not undo the pinning to a newer one (R11). */
function pin(pair: Pair, secret: number): void {
  pair.access.secret = Math.max(pair.access.secret, secret)
}

function granted(answer: TokenAnswer): Granted {
  return { granted: true, replayed: false, answer: Object.freeze(answer) }
}

function refused(reason: RefusalReason): Refused {
  return { granted: false, reason }
}
