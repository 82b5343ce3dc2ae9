import type { PutRecord } from './history.js'

/** One write of a row, as a trigger in the database itself noted it: which version stood there before. */
export interface AuditedWrite {
  readonly shop: string
  /** `null`: there was no row. */
  readonly before: string | null
  readonly after: string
}

/**
 * Compares what workers were told with what the database did. Returns a sentence for every acknowledged put that
 * replaced another record than the one its writer had read, or is not in the database.
 */
export function wrongWrites(puts: Iterable<PutRecord>, audit: readonly AuditedWrite[]): readonly string[] {
  const before = new Map(audit.map((write) => [`${write.shop} ${write.after}`, write.before ?? 'absent']))
  const wrong: string[] = []
  for (const { shop, step, expected, verdict } of puts) {
    if (verdict?.outcome !== 'written') continue
    const replaced = before.get(`${shop} ${verdict.version}`)
    if (replaced === undefined) wrong.push(`${shop}: an acknowledged put (${step}) never reached the database`)
    else if (replaced !== expected)
      wrong.push(`${shop}: a put (${step}) replaced a record that its writer had not read`)
  }
  return [...wrong, ...forks(audit)]
}

/** Every write must replace what the one before it had left. */
function forks(audit: readonly AuditedWrite[]): readonly string[] {
  const present = new Map<string, string>()
  const wrong: string[] = []
  for (const { shop, before, after } of audit) {
    if ((present.get(shop) ?? null) !== before) wrong.push(`${shop}: an acknowledged write is gone from the database`)
    present.set(shop, after)
  }
  return wrong
}
