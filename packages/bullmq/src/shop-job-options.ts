import {
  type AnyShopifyTokenError,
  type ErrorCode,
  invalidOption,
  refuseUnknownOptions,
  type Shop,
  wholeNumberOption,
} from '@shopify-tokens/core'
import { type ShopJob, shopInData } from './shop-job.js'

/** How jobs are run in their shop's context. Unknown keys are refused. */
export interface ShopJobOptions<Job extends ShopJob = ShopJob> {
  /** The domain of the job's shop. Default: `job.data.shop`. */
  readonly shopOf?: ((job: Job) => unknown) | undefined
  /**
   * How often a job may be put off, or lost with its worker, before what puts it off counts as an attempt. Pauses grow from one
   * second to five minutes, or are as long as the shop's cool-down: by default a job outlives an outage of eight hours.
   * 0 to 10 000, default 100.
   */
  readonly maxDelays?: number | undefined
  /**
   * Called, and waited for, before a job is discarded because no repetition mends it: above all, because its shop needs its
   * merchant. Called at least once: when it rejects, or the worker dies, the job comes again.
   */
  readonly onDiscarded?: ((discarded: DiscardedJob<Job>) => unknown) | undefined
  /** Hears what came of every run, for logs: with the job's id and its shop, and without any secret. */
  readonly onOutcome?: ((outcome: JobOutcome) => unknown) | undefined
}

/** A job that no repetition mends. */
export interface DiscardedJob<Job extends ShopJob = ShopJob> {
  readonly job: Job
  /** `null`: the job named no shop, which is why it is discarded. */
  readonly shop: Shop | null
  readonly error: AnyShopifyTokenError
}

/** What came of one run of a job. Holds no secret. */
export interface JobOutcome {
  /**
   * - `done`
   * - `delayed`: it comes again after `delayMs`, and has lost no attempt.
   * - `failed`: BullMQ's attempts and backoff decide.
   * - `discarded`: no repetition mends it.
   */
  readonly outcome: 'done' | 'delayed' | 'failed' | 'discarded'
  readonly queue: string
  readonly jobId: string | undefined
  readonly jobName: string
  readonly shop: Shop | null
  /** The code of our error; `null`: there was none, or it was the application's own. */
  readonly code: ErrorCode | null
  /** Shopify's `x-request-id`. */
  readonly requestId: string | undefined
  readonly delayMs: number | null
}

/** {@link ShopJobOptions} after they have been checked. */
export interface ShopJobSettings<Job extends ShopJob> {
  readonly shopOf: (job: Job) => unknown
  readonly maxDelays: number
  readonly onDiscarded: ((discarded: DiscardedJob<Job>) => unknown) | null
  readonly onOutcome: ((outcome: JobOutcome) => unknown) | null
}

const NAMES = ['shopOf', 'maxDelays', 'onDiscarded', 'onOutcome'] satisfies (keyof ShopJobOptions)[]

/** @throws InvalidOptionError `ERR_INVALID_OPTION` */
export function parseShopJobOptions<Job extends ShopJob>(options: ShopJobOptions<Job>): ShopJobSettings<Job> {
  refuseUnknownOptions(options, NAMES)
  const { shopOf = shopInData, maxDelays = 100, onDiscarded = null, onOutcome = null } = options
  if (typeof shopOf !== 'function') throw invalidOption('shopOf', 'a function', shopOf)
  for (const [name, hook] of Object.entries({ onDiscarded, onOutcome })) {
    if (hook !== null && typeof hook !== 'function') throw invalidOption(name, 'a function', hook)
  }
  return { shopOf, maxDelays: wholeNumberOption('maxDelays', maxDelays, 0, 10_000), onDiscarded, onOutcome }
}
