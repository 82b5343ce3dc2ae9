/** What the operators' guide wants to see tested, in its own words. */
export const ACCEPTANCE_TITLES = [
  'exchanges a non-expiring token for an expiring one',
  'calls the API with the new token',
  'refreshes on 401 and the call then succeeds',
  'refreshes shortly before expiry so that no 401 happens',
  'stores the rotated refresh token after each refresh',
  'concurrent requests cause one refresh',
  'a background job refreshes mid-job and completes',
  'network timeouts during refresh: exponential backoff, then success or a controlled failure',
  'invalid refresh token: the shop is marked for reauthorization and support is notified',
  'database write failure while storing: retried, no half-updated state',
] as const

export type AcceptanceTitle = (typeof ACCEPTANCE_TITLES)[number]

/** The titles whose whole promise is not kept yet. The run prints them. */
export const NOT_YET_SERVED: readonly AcceptanceTitle[] = ['exchanges a non-expiring token for an expiring one']
