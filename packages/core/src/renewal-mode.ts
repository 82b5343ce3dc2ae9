/** Whether a process renews, and when. @see TokenManagerOptions.renewal */
export type RenewalMode = 'hybrid' | 'lazy' | 'never'

export const RENEWAL_MODE_RULE = "one of 'hybrid', 'lazy', 'never'"

export function isRenewalMode(value: unknown): value is RenewalMode {
  return value === 'hybrid' || value === 'lazy' || value === 'never'
}
