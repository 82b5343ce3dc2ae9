import { fingerprint } from '../secret.js'
import type { Attempt, NonExpiringRecord, TokenRecord } from '../token.js'

/**
 * Whether an attempt says that the record's token was about to be migrated. Then it may have ended with that, and the same
 * exchange brings the pair that took its place (R9 in docs/shopify-protocol.md).
 */
export function isMigrationBegun(record: NonExpiringRecord): boolean {
  return record.attempts.some((attempt) => tellsOfMigration(attempt, record))
}

/** Whether the attempt is to migrate the very token on record. Another token's migration is over. */
export function tellsOfMigration({ credential, grant }: Attempt, record: TokenRecord): boolean {
  return record.kind === 'non-expiring' && grant === 'migration' && credential === fingerprint(record.accessToken)
}
