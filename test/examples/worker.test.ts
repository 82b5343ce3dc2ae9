import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type JobProgress, parseShop, type Shop } from '@shopify-tokens/core'
import type { AdminHandler, FakeShopify } from '@shopify-tokens/testing'
import { type Job, Queue } from 'bullmq'
import { createSqliteFile, startShopify, TokenDatabase } from '../races/token-database.js'
import { describeWithServer, redisWithPrefix } from '../servers.js'
import { until } from '../until.js'
import { Programs } from './programs.js'

jest.setTimeout(180_000)

const HURRIED = join(__dirname, 'hurried.mjs')
const MINUTE_MS = 60_000
const DAY_MS = 86_400_000
/** A program takes seconds to start on a busy machine. */
const PATIENCE_MS = 60_000
const busy = parseShop('busy.myshopify.com')
const idle = parseShop('idle.myshopify.com')

describeWithServer('Redis', 'the example of a worker', () => {
  const { prefix, url } = redisWithPrefix()
  let file: Awaited<ReturnType<typeof createSqliteFile>>
  let database: TokenDatabase
  let shopify: FakeShopify
  let queue: Queue
  let programs: Programs
  /** Where the pages begin that jobs have asked for. */
  let pages: (string | null)[]
  let isLastPage: () => boolean

  const admin: AdminHandler = async ({ body }) => {
    const { after } = (body as { readonly variables: { readonly after: string | null } }).variables
    pages.push(after)
    const pageInfo = { hasNextPage: !isLastPage(), endCursor: `page ${pages.length}` }
    await delay(20)
    return { body: { data: { products: { nodes: [{ id: 'gid://shopify/Product/1', title: 'Hat' }], pageInfo } } } }
  }

  beforeEach(async () => {
    pages = []
    file = await createSqliteFile()
    database = await TokenDatabase.open(file.url)
    shopify = await startShopify({ admin })
    queue = new Queue('products', { connection: { url }, prefix })
    const environment = { FAKE_SHOPIFY_URL: shopify.url, REDIS_URL: url, QUEUE_PREFIX: prefix }
    programs = new Programs('worker', { ...database.environment, ...environment })
  })
  afterEach(async () => {
    programs.killAll()
    await queue.obliterate({ force: true })
    await queue.close()
    await database.close()
    await shopify.close()
    await file.drop()
  })

  async function enqueue(shop: Shop): Promise<void> {
    expect(await programs.start('enqueue.js', [shop]).ended()).toMatchObject({ with: 0 })
  }

  async function untilDone(): Promise<void> {
    await until(async () => (await queue.getCompletedCount()) === 1, 'the job is done', PATIENCE_MS)
  }

  /** The access tokens with which the Admin API was called. */
  function accessTokens(): ReadonlySet<string | undefined> {
    const calls = shopify.log(busy).filter(({ endpoint }) => endpoint === 'admin')
    return new Set(calls.map(({ presented }) => presented))
  }

  describe.each([
    ['plain', 'main.js', 0],
    // Nest ends its process by the signal that it got, once everything is closed.
    ['NestJS', 'nest.js', 'SIGTERM'],
  ] as const)('%s', (_kind, worker, ending) => {
    it('does a job whose token is renewed on the way', async () => {
      await database.seed(shopify, busy, { ageMs: 56 * MINUTE_MS })
      isLastPage = () => accessTokens().size === 2

      await enqueue(busy)
      programs.start(worker)
      await untilDone()

      expect(accessTokens().size).toBe(2)
      expect(shopify.counters(busy).adminCallsByStatus).toEqual({ 200: pages.length })
      expect(new Set(pages).size).toBe(pages.length)
    })

    it('leaves a job at its checkpoint when it is asked to end, and the next one goes on there', async () => {
      await database.seed(shopify, busy, { ageMs: 120 * MINUTE_MS })
      isLastPage = () => false
      await enqueue(busy)
      const first = programs.start(worker)
      await until(() => pages.length > 2, 'the job is under way', PATIENCE_MS)

      first.terminate()
      expect(await first.ended()).toMatchObject({ with: ending })
      const asked = pages.length
      const [job] = (await queue.getDelayed()) as [Job<{ readonly checkpoint: JobProgress<string> }>]
      const { position } = job.data.checkpoint
      // Either the last page was done with, or it was being asked for.
      expect([`page ${asked}`, `page ${asked - 1}`]).toContain(position)
      expect(job.attemptsMade).toBe(0)

      isLastPage = () => true
      programs.start(worker)
      await untilDone()
      expect(pages.slice(asked)).toEqual([position])
    })
  })

  it('keeps a shop alive that nobody visits', async () => {
    await database.seed(shopify, busy)
    await database.seed(shopify, idle, { ageMs: 21 * DAY_MS })

    programs.start('main.js', [], [HURRIED])
    await until(() => shopify.counters(idle).pairsMinted === 2, 'the idle shop has new tokens', PATIENCE_MS)

    expect(shopify.counters()).toMatchObject({ adminCalls: 0, tokenCalls: 1 })
  })

  it('can be swept by a cron job instead', async () => {
    await database.seed(shopify, busy)
    await database.seed(shopify, idle, { ageMs: 21 * DAY_MS })

    const sweep = await programs.start('sweep.js').ended()

    expect(sweep.with).toBe(0)
    expect(sweep.said).toContain('{"visited":1,"renewed":1,"failed":0,"failures":[]}')
    expect(shopify.counters(idle)).toMatchObject({ adminCalls: 0, tokenCalls: 1 })
    expect(shopify.hasLiveCredential(idle, [(await database.pair(idle)).refreshToken])).toBe(true)
  })
})
