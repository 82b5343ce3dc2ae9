/** All durations, in milliseconds; whole numbers. Shortened runs scale them together. */
export interface Durations {
  /** How long before its end a token is renewed; at most a quarter of its lifetime. 1 to 86 400 000, default 300 000; more than `minRemainingMs`. */
  readonly refreshAheadMs: number
  /** Life a token must have left to be handed out; at most an eighth of its lifetime. 0 to 600 000, default 15 000. */
  readonly minRemainingMs: number
  /** One request to the token endpoint. 1 to 60 000, default 5 000; less than `retryBudgetMs`. */
  readonly requestTimeoutMs: number
  /** All tries of one grant together. 1 to 300 000, default 10 000; less than `leaseMs`. */
  readonly retryBudgetMs: number
  /** How long other processes leave a shop to the run that announced itself in the row. 1 to 600 000, default 15 000. */
  readonly leaseMs: number
  /** One call of the store. 1 to 60 000, default 2 000. */
  readonly storeTimeoutMs: number
  /** Age at which a cached token is served once more and read again behind the request. 0 to 3 600 000, default 30 000. */
  readonly revalidateMs: number
  /** The same for non-expiring tokens, which a migration ends at once; past it they are read before they are served. 0 to 60 000, default 5 000. */
  readonly nonExpiringCacheMs: number
  /** First cool-down after a failed run; it doubles with each failure. 1 to 60 000, default 2 000. */
  readonly coolDownMs: number
  /** Longest cool-down while Shopify cannot be reached. 1 to 3 600 000, default 60 000. */
  readonly outageCoolDownMs: number
  /** Longest cool-down of all, and the cap of `Retry-After`. 1 to 86 400 000, default 3 600 000. */
  readonly maxCoolDownMs: number
  /** How long after its token's end a shop whose renewals fail is called stuck. 1 to 86 400 000, default 3 600 000. */
  readonly escalateAfterMs: number
  /** The breaker opens when ten shops failed and none succeeded within this time. 1 to 600 000, default 30 000. */
  readonly breakerWindowMs: number
  /** How often the open breaker lets a run try whether Shopify is back. 1 to 600 000, default 5 000. */
  readonly breakerPauseMs: number
  /** Marking stops when more than five shops and a fifth of those tried within this time are dead. 1 to 86 400 000, default 600 000. */
  readonly fleetWindowMs: number
  /** Age past which a request to Shopify is taken to have ended, however late it arrived. 1 to 3 600 000, default 75 000. */
  readonly lateRequestMs: number
  /** How often a marked shop's refresh tokens are tried again. 1 to 2 592 000 000 (30 days), default 86 400 000. */
  readonly markedRetryMs: number
  /**
   * Age of a refresh token at which the sweep renews an idle shop; well below 30 days, because predecessors die then.
   * 1 to 2 505 600 000 (29 days), default 1 728 000 000 (20 days).
   */
  readonly keepAliveMs: number
  /**
   * How soon the sweep renews a row that leaves in doubt which refresh token lives: one with alternates, or with the
   * attempt of a run that never reported back. 1 to 2 505 600 000 (29 days), default 86 400 000 (a day).
   */
  readonly doubtMs: number
  /** Life left of a refresh token below which its shop is called at risk. 1 to 7 776 000 000 (90 days), default 1 209 600 000 (14 days). */
  readonly atRiskMs: number
  /** With `renewal: 'never'`: how long a request waits for another process to renew an expired token; less than `leaseMs`. 1 to 600 000, default 10 000. */
  readonly waitMs: number
}

/** The defaults fit together: a request ends within the retry budget, and the budget within the lease. */
export const DEFAULT_DURATIONS: Durations = {
  refreshAheadMs: 300_000,
  minRemainingMs: 15_000,
  requestTimeoutMs: 5_000,
  retryBudgetMs: 10_000,
  leaseMs: 15_000,
  storeTimeoutMs: 2_000,
  revalidateMs: 30_000,
  nonExpiringCacheMs: 5_000,
  coolDownMs: 2_000,
  outageCoolDownMs: 60_000,
  maxCoolDownMs: 3_600_000,
  escalateAfterMs: 3_600_000,
  breakerWindowMs: 30_000,
  breakerPauseMs: 5_000,
  fleetWindowMs: 600_000,
  lateRequestMs: 75_000,
  markedRetryMs: 86_400_000,
  keepAliveMs: 20 * 86_400_000,
  doubtMs: 86_400_000,
  atRiskMs: 14 * 86_400_000,
  waitMs: 10_000,
}

/** Legal ranges, both ends included. */
export const DURATION_RANGES: Readonly<Record<keyof Durations, readonly [min: number, max: number]>> = {
  refreshAheadMs: [1, 86_400_000],
  minRemainingMs: [0, 600_000],
  requestTimeoutMs: [1, 60_000],
  retryBudgetMs: [1, 300_000],
  leaseMs: [1, 600_000],
  storeTimeoutMs: [1, 60_000],
  revalidateMs: [0, 3_600_000],
  nonExpiringCacheMs: [0, 60_000],
  coolDownMs: [1, 60_000],
  outageCoolDownMs: [1, 3_600_000],
  maxCoolDownMs: [1, 86_400_000],
  escalateAfterMs: [1, 86_400_000],
  breakerWindowMs: [1, 600_000],
  breakerPauseMs: [1, 600_000],
  fleetWindowMs: [1, 86_400_000],
  lateRequestMs: [1, 3_600_000],
  markedRetryMs: [1, 30 * 86_400_000],
  keepAliveMs: [1, 29 * 86_400_000],
  doubtMs: [1, 29 * 86_400_000],
  atRiskMs: [1, 90 * 86_400_000],
  waitMs: [1, 600_000],
}
