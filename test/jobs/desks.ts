import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { jobCheckpoint } from '@shopify-tokens/bullmq'
import type { JobProgress, Shop } from '@shopify-tokens/core'
import { Queue } from 'bullmq'
import { redisWithPrefix } from '../servers.js'
import { fileCheckpoint } from './file-checkpoint.mjs'

/** Where a job is ordered, and where its progress is kept. */
export interface Desk {
  /** What a process is told, to do the job. */
  readonly setup: object
  progress(): Promise<JobProgress<string> | null | undefined>
  close(): Promise<void>
}

/** For a program that does its one job as soon as it is started. */
export async function fileDesk(): Promise<Desk> {
  const folder = await mkdtemp(join(tmpdir(), 'shopify-tokens-jobs-'))
  const checkpointFile = join(folder, 'progress.json')
  return {
    setup: { checkpointFile },
    progress: () => fileCheckpoint(checkpointFile).load(),
    close: () => rm(folder, { recursive: true }),
  }
}

/** A job whose worker has died is given to another one after this time, and not to one that the machine has kept waiting. */
const STALLED = { lockDuration: 5_000, stalledInterval: 1_000 }

/** For workers of BullMQ. */
export async function queueDesk(shop: Shop): Promise<Desk> {
  const { prefix, url } = redisWithPrefix()
  const connection = { url }
  const queue = new Queue('products', { connection, prefix })
  const { id } = await queue.add('sync', { shop })
  return {
    setup: { queue: queue.name, workerOptions: { connection, prefix, ...STALLED } },
    progress: async () => jobCheckpoint<string>((await queue.getJob(id!))!).load(),
    async close() {
      await queue.obliterate({ force: true })
      await queue.close()
    },
  }
}
