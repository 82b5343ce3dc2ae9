import { resumable } from '@shopify-tokens/core'
import { jobCheckpoint, type JobCheckpointOptions, shopProcessor } from '@shopify-tokens/bullmq'
import type { Job, Queue } from 'bullmq'
import { closeAll, managedApp, shop } from '../core/managed-app.js'
import { describeWithServer } from '../servers.js'
import { until } from '../until.js'
import { Bull, VERSIONS } from './bull.js'

const CHUNKS = 5

/** Chunks that are numbered from 1; the position behind one is its number. */
function next(after: number | null): Promise<{ page: number; position: number; last: boolean }> {
  const number = (after ?? 0) + 1
  return Promise.resolve({ page: number, position: number, last: number === CHUNKS })
}

// A busy machine is slow with Redis.
jest.setTimeout(60_000)

describeWithServer('Redis', 'a checkpoint in the job', () => {
  describe.each(VERSIONS)('on %s', (_name, version) => {
    let bull: Bull
    let queue: Queue

    beforeEach(() => {
      bull = new Bull(version)
      queue = bull.queue()
    })

    afterEach(async () => {
      await bull.close()
      await closeAll()
    })

    async function dataOf(job: Job): Promise<unknown> {
      return (await queue.getJob(job.id!))?.data
    }

    it('is kept beside the rest of its data, and the next run goes on behind it', async () => {
      const { tokens } = await managedApp()
      const visited: number[] = []
      const work = async (job: Job): Promise<void> => {
        for await (const chunk of resumable({ checkpoint: jobCheckpoint<number>(job), next })) {
          visited.push(chunk)
          if (visited.length === 3) throw new Error('crash')
        }
      }
      bull.worker(queue, shopProcessor(tokens, work))

      const job = await queue.add('sync', { shop, since: '2026-11-20' }, { attempts: 2 })
      await until(async () => (await job.getState()) === 'completed', 'the job to be done')

      expect(visited).toEqual([1, 2, 3, 3, 4, 5])
      expect(await dataOf(job)).toEqual({ shop, since: '2026-11-20', checkpoint: { position: CHUNKS, finished: true } })
    })

    it('keeps what the work itself writes into the data', async () => {
      const { tokens } = await managedApp()
      const work = async (job: Job<Record<string, unknown>>): Promise<void> => {
        for await (const chunk of resumable({ checkpoint: jobCheckpoint<number>(job, { key: 'pages' }), next })) {
          await job.updateData({ ...job.data, seen: chunk })
        }
      }
      bull.worker(queue, shopProcessor(tokens, work))

      const job = await queue.add('sync', { shop })
      await until(async () => (await job.getState()) === 'completed', 'the job to be done')

      expect(await dataOf(job)).toEqual({ shop, seen: CHUNKS, pages: { position: CHUNKS, finished: true } })
    })

    it('holds the lock for as long as the worker does, and no shorter', async () => {
      const { tokens } = await managedApp()
      const held: number[] = []
      const work = async (job: Job): Promise<void> => {
        await jobCheckpoint<number>(job).save({ position: 1, finished: false })
        held.push(await bull.connection.pttl(`${bull.prefix}:${queue.name}:${job.id!}:lock`))
      }
      bull.worker(queue, shopProcessor(tokens, work), { lockDuration: 3_600_000 })

      await queue.add('sync', { shop })
      await until(() => held.length === 1, 'the job to be done')

      expect(held[0]).toBeGreaterThan(1_800_000)
    })

    it('is not put back by a worker that wakes up after its job was given to another one', async () => {
      const { tokens } = await managedApp()
      let wake = (): void => undefined
      const asleep = new Promise<void>((resolve) => (wake = resolve))
      const runs: number[][] = []
      const work = async (job: Job): Promise<void> => {
        const visited: number[] = []
        runs.push(visited)
        const isFirst = runs.length === 1
        for await (const chunk of resumable({ checkpoint: jobCheckpoint<number>(job), next })) {
          visited.push(chunk)
          if (isFirst) await asleep
        }
      }
      const processor = shopProcessor(tokens, work)
      bull.worker(queue, processor, { lockDuration: 100, skipLockRenewal: true, skipStalledCheck: true })
      const job = await queue.add('sync', { shop })
      await until(() => runs.length === 1, 'the first run')
      bull.worker(queue, processor, { stalledInterval: 50 })
      await until(async () => (await job.getState()) === 'completed', 'the other worker to do the job')
      const before = await dataOf(job)

      wake()
      await until(() => bull.errors.length > 0, 'the first worker to notice')

      expect(runs).toEqual([[1], [1, 2, 3, 4, 5]])
      expect(await dataOf(job)).toEqual(before)
      expect(before).toEqual({ shop, checkpoint: { position: CHUNKS, finished: true } })
    })
  })
})

it.each<[string, JobCheckpointOptions]>([
  ['key', { key: '' }],
  ['lockDurationMs', { lockDurationMs: 0 }],
])('a wrong %s is refused by name', (name, options) => {
  const job = { data: {}, updateData: () => Promise.resolve(), extendLock: () => Promise.resolve(1) }

  expect(() => jobCheckpoint(job, options)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [name] }) as Error,
  )
})
