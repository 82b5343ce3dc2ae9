import type { ShopClient } from '@shopify-tokens/core'
import { JobRun, type ShopClients } from './job-run.js'
import { parseShopJobOptions, type ShopJobOptions } from './shop-job-options.js'
import type { ShopJob } from './shop-job.js'

/**
 * Runs the work of one job with its shop at hand: nested code finds the shop by `currentShop()`, and the job by
 * `currentJob()`. For `WorkerHost.process(job, token)` of Nest, and for processors that do more than one shop's work;
 * otherwise {@link shopProcessor} says the same in less.
 *
 * Resolves with what `work` gives. When it rejects, with one of our errors:
 * - that passes by itself and says when (`ERR_COOLING_DOWN`, Shopify away): the job is moved to `delayed` until then, and
 *   has lost no attempt. So it is when this process is ending (`ERR_CLOSED`): another worker takes the job.
 * - that passes by itself (`retryable`): BullMQ's own attempts and backoff decide.
 * - that no repetition mends, such as `ERR_REAUTHORIZATION_REQUIRED`, or a job without a shop: `onDiscarded` is called, and
 *   then the job fails for good, whatever its attempts.
 *
 * Errors of the application's own are left as they are. Neither the job's data nor the reason of its failure ever holds a token.
 *
 * @param token the second argument of the processor, with which the worker holds the job's lock
 * @throws InvalidOptionError `ERR_INVALID_OPTION`, as a rejection
 */
export async function runShopJob<Job extends ShopJob, Result>(
  tokens: ShopClients,
  job: Job,
  token: string | undefined,
  work: (shop: ShopClient) => Result,
  options: ShopJobOptions<Job> = {},
): Promise<Awaited<Result>> {
  return new JobRun(job, token, parseShopJobOptions(options)).execute(tokens, work)
}

/**
 * A processor of jobs that each belong to one shop, for `new Worker(name, shopProcessor(tokens, work), …)`.
 *
 * ```ts
 * new Worker('sync', shopProcessor(tokens, async (job: Job<Sync>, shop) => { await shop.graphql('…') }), { connection })
 * ```
 *
 * `work` gets the job, its shop's client, and the signal with which `worker.cancelJob()` ends it; `undefined` from a BullMQ that
 * has none yet. What becomes of a job that fails: {@link runShopJob}.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function shopProcessor<Job extends ShopJob, Result>(
  tokens: ShopClients,
  work: (job: Job, shop: ShopClient, signal: AbortSignal | undefined) => Result,
  options: ShopJobOptions<Job> = {},
): (job: Job, token?: string, signal?: AbortSignal) => Promise<Awaited<Result>> {
  const settings = parseShopJobOptions(options)
  // BullMQ makes a signal for processors that name three parameters.
  return (job, token, signal) => new JobRun(job, token, settings).execute(tokens, (shop) => work(job, shop, signal))
}
