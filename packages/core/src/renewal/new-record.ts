import type { Durations } from '../durations.js'
import type { MintedTokens } from '../oauth/token-response.js'
import type { CoolDown, ExpiringRecord, Grant, MintedRecord } from '../token.js'
import { isAcquisition } from './merge.js'
import { keepingEarlyLook, renewAtOf } from './schedule.js'

/** The circumstances under which tokens were minted. Instants are Shopify's time. */
export interface Minting {
  readonly grant: Grant
  /** The credential that brought them. */
  readonly presented: string
  readonly sentAt: number
  readonly confirmedAt: number | null
  readonly requests: number
  readonly secretId: string
  /** Scopes on record so far, for an answer that names none. */
  readonly previousScopes: readonly string[]
  /** The pair on record so far. */
  readonly previous: Pick<ExpiringRecord, 'obtainedAt' | 'renewAt'> | null
  readonly forRejected: boolean
  /** Whether an earlier run had presented the credential: then the answer may be a replay, and its lifetime may lie. */
  readonly replayPossible: boolean
  readonly coolDown: CoolDown | null
}

export interface NewRecord {
  readonly record: MintedRecord
  /**
   * The pair is stored as due and must be renewed once more: its lifetime is unknown, too short, or perhaps a replay's. A
   * client-credentials token: its lifetime is too short.
   */
  readonly doubtful: boolean
}

/** Lifetimes for answers that name none. @see Shopify: "Offline access tokens", "Client credentials grant" */
const DOCUMENTED_LIFETIMES_MS = { expiring: 3_600_000, 'client-credentials': 86_399_000 } as const
/** Cautious: a predecessor presented once dies after 30 days whatever else holds. @see Shopify changelog 2026-08-28 */
const UNKNOWN_REFRESH_LIFETIME_MS = 30 * 86_400_000

/** The record that minted tokens become, before it meets the row it goes into. */
export function newRecord(
  tokens: MintedTokens,
  minting: Minting,
  durations: Durations,
  random: () => number,
): NewRecord {
  const { grant, sentAt, presented } = minting
  const common = {
    accessToken: tokens.accessToken,
    scopes: tokens.scopes ?? minting.previousScopes,
    obtainedAt: sentAt,
    confirmedAt: minting.confirmedAt,
    secretId: minting.secretId,
    attempts: [],
    mark: null,
    coolDown: minting.coolDown,
    sweepAt: null,
  }
  if (tokens.kind === 'non-expiring') return { record: { kind: 'non-expiring', ...common }, doubtful: false }

  const lifetimeMs = tokens.lifetimeMs ?? DOCUMENTED_LIFETIMES_MS[tokens.kind]
  const expiresAt = sentAt + Math.max(0, lifetimeMs)
  const mintedForRejected = minting.forRejected
  if (tokens.kind === 'client-credentials') {
    const renewAt = renewAtOf(sentAt, expiresAt, durations, random)
    return {
      record: { kind: 'client-credentials', ...common, expiresAt, renewAt, mintedForRejected },
      doubtful: lifetimeMs < durations.minRemainingMs,
    }
  }
  const doubtful = tokens.lifetimeMs === null || lifetimeMs < durations.minRemainingMs || minting.replayPossible
  const repeatedAcquisition = isAcquisition(grant) && minting.requests > 1
  // A repeated acquisition's first request may still arrive and retire this pair: renew while the merchant is there.
  const renewAt = repeatedAcquisition
    ? sentAt + durations.lateRequestMs
    : renewAtOf(sentAt, expiresAt, durations, random)
  return {
    doubtful,
    record: {
      kind: 'expiring',
      ...common,
      expiresAt,
      renewAt: doubtful ? sentAt : keepingEarlyLook({ obtainedAt: sentAt, renewAt }, minting.previous, durations),
      refreshToken: tokens.refreshToken,
      refreshTokenExpiresAt: sentAt + (tokens.refreshLifetimeMs ?? UNKNOWN_REFRESH_LIFETIME_MS),
      alternates: [],
      predecessor: grant === 'refresh' ? presented : null,
      mintedForRejected,
    },
  }
}
