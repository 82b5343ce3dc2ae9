import {
  fleetLimiter,
  fleetProcessor,
  jobCheckpoint,
  planFleet,
  runShopJob,
  shopProcessor,
} from '@shopify-tokens/bullmq'
import type { Checkpoint, Shop, TokenManager } from '@shopify-tokens/core'
import { type Job, Queue, Worker } from 'bullmq'
import { type Job as Job5, Queue as Queue5, Worker as Worker5 } from 'bullmq5'
import type { Redis } from 'ioredis'
import { closeAll, managedApp, shop } from '../core/managed-app.js'
import { describeWithServer } from '../servers.js'
import { until } from '../until.js'
import { Bull } from './bull.js'

interface Sync {
  readonly shop: Shop
}

interface Options {
  readonly connection: Redis
  readonly prefix: string
}

interface Written {
  readonly queue: Queue<Sync> | Queue5<Sync>
  readonly planned: Promise<unknown>
  readonly closing: readonly { close(): Promise<void> }[]
}

/** What an application writes, compiled with the types of one major. */
function writtenFor6(tokens: TokenManager, options: Options): Written {
  const queue = new Queue<Sync>('jobs', options)
  const fleet = new Queue('fleet', options)
  const last = (job: Job<Sync>): Checkpoint<number> => jobCheckpoint(job)
  const work = async (job: Job<Sync>): Promise<unknown> => [job.data.shop, await last(job).load()]
  const workers = [
    new Worker<Sync>('jobs', shopProcessor(tokens, work), options),
    new Worker<Sync>('others', (job, token) => runShopJob(tokens, job, token, () => job.data.shop), options),
    new Worker('fleet', fleetProcessor(fleet, tokens), { ...options, limiter: fleetLimiter() }),
  ]
  return { queue, planned: planFleet(fleet, tokens, 'due'), closing: [...workers, queue, fleet] }
}

/** The same with the types of the other. */
function writtenFor5(tokens: TokenManager, options: Options): Written {
  const queue = new Queue5<Sync>('jobs', options)
  const fleet = new Queue5('fleet', options)
  const last = (job: Job5<Sync>): Checkpoint<number> => jobCheckpoint(job)
  const work = async (job: Job5<Sync>): Promise<unknown> => [job.data.shop, await last(job).load()]
  const workers = [
    new Worker5<Sync>('jobs', shopProcessor(tokens, work), options),
    new Worker5<Sync>('others', (job, token) => runShopJob(tokens, job, token, () => job.data.shop), options),
    new Worker5('fleet', fleetProcessor(fleet, tokens), { ...options, limiter: fleetLimiter() }),
  ]
  return { queue, planned: planFleet(fleet, tokens, 'due'), closing: [...workers, queue, fleet] }
}

// A busy machine is slow with Redis.
jest.setTimeout(60_000)

describeWithServer('Redis', 'queues and workers', () => {
  it.each([
    ['6', writtenFor6],
    ['5', writtenFor5],
  ])('of BullMQ %s are taken as they are', async (_major, written) => {
    const bull = new Bull()
    const { tokens } = await managedApp()
    const { closing, planned, queue } = written(tokens, { connection: bull.connection, prefix: bull.prefix })

    const { id } = await queue.add('sync', { shop })
    await until(async () => (await queue.getCompletedCount()) === 1, 'the job to be done')

    expect((await queue.getJob(id!))?.returnvalue).toEqual([shop, null])
    expect(await planned).toEqual({ planned: 0 })
    await Promise.all(closing.map((one) => one.close()))
    await bull.close()
    await closeAll()
  })
})
