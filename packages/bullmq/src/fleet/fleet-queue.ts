import type { Shop } from '@shopify-tokens/core'

/**
 * Why a shop is visited.
 * - `asked`: a process that renews nothing itself (`renewal: 'never'`) waits for it.
 * - `due`: its refresh token is to be kept alive.
 * - `migration`: its token never ends, and is to be exchanged for one that does.
 */
export type FleetWork = (typeof FLEET_WORK)[number]

export const FLEET_WORK = ['asked', 'due', 'migration'] as const

/** The name of the job that plans others. Those are named after their work. */
export const PLAN = 'plan'

/** What the jobs of a fleet's queue hold: no secret. */
export type FleetJobData = { readonly work: FleetWork } | { readonly shop: Shop }

/** What is used of a `Queue` of BullMQ 5 or 6. */
export interface FleetQueue {
  addBulk(jobs: FleetJob[]): Promise<unknown>
  upsertJobScheduler(
    id: string,
    repeat: { every: number },
    template: Omit<FleetJob, 'opts'> & { opts: Finished },
  ): Promise<unknown>
  removeJobScheduler(id: string): Promise<boolean>
}

export interface FleetJob {
  name: string
  data: FleetJobData
  opts: FleetJobOptions
}

/** What becomes of jobs that are done. */
interface Finished {
  removeOnComplete: boolean
  removeOnFail: { count: number }
}

interface FleetJobOptions extends Finished {
  attempts: number
  backoff: { type: 'exponential'; delay: number }
  deduplication: { id: string }
  priority: number
}

/** Those that failed are left to be looked at; neither they nor their number keep a shop from its next visit. */
export const FINISHED: Finished = { removeOnComplete: true, removeOnFail: { count: 1_000 } }

/** Jobs without a priority go first: a plan never waits behind the shops that were planned before. */
const PRIORITIES: Record<FleetWork, number> = { asked: 1, due: 2, migration: 3 }

/** The job of one shop. While it waits, runs or is put off, another one for the same shop and work is not added. */
export function jobOf(shop: Shop, work: FleetWork): FleetJob {
  const opts = {
    ...FINISHED,
    attempts: 3,
    backoff: { type: 'exponential', delay: 5_000 },
    deduplication: { id: `${work}:${shop}` },
    priority: PRIORITIES[work],
  } as const
  return { name: work, data: { shop }, opts }
}
