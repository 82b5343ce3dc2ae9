/** The app as the fake Shopify knows it. Worth nothing anywhere else. */
export const DEMO_APP = {
  clientId: 'demo-client-id',
  clientSecret: 'demo-client-secret-of-the-fake-shopify',
  apiVersion: '2026-10',
}

/** A hundred and eighty times as fast as Shopify. */
export const SPEED = 180
/** What 60 minutes come to. */
export const ACCESS_TOKEN_MS = 3_600_000 / SPEED

/** How long the fake takes to answer a token request, as the real one does. */
export const TOKEN_ENDPOINT_MS = 150

/**
 * The token managers' durations, shortened together. What waits for this machine rather than for the clock (a request, a
 * statement) keeps room for a slow one.
 *
 * @type {import('@shopify-tokens/core').Durations}
 */
export const DURATIONS = {
  refreshAheadMs: 5_000,
  minRemainingMs: 500,
  requestTimeoutMs: 1_500,
  retryBudgetMs: 1_600,
  leaseMs: 3_200,
  storeTimeoutMs: 2_000,
  revalidateMs: 2_000,
  nonExpiringCacheMs: 500,
  coolDownMs: 400,
  outageCoolDownMs: 1_000,
  maxCoolDownMs: 5_000,
  escalateAfterMs: 20_000,
  breakerWindowMs: 2_000,
  breakerPauseMs: 500,
  fleetWindowMs: 3_000,
  lateRequestMs: 6_000,
  markedRetryMs: 480_000,
  keepAliveMs: 9_600_000,
  doubtMs: 480_000,
  atRiskMs: 6_720_000,
  waitMs: 2_000,
}
