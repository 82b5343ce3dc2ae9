import type { Durations } from '@shopify-tokens/core'

export const BACKENDS = ['sqlite', 'postgres', 'mariadb', 'postgres+redis'] as const
export type BackendName = (typeof BACKENDS)[number]

/** Where a worker is killed, in the order of one run. */
export const KILL_POINTS = ['before-attempt', 'after-attempt', 'after-answer', 'before-put', 'after-put'] as const
export type KillPoint = (typeof KILL_POINTS)[number]

/** How long things take. */
export interface Timing {
  /** Life of an access token; what Shopify calls an hour. Everything of Shopify's is shortened by the same factor. */
  readonly lifetimeMs: number
  /** The product's, from which its other durations follow. */
  readonly leaseMs: number
  /** The longest that a request is held back on its way. */
  readonly latestMs: number
  /** How long the store refuses writes, or everything: longer than a call of it may take. */
  readonly outageMs: number
}

/** How much of everything one backend gets. */
export interface Plan extends Timing {
  /** When a run that has not come to its end is given up. */
  readonly longestMs: number
  readonly backend: BackendName
  readonly seed: number
  readonly workers: number
  /** Least number of rotations in all, and under each pair of switches. */
  readonly rotations: number
  readonly rotationsPerPair: number
  /** SIGKILLs at each {@link KILL_POINTS}. */
  readonly killsPerPoint: number
  /** How often a worker is stopped in the middle of a run until its lease is over. */
  readonly pauses: number
  /** How often the store and Redis are restarted, frozen and made read-only, in all. */
  readonly outages: number
  readonly shopsPerPair: number
  /** Admin API calls of one worker per second. */
  readonly requestsPerSecond: number
}

/** The run whose results are kept. `rotations`: per backend. */
export function fullPlan(backend: BackendName, seed: number, rotations: number): Plan {
  const share = rotations / 10_000
  return {
    ...{ backend, seed, workers: 4, rotations },
    rotationsPerPair: Math.ceil(1_050 * share),
    killsPerPoint: Math.max(1, Math.ceil(62 * share)),
    pauses: Math.max(3, Math.ceil(60 * share)),
    outages: Math.max(4, Math.round(16 * share)),
    longestMs: 1_200_000,
    ...{ shopsPerPair: 40, requestsPerSecond: 30 },
    ...{ lifetimeMs: 20_000, leaseMs: 4_000, latestMs: 4_000, outageMs: 2_500 },
  }
}

/** The run that is part of `npm test`. */
export function shortPlan(backend: BackendName, seed: number): Plan {
  return {
    ...{ backend, seed, workers: 4, rotations: 150, rotationsPerPair: 8, killsPerPoint: 1 },
    ...{ pauses: 3, outages: 2, longestMs: 150_000 },
    ...{ shopsPerPair: 8, requestsPerSecond: 15 },
    ...{ lifetimeMs: 6_000, leaseMs: 4_000, latestMs: 1_500, outageMs: 1_000 },
  }
}

const HOUR_MS = 3_600_000

/** By what Shopify's times are divided. */
export function factorOf({ lifetimeMs }: Pick<Timing, 'lifetimeMs'>): number {
  return HOUR_MS / lifetimeMs
}

/**
 * The product's durations for a shortened run. What follows from Shopify's times is shortened with them. What has to
 * last as long as real requests, statements and a `Date` header in whole seconds do is shortened less, and keeps its
 * proportion to the lease.
 */
export function durationsOf(timing: Timing): Durations {
  const { lifetimeMs, leaseMs, latestMs } = timing
  const scaled = (ms: number): number => Math.ceil(ms / factorOf(timing))
  return {
    ...{ refreshAheadMs: lifetimeMs / 4, minRemainingMs: Math.min(2_000, lifetimeMs / 8) },
    ...{ requestTimeoutMs: leaseMs / 4, retryBudgetMs: (leaseMs * 5) / 8, leaseMs, storeTimeoutMs: (leaseMs * 3) / 8 },
    ...{ revalidateMs: 1_000, nonExpiringCacheMs: 1_000, coolDownMs: 250, outageCoolDownMs: 1_000 },
    ...{ maxCoolDownMs: scaled(HOUR_MS), escalateAfterMs: scaled(HOUR_MS), fleetWindowMs: scaled(600_000) },
    ...{ breakerWindowMs: 2_000, breakerPauseMs: 300 },
    lateRequestMs: latestMs + leaseMs / 2,
    ...{ markedRetryMs: scaled(24 * HOUR_MS), doubtMs: scaled(24 * HOUR_MS) },
    ...{ keepAliveMs: scaled(20 * 24 * HOUR_MS), atRiskMs: scaled(14 * 24 * HOUR_MS) },
    waitMs: (leaseMs * 3) / 4,
  }
}

/** How far the clocks of workers are off, in turn. */
export const SKEWS_MS = [-600_000, 0, 600_000, 0] as const
/** By what a worker and Shopify may differ once it has learned the time from a `Date` header in whole seconds. */
export const CLOCK_SLACK_MS = 2_500
