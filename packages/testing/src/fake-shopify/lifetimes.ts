/** Every duration of the fake's token rules (docs/shopify-protocol.md), in milliseconds, already divided by `speed`. */
export interface Lifetimes {
  /** Life of an access token from its issue (R1). */
  readonly accessTokenMs: number
  /** Life of a refresh token from its issue (R1). */
  readonly refreshTokenMs: number
  /** Life of a client-credentials token. */
  readonly clientCredentialsMs: number
  /** `grace: 'until-used'`: how long after its own first use a refresh token may be presented again (R3). */
  readonly graceMs: number
  /** `grace: '60-minutes'`: the same, by the rule that was in force before R3. */
  readonly shortGraceMs: number
  /** How long a migration may be repeated with the original token (R9). */
  readonly migrationMemoMs: number
}

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const DOCUMENTED: Lifetimes = {
  accessTokenMs: 60 * MINUTE,
  refreshTokenMs: 90 * DAY,
  clientCredentialsMs: 86_399_000,
  graceMs: 30 * DAY,
  shortGraceMs: 60 * MINUTE,
  migrationMemoMs: 7 * DAY,
}

/**
 * Returns Shopify's documented durations divided by `speed`, so that a run with `speed: 3600` (an access token lives one
 * second) keeps every rule in proportion. A lifetime that is given stands as it is, undivided.
 */
export function lifetimesAt(speed: number, accessTokenMs?: number, refreshTokenMs?: number): Lifetimes {
  return Object.freeze({
    accessTokenMs: accessTokenMs ?? DOCUMENTED.accessTokenMs / speed,
    refreshTokenMs: refreshTokenMs ?? DOCUMENTED.refreshTokenMs / speed,
    clientCredentialsMs: DOCUMENTED.clientCredentialsMs / speed,
    graceMs: DOCUMENTED.graceMs / speed,
    shortGraceMs: DOCUMENTED.shortGraceMs / speed,
    migrationMemoMs: DOCUMENTED.migrationMemoMs / speed,
  })
}

/**
 * Returns `ms` as the seconds of an answer, never below zero: whole seconds, as Shopify sends them, unless the access
 * token's lifetime is itself no whole number of seconds (shortened runs), where rounding down would eat most of it.
 */
export function secondsFor(ms: number, lifetimes: Lifetimes): number {
  const seconds = Math.max(0, ms) / 1000
  return lifetimes.accessTokenMs % 1000 === 0 ? Math.floor(seconds) : Math.round(seconds * 1000) / 1000
}
