import {
  type Attempt,
  type ClientCredentialsRecord,
  type CoolDown,
  type EmptyRecord,
  type ExpiringRecord,
  type NonExpiringRecord,
  parseShop,
  type ReauthorizationMark,
  type RecordKey,
  type RemovedRecord,
  type StaticRecord,
} from '@shopify-tokens/core'
import { FAKE_EPOCH } from './fake-clock.js'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS

let serial = 0

/**
 * Builds token records with everything filled in: minted at {@link FAKE_EPOCH}, good for an hour, the refresh token
 * for 90 days, nothing marked and nothing open. Give what the test is about; the instants that depend on `obtainedAt`
 * follow it. Tokens differ from call to call.
 *
 * ```ts
 * const expired = aRecord.expiring({ obtainedAt: clock.now() - 2 * 3_600_000 })
 * ```
 */
export const aRecord = {
  /** An expiring pair. `expiresAt` is an hour after `obtainedAt`, `renewAt` five minutes before that. */
  expiring(given: Partial<Omit<ExpiringRecord, 'kind'>> = {}): ExpiringRecord {
    const tokens = endingTokens(HOUR_MS, given)
    return {
      kind: 'expiring',
      ...tokens,
      refreshToken: aToken('shprt'),
      refreshTokenExpiresAt: tokens.obtainedAt + 90 * DAY_MS,
      alternates: [],
      predecessor: null,
      ...given,
    }
  },

  /** A token of the client credentials grant. `expiresAt` is a day after `obtainedAt`, `renewAt` five minutes before that. */
  clientCredentials(given: Partial<Omit<ClientCredentialsRecord, 'kind'>> = {}): ClientCredentialsRecord {
    return { kind: 'client-credentials', ...endingTokens(DAY_MS, given), ...given }
  },

  /** An offline token of the old kind. */
  nonExpiring(given: Partial<Omit<NonExpiringRecord, 'kind'>> = {}): NonExpiringRecord {
    return { kind: 'non-expiring', ...someTokens(given.obtainedAt), ...given }
  },

  /** A custom app's token. */
  static(given: Partial<Omit<StaticRecord, 'kind'>> = {}): StaticRecord {
    return { kind: 'static', ...someTokens(given.obtainedAt), ...given }
  },

  /** A row without tokens: an acquisition has begun. */
  empty(given: Partial<Omit<EmptyRecord, 'kind'>> = {}): EmptyRecord {
    return { kind: 'empty', ...NOTHING_OPEN, ...given }
  },

  /** A tombstone. */
  removed(given: Partial<Omit<RemovedRecord, 'kind'>> = {}): RemovedRecord {
    return { kind: 'removed', ...NOTHING_OPEN, removedAt: FAKE_EPOCH, ...given }
  },
}

/** An attempt begun at {@link FAKE_EPOCH} to refresh. */
export function anAttempt(given: Partial<Attempt> = {}): Attempt {
  serial += 1
  return {
    id: `attempt-${String(serial)}`,
    grant: 'refresh',
    credential: serial.toString(16).padStart(16, '0'),
    at: FAKE_EPOCH,
    ...given,
  }
}

/** A shop marked at {@link FAKE_EPOCH} because its refresh token was refused; nobody has been told. */
export function aMark(given: Partial<ReauthorizationMark> = {}): ReauthorizationMark {
  return {
    reason: 'refresh-token-rejected',
    at: FAKE_EPOCH,
    triedAt: given.at ?? FAKE_EPOCH,
    notifiedAt: null,
    ...given,
  }
}

/** A cool-down after one failure, until a minute after {@link FAKE_EPOCH}. */
export function aCoolDown(given: Partial<CoolDown> = {}): CoolDown {
  return { until: FAKE_EPOCH + 60_000, failures: 1, scope: 'all', stuck: false, ...given }
}

/** A key of the app `test-app`; each call another shop. `shop` may be given by its name: `aKey({ shop: 'acme' })`. */
export function aKey(given: { readonly clientId?: string; readonly shop?: string } = {}): RecordKey {
  serial += 1
  const { clientId = 'test-app', shop = `shop-${String(serial)}` } = given
  return { clientId, shop: parseShop(shop.includes('.') ? shop : `${shop}.myshopify.com`) }
}

/** A token that Shopify never issued; each call another. Prefixes: `shpat` for access, `shprt` for refresh tokens. */
export function aToken(prefix: 'shpat' | 'shprt' = 'shpat'): string {
  serial += 1
  return `${prefix}_fake${serial.toString(16).padStart(28, '0')}`
}

const NOTHING_OPEN = { attempts: [], mark: null, coolDown: null, sweepAt: null } as const

function someTokens(obtainedAt: number = FAKE_EPOCH): Omit<StaticRecord, 'kind'> {
  return {
    ...NOTHING_OPEN,
    accessToken: aToken('shpat'),
    scopes: ['read_products', 'write_orders'],
    obtainedAt,
    confirmedAt: obtainedAt,
    secretId: '0011223344556677',
  }
}

function endingTokens(
  lifetimeMs: number,
  given: { readonly obtainedAt?: number; readonly expiresAt?: number },
): Omit<ClientCredentialsRecord, 'kind'> {
  const tokens = someTokens(given.obtainedAt)
  const expiresAt = given.expiresAt ?? tokens.obtainedAt + lifetimeMs
  return { ...tokens, expiresAt, renewAt: expiresAt - 300_000, mintedForRejected: false }
}
