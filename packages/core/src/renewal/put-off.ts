import type { Snapshot } from '../ports/token-store.js'
import type { Attempt, TokenRecord } from '../token.js'
import { tellsOfMigration } from './begun-migration.js'
import { othersUnderWay } from './decide.js'
import type { Row } from './row.js'
import type { RunContext } from './run-context.js'
import { isSweepDue } from './schedule.js'

/**
 * Writes a row that the sweep has found, and that needs nothing, once more as it stands: that plans its next visit, and
 * nobody has asked for it any more.
 */
export async function putOff({ durations, time }: RunContext, row: Row, snapshot: Snapshot): Promise<void> {
  const { askedAt, now, record, version } = snapshot
  if (record === null || version === 'absent') return
  if (askedAt === null && !isSweepDue(record, time.now())) return
  // Theirs is the next write.
  if (othersUnderWay(snapshot, row.own, durations).length > 0) return
  await row.rewrite(record, version, (present) => ({
    ...present,
    attempts: present.attempts.filter((attempt) => tellsAnything(attempt, present, now - durations.lateRequestMs)),
  }))
}

/**
 * Where there is nothing to refresh, an acquisition that was not heard of leaves no doubt behind it once no request of it
 * can be on its way any more. A migration of its token does.
 */
function tellsAnything(attempt: Attempt, record: TokenRecord, settledBefore: number): boolean {
  return record.kind === 'expiring' || attempt.at >= settledBefore || tellsOfMigration(attempt, record)
}
