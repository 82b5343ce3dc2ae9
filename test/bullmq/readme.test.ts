import * as shopifyBullmq from '@shopify-tokens/bullmq'
import * as core from '@shopify-tokens/core'
import type { Job, Queue } from 'bullmq'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'
import { MarkdownDocument } from '../docs/markdown.js'
import { runBlock } from '../docs/run-block.js'
import { describeWithServer } from '../servers.js'
import { until } from '../until.js'
import { Bull } from './bull.js'

const { blocks } = new MarkdownDocument('packages/bullmq/README.md')

/** The block with these words. */
function blockWith(words: string): string {
  return blocks.find(({ language, code }) => language === 'ts' && code.includes(words))?.code ?? ''
}

// A busy machine is slow with Redis.
jest.setTimeout(60_000)

describeWithServer('Redis', 'the example', () => {
  let bull: Bull
  let app: ManagedApp

  beforeEach(async () => {
    bull = new Bull()
    app = await managedApp({ shopifyOptions: { admin: () => ({ body: { data: { productsCount: { count: 7 } } } }) } })
  })

  afterEach(async () => {
    await bull.close()
    await closeAll()
  })

  /** Runs a block with this test's manager and Redis. */
  function run(code: string, given: object = {}): Promise<Readonly<Record<string, unknown>>> {
    return runBlock(
      code,
      { tokens: app.tokens, connection: bull.connection, ...given },
      { '@shopify-tokens/core': core, '@shopify-tokens/bullmq': shopifyBullmq, bullmq: bull.module() },
    )
  }

  async function done(queue: Queue, count: number): Promise<Job[]> {
    await until(async () => (await queue.getCompletedCount()) === count, 'the job to be done')
    return queue.getCompleted()
  }

  it('of jobs runs one in the context of its shop, and tells support of one that is given up', async () => {
    const said = jest.spyOn(console, 'log').mockImplementation()
    await app.seed({ shop: core.parseShop('example.myshopify.com') })
    const tellSupport = jest.fn(() => Promise.resolve())

    const { queue } = (await run(blockWith('countProducts'), { tellSupport })) as { queue: Queue }
    expect((await done(queue, 1)).map(({ returnvalue }) => returnvalue as unknown)).toEqual([7])
    const { id } = await queue.add('count', { shop: 'unknown.myshopify.com' })
    await until(async () => (await queue.getFailedCount()) === 1, 'the other job to be given up')

    expect(tellSupport.mock.calls).toEqual([
      [`unknown.myshopify.com: job ${id!} was given up (ERR_REAUTHORIZATION_REQUIRED)`],
    ])
    expect(said.mock.calls).toMatchObject([[{ outcome: 'done' }], [{ outcome: 'discarded', jobId: id }]])
  })

  it('of a shop that needs its merchant runs its jobs again when the merchant has come', async () => {
    const { refreshToken } = await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.revokeToken(shop, refreshToken)
    const queue = bull.queue('products')
    bull.worker(
      queue,
      shopifyBullmq.shopProcessor(app.tokens, (_job: Job, client) => client.graphql('{ shop { name } }')),
    )
    await run(blockWith('reauthorization.cleared'), { queue })

    const job = await queue.add('count', { shop }, { attempts: 5 })
    await until(() => job.isFailed(), 'the job to be given up')
    await app.tokens.acquire(shop, { idToken: app.shopify.sessionToken(shop) })

    expect((await done(queue, 1)).map(({ id }) => id)).toEqual([job.id])
  })

  it('of a fleet renews the shops that are due, on every machine that runs it', async () => {
    await app.seed({ ageMs: 30 * 24 * HOUR_MS, sweepAt: 1 })

    const machines = await Promise.all([1, 2].map(() => run(blockWith('scheduleFleet'))))
    await until(() => app.eventsOf('token.rotated').length === 1, 'the shop to be renewed')

    const { fleet } = machines[0] as { fleet: Queue }
    expect((await fleet.getJobSchedulers()).map(({ key }) => key).sort()).toEqual([
      'shopify-tokens-asked',
      'shopify-tokens-due',
    ])
    expect(app.tokenCalls()).toBe(1)
  })
})
