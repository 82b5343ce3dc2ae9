import {
  type DiscardedJob,
  jobCheckpoint,
  planFleet,
  shopProcessor,
  type ShopJob,
  type ShopJobOptions,
} from '@shopify-tokens/bullmq'
import { ClosedError, CoolingDownError, ReauthorizationRequiredError, resumable } from '@shopify-tokens/core'
import { closeAll, managedApp, shop, someShops } from '../core/managed-app.js'

afterEach(closeAll)

/** A job as BullMQ hands it over, and what is done with it. */
class HeldJob implements ShopJob {
  readonly id = '1'
  readonly name = 'sync'
  readonly queueName = 'jobs'
  readonly token = 'lock'
  readonly attemptsMade = 0
  readonly attemptsStarted: number
  readonly data: unknown = { shop }
  /** For how long it was put off, to the second, and with which lock. */
  readonly delayedBy: (readonly [ms: number, token: string | undefined])[] = []
  /** Whose the lock is. */
  isOurs = true

  constructor(delays = 0) {
    this.attemptsStarted = delays + 1
  }

  moveToDelayed(timestamp: number, token?: string): Promise<void> {
    this.delayedBy.push([Math.round((timestamp - Date.now()) / 1_000) * 1_000, token])
    return Promise.resolve()
  }

  updateData(data: unknown): Promise<void> {
    Object.assign(this, { data })
    return Promise.resolve()
  }

  extendLock(token: string): Promise<number> {
    return Promise.resolve(this.isOurs && token === this.token ? 1 : 0)
  }
}

/** What BullMQ is told of a job whose work fails with `error`. */
async function told(job: HeldJob, error: Error, options: ShopJobOptions<HeldJob> = {}): Promise<Error> {
  const { tokens } = await managedApp()
  const processor = shopProcessor<HeldJob, Promise<never>>(tokens, () => Promise.reject(error), options)
  return processor(job, 'lock').then(
    () => Promise.reject(new Error('The job was done.')),
    (reason: unknown) => reason as Error,
  )
}

const coolingDown = new CoolingDownError('later', { shop, retryAfterMs: 30_000 })
const needsMerchant = new ReauthorizationRequiredError('removed', { shop })

describe('a job whose shop is to be left alone', () => {
  it('is delayed for as long, which is no attempt', async () => {
    const job = new HeldJob()

    expect(await told(job, coolingDown)).toMatchObject({ name: 'DelayedError' })
    expect(job.delayedBy).toEqual([[30_000, 'lock']])
  })

  it('is delayed for longer each time, up to five minutes', async () => {
    const soon = new CoolingDownError('soon', { shop, retryAfterMs: 1 })
    const pauses: number[] = []
    for (const delays of [0, 1, 5, 8, 9, 99]) {
      const job = new HeldJob(delays)
      await told(job, soon)
      pauses.push(...job.delayedBy.map(([ms]) => ms))
    }

    expect(pauses).toEqual([1_000, 2_000, 32_000, 256_000, 300_000, 300_000])
  })

  it('is not delayed for ever', async () => {
    const job = new HeldJob(100)

    expect(await told(job, coolingDown)).toBe(coolingDown)
    expect(job.delayedBy).toEqual([])
  })

  it('is given back by a process that ends, and not given up', async () => {
    const job = new HeldJob()

    expect(await told(job, new ClosedError())).toMatchObject({ name: 'DelayedError' })
    expect(job.delayedBy).toEqual([[1_000, 'lock']])
  })
})

describe('a job that no repetition mends', () => {
  it('is given up, whatever attempts it has left', async () => {
    const error = await told(new HeldJob(), needsMerchant)

    expect(error).toMatchObject({ name: 'UnrecoverableError', cause: needsMerchant })
    expect(error.message).toBe(`ERR_REAUTHORIZATION_REQUIRED: ${needsMerchant.message}`)
  })

  it('is given up only when somebody has heard of it', async () => {
    jest.spyOn(process, 'emitWarning').mockImplementation()
    const job = new HeldJob()
    const heard: DiscardedJob<HeldJob>[] = []
    const onDiscarded = (one: DiscardedJob<HeldJob>): Promise<void> => {
      heard.push(one)
      return heard.length === 1 ? Promise.reject(new Error('the mail server is away')) : Promise.resolve()
    }

    expect(await told(job, needsMerchant, { onDiscarded })).toMatchObject({ name: 'DelayedError' })
    expect(await told(job, needsMerchant, { onDiscarded })).toMatchObject({ name: 'UnrecoverableError' })
    expect(heard).toEqual([
      { job, shop, error: needsMerchant },
      { job, shop, error: needsMerchant },
    ])
  })

  it('is given up in the end although nobody ever hears of it', async () => {
    jest.spyOn(process, 'emitWarning').mockImplementation()
    const onDiscarded = (): never => {
      throw new Error('the mail server is away')
    }

    expect(await told(new HeldJob(100), needsMerchant, { onDiscarded })).toMatchObject({ name: 'UnrecoverableError' })
  })
})

describe('the checkpoint of a job', () => {
  it('is saved by nobody whose lock has ended', async () => {
    const job = new HeldJob()
    const next = (after: number | null): Promise<{ page: number; position: number }> =>
      Promise.resolve({ page: (after ?? 0) + 1, position: (after ?? 0) + 1 })
    const visited: number[] = []

    const loop = async (): Promise<void> => {
      for await (const page of resumable({ checkpoint: jobCheckpoint<number>(job), next })) {
        visited.push(page)
        if (page === 2) job.isOurs = false
        if (page === 3) break
      }
    }

    await expect(loop()).rejects.toThrow("Job 1 is no longer this worker's")
    expect(visited).toEqual([1, 2])
    expect(job.data).toEqual({ shop, checkpoint: { position: 1, finished: false } })
  })
})

describe('a plan', () => {
  it('names each job after its shop and work, so that there is never a second one', async () => {
    const [asked, due] = someShops(2)
    const { tokens } = await managedApp()
    const ids: unknown[] = []
    const queue = {
      addBulk: (jobs: readonly { readonly opts: { readonly deduplication?: unknown } }[]) => {
        ids.push(...jobs.map(({ opts }) => opts.deduplication))
        return Promise.resolve()
      },
    }
    const states = [
      { shop: asked, askedAt: 1 },
      { shop: due, askedAt: null },
    ]
    const shops = async function* (): AsyncGenerator {
      yield* states
    }

    await planFleet(queue, { ...tokens, shops: shops as never }, 'due')

    expect(ids).toEqual([{ id: `asked:${asked!}` }, { id: `due:${due!}` }])
  })

  it('finds whoever was asked for behind a row that nobody understands, and ends where nobody was', async () => {
    const [unreadable, asked, due] = someShops(3)
    const { tokens } = await managedApp()
    const planned: unknown[] = []
    const queue = {
      addBulk: (jobs: readonly { readonly data: unknown }[]) =>
        Promise.resolve(planned.push(...jobs.map((job) => job.data))),
    }
    let read = 0
    const shops = async function* (): AsyncGenerator {
      for (const state of [
        { shop: unreadable, kind: 'unreadable', askedAt: null },
        { shop: asked, kind: 'expiring', askedAt: 1 },
        { shop: due, kind: 'expiring', askedAt: null },
        { shop: due, kind: 'expiring', askedAt: null },
      ]) {
        read += 1
        yield state
      }
    }

    await planFleet(queue, { ...tokens, shops: shops as never }, 'asked')

    expect(planned).toEqual([{ shop: asked }])
    expect(read).toBe(3)
  })
})
