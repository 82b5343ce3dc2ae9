import type { CallbackFlaw, ErrorCode, ReauthorizationReason, SessionTokenFlaw, WebhookFlaw } from './errors.js'
import type { Shop } from './shop.js'
import type { Grant } from './token.js'

/**
 * Why a renewal began.
 * - `ahead`: the token was inside its renewal window; requests were served meanwhile.
 * - `expired`: nothing usable was left; requests waited.
 * - `rejected`: Shopify had refused the token with 401.
 * - `forced`: an operator asked for it.
 * - `keep-alive`: the shop was due for the sweep, or another process had asked for it.
 * - `confirm`: the pair just stored may be a replay of an older answer, so it is renewed once more at once.
 */
export type RenewalTrigger = 'ahead' | 'expired' | 'rejected' | 'forced' | 'keep-alive' | 'confirm'

/** What happened to the tokens of one shop, or to the manager as a whole. Holds no secret, ever. */
export type TokenEvent =
  /** A refresh brought a new pair, and it is stored. */
  | ShopEvent<'token.rotated', RenewedPair & { readonly trigger: RenewalTrigger }>
  /** The merchant's presence brought a new pair, and it is stored. */
  | ShopEvent<'token.acquired', RenewedPair & { readonly grant: Exclude<Grant, 'refresh' | 'migration'> }>
  /** A non-expiring token was exchanged for a pair, and it is stored. The old token is over. */
  | ShopEvent<'shop.migrated', RenewedPair>
  /** Asked for an expiring token, Shopify answered with one that never expires; it is stored and served. */
  | ShopEvent<'token.notExpiring', { readonly grant: Grant }>
  /** Shopify's Admin API refuses even the token just minted because it had refused the one before: not a token problem. */
  | ShopEvent<'token.rejectedFresh', { readonly coolDownMs: number }>
  /** A run ended without a new pair; the old one is kept. */
  | ShopEvent<
      'renewal.failed',
      { readonly code: ErrorCode; readonly coolDownMs: number; readonly requestId: string | undefined }
    >
  /** A shop has been without a token that works for `expiredForMs` and its renewals fail. Raised once, until it works again. */
  | ShopEvent<'renewal.stuck', { readonly expiredForMs: number; readonly code: ErrorCode }>
  /** A stuck shop has a new pair, `expiredForMs` after its last token's end. */
  | ShopEvent<'renewal.recovered', { readonly expiredForMs: number }>
  /** The refresh token on record ends at `endsAt`, soon, and `failures` renewals in a row have failed. */
  | ShopEvent<'shop.atRisk', { readonly endsAt: number; readonly failures: number }>
  /** A credential was presented by a run that never reported back; what it brought is unknown. */
  | ShopEvent<'grant.inDoubt', { readonly grant: Grant; readonly ageMs: number }>
  /** Writing a minted pair failed; it is served from memory and written again. `tries` counts from 1. */
  | ShopEvent<'rotation.unstored', { readonly tries: number }>
  /** Two runs stored at once; the row keeps the refresh tokens of both. */
  | ShopEvent<'rotation.merged', { readonly candidates: number }>
  /** Only the merchant's next visit brings a token. */
  | ShopEvent<'reauthorization.required', { readonly reason: ReauthorizationReason }>
  /** A shop that needed its merchant works again. */
  | ShopEvent<'reauthorization.cleared', object>
  /** The app's `notify` failed, or took too long, for a shop that needs its merchant; it is called again. */
  | ShopEvent<'reauthorization.notifyFailed', object>
  /** A grant brought other scopes than the one before: the merchant, or the app's configuration, has changed them. */
  | ShopEvent<'scopes.changed', { readonly previous: readonly string[]; readonly current: readonly string[] }>
  /** A record with a non-expiring token was loaded; after `daysLeft` days Shopify refuses it for public apps. */
  | ShopEvent<'migration.due', { readonly daysLeft: number }>
  /** The tokens of a shop were replaced by a tombstone. */
  | ShopEvent<'shop.removed', { readonly removedAt: number }>
  /** The row was minted with a client secret this process does not know: its configuration is older than the row. */
  | ShopEvent<'secret.outdated', object>
  /** The token endpoint answered something we do not understand; the tokens are kept. `error` is Shopify's code. */
  | ShopEvent<
      'answer.unknown',
      { readonly status: number; readonly error: string | undefined; readonly requestId: string | undefined }
    >
  /** A stored value cannot be opened or understood: an operator's error, and nothing is written because of it. */
  | ShopEvent<'store.unreadable', object>
  /** A sweep has visited every shop that was due. */
  | FleetEvent<
      'sweep.ended',
      { readonly visited: number; readonly renewed: number; readonly failed: number; readonly durationMs: number }
    >
  /** A sweep by the timer ended early; the next one begins anew. */
  | FleetEvent<'sweep.failed', { readonly code: ErrorCode }>
  /** So many of the shops tried turned out dead that none is marked from here on: the mistake is likelier on our side. */
  | FleetEvent<'fleet.suspect', { readonly dead: number; readonly tried: number }>
  /** The store belongs to another deployment: this process renews nothing. */
  | FleetEvent<'deployment.foreign', object>
  /** The token endpoint failed for so many different shops that calling it pauses. */
  | FleetEvent<'breaker.opened', { readonly shops: number }>
  /** The token endpoint answers again. */
  | FleetEvent<'breaker.closed', { readonly openForMs: number }>
  /** A request came with a session token that proves nothing. Many with `signature` or `audience`: a wrong client secret or id. */
  | FleetEvent<'sessionToken.refused', { readonly flaw: SessionTokenFlaw }>
  /** A callback of the authorization code grant brought no tokens. */
  | FleetEvent<'callback.refused', { readonly flaw: CallbackFlaw }>
  /** A webhook was refused before any handler. Many with `signature`: a wrong client secret. */
  | FleetEvent<'webhook.refused', { readonly flaw: WebhookFlaw }>
  /** This machine's clock is off by more than a minute; instants are corrected by `offsetMs`. */
  | FleetEvent<'clock.skewed', { readonly offsetMs: number }>
  /** The lock in front of the store cannot be reached; the attempt in the row takes its place. */
  | FleetEvent<'lock.unavailable', object>

interface RenewedPair {
  /** From the beginning of the run to the stored pair, in milliseconds. */
  readonly durationMs: number
  /** How many requests the token endpoint was sent. */
  readonly requests: number
  readonly expiresAt: number
  /** Shopify's `x-request-id`. */
  readonly requestId: string | undefined
}

interface Happened<Type extends string> {
  readonly type: Type
  /** Epoch milliseconds, Shopify's time. */
  readonly at: number
}
type ShopEvent<Type extends string, Details> = Happened<Type> & { readonly shop: Shop } & Details
type FleetEvent<Type extends string, Details> = Happened<Type> & Details

/** The name of an event. */
export type TokenEventType = TokenEvent['type']

/**
 * Gets every event. Called at once and never awaited; what it throws, or rejects with if it is asynchronous, is reported
 * as a process warning.
 */
export type TokenEventListener = (event: TokenEvent) => unknown

/** An event before its time is stamped on it. */
export type Happening = TokenEvent extends infer Event ? (Event extends TokenEvent ? Omit<Event, 'at'> : never) : never

/** Hands events to the listeners. */
export class EventBus {
  readonly #listeners = new Set<TokenEventListener>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Adds a listener; the answer takes it away again. */
  subscribe(listener: TokenEventListener): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  emit(happening: Happening): void {
    if (this.#listeners.size === 0) return
    const event = Object.freeze({ ...happening, at: this.#now() }) as TokenEvent
    for (const listener of this.#listeners) {
      try {
        const result = listener(event)
        if (result instanceof Promise) {
          result.catch((error: unknown) => {
            warn(event, error)
          })
        }
      } catch (error) {
        warn(event, error)
      }
    }
  }
}

/** A renewal must not fail because somebody's metrics do. The message may hold anything, so only its kind is told. */
function warn({ type }: TokenEvent, error: unknown): void {
  const kind = error instanceof Error ? error.name : typeof error
  process.emitWarning(`A listener for token events threw (${kind}) on ${type}.`, 'ShopifyTokensWarning')
}
