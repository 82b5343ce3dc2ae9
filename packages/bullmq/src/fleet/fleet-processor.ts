import type { TokenManager } from '@shopify-tokens/core'
import { UnrecoverableError } from 'bullmq'
import { JobRun } from '../job-run.js'
import { parseShopJobOptions, type ShopJobOptions } from '../shop-job-options.js'
import type { ShopJob } from '../shop-job.js'
import { FLEET_WORK, type FleetQueue, type FleetWork, PLAN } from './fleet-queue.js'
import { planFleet } from './plan-fleet.js'

/** What {@link fleetProcessor} does with a manager. */
export type FleetTokens = Pick<TokenManager, 'forShop' | 'migrate' | 'renewIfDue' | 'shops'>

/** {@link ShopJobOptions}, without what these jobs settle themselves. */
export type FleetProcessorOptions<Job extends ShopJob = ShopJob> = Omit<ShopJobOptions<Job>, 'shopOf'>

/** What came of one job: a shop's, or a plan's. */
export type FleetResult = 'renewed' | 'not-due' | 'migrated' | { readonly planned: number }

/**
 * The processor of a queue through which any number of processes renew, keep alive and migrate the shops of one app:
 * `new Worker(name, fleetProcessor(queue, tokens), { limiter: fleetLimiter(), … })`. It looks at a shop's row before it
 * renews anything, so a job that runs twice does nothing the second time. What becomes of a job that fails: {@link runShopJob}.
 *
 * @param queue the queue that the worker works off, to which plans add their jobs
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function fleetProcessor<Job extends ShopJob>(
  queue: Pick<FleetQueue, 'addBulk'>,
  tokens: FleetTokens,
  options: FleetProcessorOptions<Job> = {},
): (job: Job, token?: string, signal?: AbortSignal) => Promise<FleetResult> {
  const settings = parseShopJobOptions(options)
  return async (job, token, signal) => {
    if (job.name === PLAN) return planFleet(queue, tokens, workOf(job.data), { signal })
    const work = workOf({ work: job.name })
    return new JobRun(job, token, settings).execute(tokens, async ({ shop }) => {
      if (work !== 'migration') return tokens.renewIfDue(shop, { signal })
      await tokens.migrate(shop, { signal })
      return 'migrated'
    })
  }
}

function workOf(data: unknown): FleetWork {
  const { work } = data as { readonly work?: unknown }
  const known = FLEET_WORK.find((name) => name === work)
  if (known === undefined)
    throw new UnrecoverableError('The job is none of a fleet: is the queue used for other work too?')
  return known
}
