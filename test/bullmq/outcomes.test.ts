import {
  ClosedError,
  CoolingDownError,
  currentShop,
  type AnyShopifyTokenError,
  ForeignDeploymentError,
  ReauthorizationRequiredError,
  ScopeMissingError,
  SecretOutdatedError,
  type ShopClient,
  StoreUnavailableError,
  StoreUnreadableError,
  TokenEndpointError,
} from '@shopify-tokens/core'
import {
  currentJob,
  type DiscardedJob,
  type JobOutcome,
  runShopJob,
  shopProcessor,
  type ShopJobOptions,
} from '@shopify-tokens/bullmq'
import type { Job, Queue } from 'bullmq'
import { closeAll, HOUR_MS, managedApp, shop } from '../core/managed-app.js'
import { describeWithServer } from '../servers.js'
import { until } from '../until.js'
import { Bull, VERSIONS } from './bull.js'

type SyncJob = Job<{ readonly shop?: unknown; readonly page?: number }>

const FINISHED = ['completed', 'failed']
const WAIT_MS = 3_600_000

// A busy machine is slow with Redis.
jest.setTimeout(60_000)

describeWithServer('Redis', 'a job of a shop', () => {
  describe.each(VERSIONS)('on %s', (_name, version) => {
    let bull: Bull
    let queue: Queue
    let discarded: DiscardedJob<SyncJob>[]
    let outcomes: JobOutcome[]

    beforeEach(() => {
      bull = new Bull(version)
      queue = bull.queue()
      discarded = []
      outcomes = []
    })

    afterEach(async () => {
      await bull.close()
      await closeAll()
    })

    const hooks: ShopJobOptions<SyncJob> = {
      onDiscarded: (one) => discarded.push(one),
      onOutcome: (one) => outcomes.push(one),
    }

    async function state(job: Job): Promise<string> {
      return job.getState()
    }

    async function finished(job: Job): Promise<Job> {
      await until(async () => FINISHED.includes(await state(job)), 'the job to be done with')
      return (await queue.getJob(job.id!))!
    }

    async function delayed(job: Job): Promise<Job> {
      await until(async () => (await state(job)) === 'delayed', 'the job to be put off')
      return (await queue.getJob(job.id!))!
    }

    /** Works the queue off with work that fails with these errors, one after the other, and then succeeds. */
    async function failing(
      errors: readonly Error[],
      options: ShopJobOptions<SyncJob> = {},
    ): Promise<{ runs: () => number }> {
      const { tokens } = await managedApp()
      let runs = 0
      const work = (): Promise<string> => {
        const error = errors[runs]
        runs += 1
        return error === undefined ? Promise.resolve('synced') : Promise.reject(error)
      }
      bull.worker(queue, shopProcessor(tokens, work, { ...hooks, ...options }))
      return { runs: () => runs }
    }

    it('runs with the shop and the job at hand, and what the work gives is its result', async () => {
      const { seed, tokens } = await managedApp()
      await seed()
      const nested = async (): Promise<object> => {
        const { data } = await currentShop().graphql('{ shop { name } }')
        return { data: data !== undefined, shop: currentShop().shop, job: currentJob() }
      }
      bull.worker(queue, shopProcessor(tokens, nested, hooks))

      const job = await finished(await queue.add('sync', { shop, page: 1 }))

      const id = { queue: 'jobs', jobId: job.id, jobName: 'sync', shop }
      expect(job.returnvalue).toEqual({ data: true, shop, job: id })
      expect(outcomes).toEqual([{ ...id, outcome: 'done', code: null, requestId: undefined, delayMs: null }])
      expect(currentJob()).toBeUndefined()
    })

    it('is its own, when several run at once', async () => {
      const { tokens } = await managedApp()
      const work = async (job: SyncJob, client: ShopClient): Promise<object> => {
        await new Promise((resolve) => setTimeout(resolve, 20))
        return { given: client.shop, found: currentShop().shop, job: currentJob()?.jobId === job.id }
      }
      bull.worker(queue, shopProcessor(tokens, work), { concurrency: 5 })
      const names = Array.from({ length: 10 }, (_, n) => `shop-${n}.myshopify.com`)

      const jobs = await queue.addBulk(names.map((name) => ({ name: 'sync', data: { shop: name } })))

      for (const [place, job] of jobs.entries()) {
        expect(await finished(job)).toMatchObject({
          returnvalue: { given: names[place], found: names[place], job: true },
        })
      }
    })

    it('that is to wait for its shop is delayed by that time, and loses no attempt', async () => {
      const { runs } = await failing([new CoolingDownError('later', { shop, retryAfterMs: WAIT_MS })])

      const job = await delayed(await queue.add('sync', { shop }))

      expect(Math.round(job.delay / 1_000)).toBe(WAIT_MS / 1_000)
      expect(job.attemptsMade).toBe(0)
      expect(outcomes).toMatchObject([{ outcome: 'delayed', code: 'ERR_COOLING_DOWN', delayMs: WAIT_MS, shop }])
      await job.promote()
      expect((await finished(job)).returnvalue).toBe('synced')
      expect(runs()).toBe(2)
    })

    it('that circles ends after so many delays, by its attempts', async () => {
      const again = new CoolingDownError('later', { shop, retryAfterMs: WAIT_MS })
      const { runs } = await failing([again, again, again, again], { maxDelays: 2 })

      const job = await queue.add('sync', { shop }, { attempts: 2 })
      for (let time = 1; time <= 2; time += 1) await (await delayed(job)).promote()

      expect(await finished(job)).toMatchObject({ attemptsMade: 2, failedReason: 'later' })
      expect(runs()).toBe(4)
      expect(outcomes.map(({ outcome }) => outcome)).toEqual(['delayed', 'delayed', 'failed', 'failed'])
    })

    it("that may succeed later, nobody knows when, is left to BullMQ's attempts and backoff", async () => {
      const away = new StoreUnavailableError('away')
      const { runs } = await failing([away, away])

      const job = await finished(await queue.add('sync', { shop }, { attempts: 3, backoff: 1 }))

      expect(job.returnvalue).toBe('synced')
      expect(runs()).toBe(3)
      expect(outcomes).toMatchObject([
        { outcome: 'failed', code: 'ERR_STORE_UNAVAILABLE' },
        { outcome: 'failed' },
        { outcome: 'done' },
      ])
    })

    it.each<[string, AnyShopifyTokenError]>([
      ['needs its merchant', new ReauthorizationRequiredError('refresh-token-rejected', { shop, requestId: 'abc' })],
      ['lacks a scope', new ScopeMissingError(['write_products'], { shop })],
      ['is called with the wrong client id', new TokenEndpointError('ERR_APP_MISCONFIGURED', 'wrong')],
      ['cannot be read', new StoreUnreadableError('unreadable')],
      ['belongs to another deployment', new ForeignDeploymentError()],
    ])('whose shop %s is discarded whatever its attempts, and somebody hears of it', async (_case, error) => {
      const { runs } = await failing([error])

      const job = await finished(await queue.add('sync', { shop }, { attempts: 5 }))

      expect(await state(job)).toBe('failed')
      expect(job.failedReason).toBe(`${error.code}: ${error.message}`)
      expect(runs()).toBe(1)
      expect(discarded).toMatchObject([{ shop, error, job: { id: job.id } }])
      expect(discarded[0]?.error).toBe(error)
      expect(outcomes).toMatchObject([{ outcome: 'discarded', code: error.code, requestId: error.requestId }])
    })

    it.each([undefined, 'shop', 'evil.example.com', 7, null])(
      'with %p for a shop is discarded before its work',
      async (given) => {
        const { runs } = await failing([])

        const job = await finished(await queue.add('sync', { shop: given }, { attempts: 5 }))

        expect(runs()).toBe(0)
        expect(job.failedReason).toMatch(/^ERR_INVALID_SHOP: Not a shop domain/)
        expect(discarded).toMatchObject([{ shop: null, error: { code: 'ERR_INVALID_SHOP' } }])
      },
    )

    it('is discarded only when whoever is to hear of it has heard', async () => {
      const warnings = jest.spyOn(process, 'emitWarning').mockImplementation()
      const deaf = [new Error('shpat_secret'), null]
      const needsMerchant = new ReauthorizationRequiredError('removed', { shop })
      await failing([needsMerchant, needsMerchant], {
        onDiscarded: (one) => {
          discarded.push(one)
          const error = deaf.shift()
          if (error instanceof Error) throw error
        },
      })

      const job = await delayed(await queue.add('sync', { shop }))
      expect(job.attemptsMade).toBe(0)
      await job.promote()

      expect(await state(await finished(job))).toBe('failed')
      expect(discarded).toHaveLength(2)
      expect(warnings.mock.calls).toEqual([
        ["The option onDiscarded of a shop's job threw (Error).", 'ShopifyTokensWarning'],
      ])
    })

    it('is given back when its process ends, and another worker does it', async () => {
      const { anotherProcess, seed, tokens } = await managedApp()
      await seed({ ageMs: 2 * HOUR_MS })
      const work = async (_job: SyncJob, client: ShopClient): Promise<string> => {
        await client.accessToken()
        return 'synced'
      }
      await tokens.close()
      const ending = bull.worker(queue, shopProcessor(tokens, work, hooks))

      const job = await delayed(await queue.add('sync', { shop }))
      expect(outcomes).toMatchObject([{ outcome: 'delayed', code: 'ERR_CLOSED' }])
      expect(job.attemptsMade).toBe(0)
      await ending.close()
      bull.worker(queue, shopProcessor(anotherProcess(), work, hooks))
      await job.promote()

      expect((await finished(job)).returnvalue).toBe('synced')
    })

    it('comes again where the client secret is newer', async () => {
      await failing([new SecretOutdatedError('older'), new ClosedError()])

      const job = await queue.add('sync', { shop })
      for (let time = 1; time <= 2; time += 1) await (await delayed(job)).promote()

      expect((await finished(job)).returnvalue).toBe('synced')
    })

    it("leaves the application's own errors as they are", async () => {
      const own = new RangeError('no such page')
      const { runs } = await failing([own, own])

      const job = await finished(await queue.add('sync', { shop }, { attempts: 2 }))

      expect(job.failedReason).toBe('no such page')
      expect(runs()).toBe(2)
      expect(discarded).toEqual([])
      expect(outcomes).toMatchObject([{ outcome: 'failed', code: null }, { outcome: 'failed' }])
    })

    it('may keep its shop elsewhere, and be run by a processor of another shape', async () => {
      const { tokens } = await managedApp()
      bull.worker(queue, (job: Job, token) =>
        runShopJob(tokens, job, token, (client) => client.shop, { shopOf: () => shop }),
      )

      expect((await finished(await queue.add('sync', {}))).returnvalue).toBe(shop)
    })

    it('hears the signal that cancels it', async () => {
      const { tokens } = await managedApp()
      let begun = (): void => undefined
      const hasBegun = new Promise<void>((resolve) => (begun = resolve))
      const work = async (_job: SyncJob, _client: ShopClient, signal: AbortSignal | undefined): Promise<void> => {
        begun()
        await new Promise((_resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(new Error('cancelled'))
          })
        })
      }
      const worker = bull.worker(queue, shopProcessor(tokens, work))
      const job = await queue.add('sync', { shop })
      await hasBegun

      expect(worker.cancelJob(job.id!)).toBe(true)
      expect((await finished(job)).failedReason).toBe('cancelled')
    })

    it('is begun again when its merchant has come, and never holds a token', async () => {
      const { eventsOf, seed, shopify, tokens } = await managedApp()
      const { accessToken, refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
      shopify.revokeToken(shop, refreshToken)
      const work = (_job: SyncJob, client: ShopClient): Promise<unknown> => client.graphql('{ shop { name } }')
      bull.worker(queue, shopProcessor(tokens, work, hooks))
      tokens.subscribe((event) => {
        if (event.type === 'reauthorization.cleared') void retryAllOf(event.shop)
      })
      const retryAllOf = async (returned: string): Promise<void> => {
        const failed = (await queue.getFailed()) as SyncJob[]
        await Promise.all(failed.filter(({ data }) => data.shop === returned).map((job) => job.retry('failed')))
      }

      const job = await finished(await queue.add('sync', { shop }, { attempts: 5 }))
      expect(job.failedReason).toMatch(/^ERR_REAUTHORIZATION_REQUIRED/)
      await tokens.acquire(shop, { idToken: shopify.sessionToken(shop) })

      await until(async () => (await state(job)) === 'completed', 'the job to be done after all')
      expect(eventsOf('reauthorization.cleared')).toHaveLength(1)
      const { value } = await tokens.token(shop)
      const written = await bull.contents()
      expect(written).toContain('ERR_REAUTHORIZATION_REQUIRED')
      for (const secret of [accessToken, refreshToken, value, 'test-client-secret']) {
        expect(written).not.toContain(secret)
      }
    })
  })
})

it.each([
  ['shopOf', { shopOf: 'shop' }],
  ['maxDelays', { maxDelays: -1 }],
  ['maxDelays', { maxDelays: Number.NaN }],
  ['onDiscarded', { onDiscarded: true }],
  ['onOutcome', { onOutcome: {} }],
  ['retries', { retries: 1 }],
])('a wrong %s is refused by name', async (name, options) => {
  const { tokens } = await managedApp()

  expect(() => shopProcessor(tokens, () => undefined, options as never)).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [name] }) as Error,
  )
  await closeAll()
})
