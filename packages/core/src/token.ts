import { inspect } from 'node:util'
import type { Shop } from './shop.js'

/** A record belongs to one app (its client id) at one shop. */
export interface RecordKey {
  readonly clientId: string
  readonly shop: Shop
}

/** How a run came, or tried to come, by a token. */
export type Grant = 'refresh' | 'id-token' | 'code' | 'migration' | 'client-credentials'

/**
 * "I am about to present this credential": written into the row before Shopify is called, so that the row says what is
 * in doubt when the process dies in between. Also the lease that other processes respect while it is young.
 */
export interface Attempt {
  /** Random, one per run and credential presented. */
  readonly id: string
  readonly grant: Grant
  /** Fingerprint of the credential presented; never the credential. Sealed at rest like a token. */
  readonly credential: string
  /** Epoch milliseconds by the **store's** clock, so that all processes judge its age alike. */
  readonly at: number
}

/** The shop needs its merchant. A state, not a removal: any later successful write leaves it. */
export interface ReauthorizationMark {
  readonly reason: 'refresh-token-rejected' | 'app-not-installed' | 'access-token-rejected'
  /** When the shop was marked. Epoch milliseconds. */
  readonly at: number
  /** When the candidates were last tried; marked shops are tried once a day. Epoch milliseconds. */
  readonly triedAt: number
  /** When the app's `notify` was through with it; `null`: not yet, or there is none. Epoch milliseconds. */
  readonly notifiedAt: number | null
}

/** No renewal begins before `until`, except a forced one. */
export interface CoolDown {
  readonly until: number
  /** How many runs in a row ended without success; the next cool-down grows with it. */
  readonly failures: number
  /**
   * - `rejected`: Shopify's Admin API refuses even new tokens; only renewals for a rejected token wait.
   * - `suspect`: Shopify ended the tokens, and those of too many other shops to believe it; a merchant who is there does
   *   not wait, for an acquisition mends it.
   */
  readonly scope: 'all' | 'rejected' | 'suspect'
  /** Whether the shop has been without a working token for so long that its operators were told. */
  readonly stuck: boolean
}

/** What every record carries, whatever tokens it holds. Instants are epoch milliseconds of Shopify's time. */
interface RecordBase {
  readonly attempts: readonly Attempt[]
  readonly mark: ReauthorizationMark | null
  readonly coolDown: CoolDown | null
  /**
   * When the keep-alive sweep should look at this row next; `null`: never. The one indexed instant. Whoever puts a pair into
   * the store by himself says 0: with `null` an idle shop is lost after 90 days.
   */
  readonly sweepAt: number | null
}

interface Tokens extends RecordBase {
  readonly accessToken: string
  readonly scopes: readonly string[]
  /** When the request that brought the token was sent; lifetimes count from here. */
  readonly obtainedAt: number
  /**
   * `Date` of the latest successful grant's answer; what an uninstall webhook is compared with. `null`: Shopify's answer
   * told no time that could be believed, and this machine's own is nothing to compare with.
   */
  readonly confirmedAt: number | null
  /** Which client secret minted the tokens; of a marked shop, with which one they were refused. `fingerprint(secret)`. */
  readonly secretId: string
}

/** No tokens yet: an acquisition has begun. Answers like no row. */
export interface EmptyRecord extends RecordBase {
  readonly kind: 'empty'
}

interface EndingTokens extends Tokens {
  readonly expiresAt: number
  /** From here on the token is *due*: served, and renewed behind. Written with the record so that all processes agree. */
  readonly renewAt: number
  /** Whether a token that Shopify's Admin API had refused made us mint this one. */
  readonly mintedForRejected: boolean
}

/** An expiring access token and the refresh tokens of which at least one renews it. */
export interface ExpiringRecord extends EndingTokens {
  readonly kind: 'expiring'
  readonly refreshToken: string
  readonly refreshTokenExpiresAt: number
  /** Further refresh tokens that may be the living one, after two runs stored at once. Oldest displaced first. */
  readonly alternates: readonly string[]
  /**
   * The refresh token that brought this pair: presentable until its replacement is used (R3 in
   * docs/shopify-protocol.md).
   */
  readonly predecessor: string | null
}

/**
 * An access token of the client credentials grant: it ends and has no refresh token. The app asks for the next one by
 * itself, so losing it loses nothing.
 */
export interface ClientCredentialsRecord extends EndingTokens {
  readonly kind: 'client-credentials'
}

/** An offline token of the old kind: served until it is migrated. */
export interface NonExpiringRecord extends Tokens {
  readonly kind: 'non-expiring'
}

/** A custom app's token, entered by hand: never renewed, never migrated. */
export interface StaticRecord extends Tokens {
  readonly kind: 'static'
}

/** A tombstone: the app was removed. Holds no token; only an acquisition writes over it. */
export interface RemovedRecord extends RecordBase {
  readonly kind: 'removed'
  /** The instant of the removal's event, by Shopify's clock. */
  readonly removedAt: number
}

/**
 * All that is stored of one app at one shop, as plain data. Holds secrets in the clear unless the store is sealed:
 * never log one.
 */
export type TokenRecord = EmptyRecord | ServableRecord | RemovedRecord

/** A record that can answer a request. */
export type ServableRecord = MintedRecord | StaticRecord

/** A record that the token endpoint has brought. */
export type MintedRecord = RenewableRecord | NonExpiringRecord

/** A record whose access token ends, and whose next one comes without the merchant. */
export type RenewableRecord = ExpiringRecord | ClientCredentialsRecord

/** Whether the record holds an access token at all. */
export function isServable(record: TokenRecord | null): record is ServableRecord {
  return record !== null && 'accessToken' in record
}

/** Whether the record's access token ends. */
export function isRenewable(record: TokenRecord | null): record is RenewableRecord {
  return record !== null && 'renewAt' in record
}

/** The refresh tokens of a row in the order in which they are presented: current, alternates, predecessor. */
export function candidates(record: TokenRecord | null): readonly string[] {
  if (record?.kind !== 'expiring') return []
  const { refreshToken, alternates, predecessor } = record
  return predecessor === null ? [refreshToken, ...alternates] : [refreshToken, ...alternates, predecessor]
}

/** When the record's access token ends; non-expiring and static ones never do. */
export function expiryOf(record: ServableRecord): number {
  return isRenewable(record) ? record.expiresAt : Infinity
}

/**
 * An access token as callers get it. The token itself is reached by {@link value} only: printing, inspecting or
 * serialising this object shows the shop, the scopes and the expiry, and `[redacted]` for the token.
 */
export class AccessToken {
  readonly shop: Shop
  /** Granted scopes, as Shopify last told them. */
  readonly scopes: readonly string[]
  /** Epoch milliseconds of Shopify's time; `Infinity` for tokens that do not expire. */
  readonly expiresAt: number
  readonly #value: string

  constructor(shop: Shop, record: ServableRecord) {
    this.shop = shop
    this.scopes = record.scopes
    this.expiresAt = expiryOf(record)
    this.#value = record.accessToken
  }

  /** The token, for the `X-Shopify-Access-Token` header. Do not keep it: ask for it again at the next call. */
  get value(): string {
    return this.#value
  }

  toJSON(): { shop: Shop; scopes: readonly string[]; expiresAt: number | null; value: string } {
    const expiresAt = Number.isFinite(this.expiresAt) ? this.expiresAt : null
    return { shop: this.shop, scopes: this.scopes, expiresAt, value: '[redacted]' }
  }

  toString(): string {
    return '[redacted]'
  }

  [inspect.custom](): unknown {
    return { shop: this.shop, scopes: this.scopes, expiresAt: this.expiresAt, value: '[redacted]' }
  }
}
