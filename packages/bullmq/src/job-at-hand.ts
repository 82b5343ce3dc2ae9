import { AsyncLocalStorage } from 'node:async_hooks'
import type { Shop } from '@shopify-tokens/core'

/** What a line in a log needs of the job that it was written for. */
export interface JobAtHand {
  readonly queue: string
  readonly jobId: string | undefined
  readonly jobName: string
  readonly shop: Shop
}

const atHand = new AsyncLocalStorage<JobAtHand>()

/** Runs `work` with `job` as the job at hand, for everything that it calls or awaits. */
export function runInJob<Result>(job: JobAtHand, work: () => Result): Result {
  return atHand.run(job, work)
}

/** The job in whose work this is called, for a logger that adds job and shop to every line; `undefined` outside jobs. */
export function currentJob(): JobAtHand | undefined {
  return atHand.getStore()
}
