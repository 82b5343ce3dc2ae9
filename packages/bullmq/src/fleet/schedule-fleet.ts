import { refuseUnknownOptions, wholeNumberOption } from '@shopify-tokens/core'
import { FINISHED, FLEET_WORK, type FleetQueue, type FleetWork, PLAN } from './fleet-queue.js'

/** How often shops are looked for. Unknown keys are refused. */
export interface FleetSchedule {
  /** Shops for which a process with `renewal: 'never'` waits. 1 000 to 600 000 milliseconds, default 2 000. */
  readonly askedEveryMs?: number | undefined
  /** Shops whose refresh token is to be kept alive. 1 000 to 86 400 000 milliseconds, default 600 000 (ten minutes). */
  readonly dueEveryMs?: number | undefined
  /**
   * Shops whose token never ends, to exchange it: this cannot be undone. 1 000 to 86 400 000 milliseconds. Default: they
   * are not looked for, and no longer if they were.
   *
   * @see Shopify: "Migrate to expiring offline access tokens"
   */
  readonly migrationEveryMs?: number | undefined
}

/**
 * Has the queue look for the shops on which there is work to do, again and again, by job schedulers of BullMQ: each plan is
 * one job, which one of the workers runs. To be called by every process that starts; the last call's options hold for all.
 *
 * Rejects with `ERR_INVALID_OPTION`, with nothing changed, and with what Redis rejects with.
 */
export async function scheduleFleet(queue: FleetQueue, schedule: FleetSchedule = {}): Promise<void> {
  for (const [work, every] of Object.entries(parseSchedule(schedule)) as [FleetWork, number | null][]) {
    const id = `shopify-tokens-${work}`
    if (every === null) await queue.removeJobScheduler(id)
    else await queue.upsertJobScheduler(id, { every }, { name: PLAN, data: { work }, opts: FINISHED })
  }
}

/** Takes from the queue what {@link scheduleFleet} has put there. Jobs that were planned are still done. */
export async function unscheduleFleet(queue: Pick<FleetQueue, 'removeJobScheduler'>): Promise<void> {
  for (const work of FLEET_WORK) await queue.removeJobScheduler(`shopify-tokens-${work}`)
}

function parseSchedule(schedule: FleetSchedule): Record<FleetWork, number | null> {
  refuseUnknownOptions(schedule, ['askedEveryMs', 'dueEveryMs', 'migrationEveryMs'])
  const { askedEveryMs = 2_000, dueEveryMs = 600_000, migrationEveryMs } = schedule
  return {
    asked: wholeNumberOption('askedEveryMs', askedEveryMs, 1_000, 600_000),
    due: wholeNumberOption('dueEveryMs', dueEveryMs, 1_000, 86_400_000),
    migration:
      migrationEveryMs === undefined
        ? null
        : wholeNumberOption('migrationEveryMs', migrationEveryMs, 1_000, 86_400_000),
  }
}
