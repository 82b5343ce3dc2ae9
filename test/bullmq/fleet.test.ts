import { fleetProcessor, type FleetQueue, planFleet, scheduleFleet, unscheduleFleet } from '@shopify-tokens/bullmq'
import { fingerprint, type Shop } from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'
import type { Job, Queue } from 'bullmq'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  closeAll,
  HOUR_MS,
  type ManagedApp,
  managedApp,
  shop,
  someShops,
} from '../core/managed-app.js'
import { describeWithServer } from '../servers.js'
import { until } from '../until.js'
import { Bull, VERSIONS } from './bull.js'

const DAY_MS = 24 * HOUR_MS

// A busy machine is slow with Redis.
jest.setTimeout(60_000)

describeWithServer('Redis', "a fleet's queue", () => {
  describe.each(VERSIONS)('on %s', (_name, version) => {
    let bull: Bull
    let queue: Queue

    beforeEach(() => {
      bull = new Bull(version)
      queue = bull.queue('fleet')
    })

    afterEach(async () => {
      await bull.close()
      await closeAll()
    })

    /** Shops whose refresh tokens are older than they may become. */
    async function asleep(app: ManagedApp, shops: readonly Shop[]): Promise<void> {
      for (const [place, each] of shops.entries()) {
        await app.seed({ shop: each, ageMs: (30 - place / 1_000) * DAY_MS, sweepAt: 1 + place })
      }
    }

    async function empty(): Promise<void> {
      await until(
        async () => (await jobs(['active', 'delayed', 'prioritized', 'waiting'])).length === 0,
        'all jobs to be done',
      )
    }

    function jobs(states: Parameters<Queue['getJobs']>[0]): Promise<Job[]> {
      return queue.getJobs(states)
    }

    async function jobKeys(): Promise<string[]> {
      const keys = await bull.keys()
      return keys.filter((key) => /:fleet:(?:\d+|de:.*)$/.test(key))
    }

    it('gets one job for every shop that is due, however often it is planned', async () => {
      const app = await managedApp()
      const shops = someShops(30)
      await asleep(app, shops)
      await app.seed({ shop: someShops(1, 'awake')[0]! })

      for (let time = 1; time <= 2; time += 1) {
        expect(await planFleet(queue, app.tokens, 'due')).toEqual({ planned: 30 })
      }

      const planned = await jobs('prioritized')
      expect(planned.map(({ data }) => (data as { shop: string }).shop).sort()).toEqual([...shops].sort())
      expect(planned.every(({ name }) => name === 'due')).toBe(true)
    })

    it('renews each of them once, whatever the number of workers, and leaves nothing of them in Redis', async () => {
      const app = await managedApp()
      const shops = someShops(30)
      await asleep(app, shops)
      for (const tokens of [app.tokens, app.anotherProcess()]) {
        bull.worker(queue, fleetProcessor(queue, tokens), { concurrency: 4 })
      }

      await planFleet(queue, app.tokens, 'due')
      await empty()

      expect(shops.map((each) => app.shopify.counters(each).tokenCalls)).toEqual(shops.map(() => 1))
      expect(await jobKeys()).toEqual([])
      expect(await planFleet(queue, app.tokens, 'due')).toEqual({ planned: 0 })
    })

    it('does those first for which somebody waits', async () => {
      const app = await managedApp()
      const [asked, ...others] = someShops(4)
      await asleep(app, [...others, asked!])
      await planFleet(queue, app.tokens, 'due')
      await app.store.ask({ clientId: CLIENT_ID, shop: asked! })
      expect(await planFleet(queue, app.tokens, 'asked')).toEqual({ planned: 1 })
      const done: unknown[] = []
      const worker = bull.worker(queue, fleetProcessor(queue, app.tokens))
      worker.on('completed', ({ name, data }: Job) => done.push([name, (data as { shop: string }).shop]))

      await empty()
      await until(() => done.length === 5, 'every job to be told of')

      expect(done[0]).toEqual(['asked', asked])
      expect(app.shopify.counters(asked).tokenCalls).toBe(1)
    })

    it('reads and adds a page at a time', async () => {
      const app = await managedApp()
      const [first] = someShops(1)
      const state = { shop: first!, askedAt: null }
      let isRead = 0
      const pages: number[] = []
      async function* shops(): AsyncGenerator<typeof state> {
        for (; isRead < 1_201; isRead += 1) yield state
      }
      const counting: Pick<FleetQueue, 'addBulk'> = {
        addBulk: (page) => {
          pages.push(page.length)
          return Promise.resolve()
        },
      }

      expect(await planFleet(counting, { ...app.tokens, shops: shops as never }, 'migration')).toEqual({
        planned: 1_201,
      })

      expect(pages).toEqual([500, 500, 201])
    })

    it('migrates the shops whose tokens never end, and no others', async () => {
      const app = await managedApp()
      const [old, other] = someShops(2)
      const accessToken = app.shopify.mintNonExpiring(old!)
      await app.put(aRecord.nonExpiring({ accessToken, secretId: fingerprint(CLIENT_SECRET) }), old)
      await app.seed({ shop: other! })
      bull.worker(queue, fleetProcessor(queue, app.tokens))

      expect(await planFleet(queue, app.tokens, 'migration')).toEqual({ planned: 1 })
      await empty()

      expect(await app.record(old)).toMatchObject({ kind: 'expiring' })
      expect(app.shopify.counters(other).tokenCalls).toBe(0)
    })

    it('keeps a job that failed to be looked at, and plans its shop again', async () => {
      const app = await managedApp()
      await asleep(app, [shop])
      const { refreshToken } = (await app.record()) as { refreshToken: string }
      app.shopify.revokeToken(shop, refreshToken)
      const discarded: unknown[] = []
      bull.worker(queue, fleetProcessor(queue, app.tokens, { onDiscarded: ({ error }) => discarded.push(error.code) }))

      await planFleet(queue, app.tokens, 'due')
      await until(async () => (await queue.getFailedCount()) === 1, 'the job to fail')
      await app.clock.advance(2 * DAY_MS)
      expect(await planFleet(queue, app.tokens, 'due')).toEqual({ planned: 1 })
      await until(async () => (await queue.getFailedCount()) === 2, 'the next job to fail')

      expect(discarded).toEqual(['ERR_REAUTHORIZATION_REQUIRED', 'ERR_REAUTHORIZATION_REQUIRED'])
    })

    it('puts a shop off while Shopify is away, and renews it when it is back', async () => {
      const app = await managedApp()
      await asleep(app, [shop])
      await app.shopify.goOffline()
      const outcomes: string[] = []
      bull.worker(queue, fleetProcessor(queue, app.tokens, { onOutcome: ({ outcome }) => outcomes.push(outcome) }))
      await planFleet(queue, app.tokens, 'due')
      await until(async () => (await queue.getDelayedCount()) === 1, 'the job to be put off')
      await app.shopify.goOnline()
      await app.clock.advance(HOUR_MS)

      for (const job of await jobs('delayed')) await job.promote()
      await empty()

      expect(outcomes).toEqual(['delayed', 'done'])
      const { accessToken } = (await app.record()) as { accessToken: string }
      expect(app.shopify.accessTokenState(shop, accessToken)).toBe('live')
    })

    it('plans by itself, by one job for all machines, until it is told to stop', async () => {
      const app = await managedApp()
      await asleep(app, someShops(3))
      for (let machine = 1; machine <= 3; machine += 1)
        await scheduleFleet(queue, { dueEveryMs: 1_000, migrationEveryMs: 60_000 })
      expect((await queue.getJobSchedulers()).map(({ name, key, every }) => [name, key, every]).sort()).toEqual([
        ['plan', 'shopify-tokens-asked', 2_000],
        ['plan', 'shopify-tokens-due', 1_000],
        ['plan', 'shopify-tokens-migration', 60_000],
      ])
      const results: unknown[] = []
      const worker = bull.worker(queue, fleetProcessor(queue, app.tokens))
      worker.on('completed', (_job: Job, result: unknown) => results.push(result))
      await until(() => results.filter((result) => result === 'renewed').length === 3, 'every shop to be renewed')

      await scheduleFleet(queue)
      expect((await queue.getJobSchedulers()).map(({ key }) => key).sort()).toEqual([
        'shopify-tokens-asked',
        'shopify-tokens-due',
      ])
      await unscheduleFleet(queue)
      expect(await queue.getJobSchedulers()).toEqual([])
    })

    it('refuses jobs that are none of its own', async () => {
      const { tokens } = await managedApp()
      bull.worker(queue, fleetProcessor(queue, tokens))

      await queue.add('resize', { shop }, { attempts: 5 })
      await queue.add('plan', { work: 'everything' }, { attempts: 5 })
      await until(async () => (await queue.getFailedCount()) === 2, 'both jobs to fail')

      for (const { attemptsMade, failedReason } of await queue.getFailed()) {
        expect({ attemptsMade, failedReason }).toEqual({
          attemptsMade: 1,
          failedReason: 'The job is none of a fleet: is the queue used for other work too?',
        })
      }
    })
  })
})

it.each([
  ['askedEveryMs', { askedEveryMs: 10 }],
  ['dueEveryMs', { dueEveryMs: 0.5 }],
  ['migrationEveryMs', { migrationEveryMs: 0 }],
  ['Unknown option: every', { every: 1 }],
])('a wrong %s is refused by name, and nothing is scheduled', async (name, schedule) => {
  await expect(scheduleFleet({} as never, schedule as never)).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTION',
    message: expect.stringContaining(name) as string,
  })
})

it('a plan for unknown work is refused', async () => {
  const { tokens } = await managedApp()

  await expect(planFleet({} as never, tokens, 'everything' as never)).rejects.toMatchObject({
    code: 'ERR_INVALID_OPTION',
  })
  await closeAll()
})
