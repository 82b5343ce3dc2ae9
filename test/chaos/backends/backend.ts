import type { AuditedWrite } from '../write-audit.js'

/** Something that happens to the store or to Redis, for everybody at once. Resolves when it is over. */
export interface Outage {
  readonly name: string
  strike(): Promise<void>
}

/** The servers under one run, started for it, with a trigger that notes every write of a token row. */
export interface Backend {
  /** What a worker's environment says of the database. */
  readonly databaseUrl: string
  /** `null`: no lock stands in front of the store. */
  readonly redisUrl: string | null
  readonly versions: Readonly<Record<string, string>>
  readonly outages: readonly Outage[]
  /** Every write so far, oldest first. */
  audit(): Promise<readonly AuditedWrite[]>
  close(): Promise<void>
}
