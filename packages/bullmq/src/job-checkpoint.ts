import {
  type Checkpoint,
  invalidOption,
  type JobProgress,
  refuseUnknownOptions,
  wholeNumberOption,
} from '@shopify-tokens/core'

/** What is used of a `Job` of BullMQ 5 or 6. */
export interface CheckpointedJob {
  readonly id?: string | undefined
  readonly data: unknown
  readonly token?: string | undefined
  updateData(data: unknown): Promise<void>
  extendLock(token: string, duration: number): Promise<number>
}

/** @see jobCheckpoint */
export interface JobCheckpointOptions {
  /** The name in the job's data under which the progress is kept. Default `checkpoint`. */
  readonly key?: string | undefined
  /** The worker's `lockDuration`, in milliseconds. 1 to 86 400 000, default: what the job's worker has. */
  readonly lockDurationMs?: number | undefined
}

/**
 * Keeps the checkpoint of `resumable()` in the job itself, beside its other data. When the worker is killed and BullMQ gives
 * the job to another one, the work goes on there behind the last chunk that was saved.
 *
 * ```ts
 * for await (const page of resumable({ checkpoint: jobCheckpoint(job), next: pagesOf(shop, QUERY, { connection }) })) …
 * ```
 *
 * A worker that was stalled for longer than its lock, and whose job another one has meanwhile, saves nothing: `save` rejects,
 * and its work ends there. The job's data is one value in Redis. What is changed through this `Job` object is kept; of changes that
 * anybody else makes to the data of a job while it runs, the last to write wins.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function jobCheckpoint<Position>(
  job: CheckpointedJob,
  options: JobCheckpointOptions = {},
): Checkpoint<Position> {
  refuseUnknownOptions(options, ['key', 'lockDurationMs'])
  const { key = 'checkpoint', lockDurationMs = lockDurationOf(job) } = options
  if (typeof key !== 'string' || key === '') throw invalidOption('key', 'a string that is not empty', key)
  wholeNumberOption('lockDurationMs', lockDurationMs, 1, 86_400_000)
  return {
    load: () => Promise.resolve(dataOf(job)[key] as JobProgress<Position> | undefined),
    save: async (progress) => {
      await keepJob(job, lockDurationMs)
      await job.updateData({ ...dataOf(job), [key]: progress })
    },
  }
}

function dataOf({ data }: CheckpointedJob): Readonly<Record<string, unknown>> {
  return typeof data === 'object' && data !== null ? { ...data } : {}
}

/** BullMQ's default, for a job that knows no worker. */
const LOCK_DURATION_MS = 30_000

/**
 * A job that a worker has fetched knows the worker's options. To hold its lock for less than they say would end it before the
 * worker extends it again, and two workers would have the job.
 */
function lockDurationOf(job: CheckpointedJob): number {
  const { queue } = job as { readonly queue?: { readonly opts?: { readonly lockDuration?: unknown } } }
  const lockDurationMs = queue?.opts?.lockDuration
  return typeof lockDurationMs === 'number' ? lockDurationMs : LOCK_DURATION_MS
}

/** `updateData` asks for no lock: without this, a worker that wakes up late would put the job back to where it was then. */
async function keepJob(job: CheckpointedJob, lockDurationMs: number): Promise<void> {
  if (job.token === undefined || (await job.extendLock(job.token, lockDurationMs)) === 1) return
  throw new Error(
    `Job ${String(job.id)} is no longer this worker's: its lock has ended, and the job is given to another one.`,
  )
}
