import 'reflect-metadata'
import { currentJob, fleetLimiter, fleetProcessor, planFleet, runShopJob } from '@shopify-tokens/bullmq'
import { parseShop, type Shop } from '@shopify-tokens/core'
import { currentShop, ShopifyTokens, ShopifyTokensModule } from '@shopify-tokens/nestjs'
import { BullModule, getQueueToken, Processor, WorkerHost } from '@nestjs/bullmq'
import { Inject, Injectable, type INestApplicationContext, Module, type Provider } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { Cron, Interval, ScheduleModule } from '@nestjs/schedule'
import type { Job, Queue } from 'bullmq'
import { Redis } from 'ioredis'
import {
  CLIENT_ID,
  CLIENT_SECRET,
  closeAll,
  HOUR_MS,
  type ManagedApp,
  managedApp,
  shop,
  someShops,
} from '../../core/managed-app.js'
import { describeWithServer, redisWithPrefix } from '../../servers.js'
import { until } from '../../until.js'

/** What handlers have found, for the test to see. */
class Findings {
  readonly found: unknown[] = []
}

@Injectable()
class NestedService {
  async name(): Promise<unknown> {
    const { data } = await currentShop().graphql<{ shop: { myshopifyDomain: string } }>('{ shop { myshopifyDomain } }')
    return { shop: currentShop().shop, answered: data?.shop.myshopifyDomain }
  }
}

@Processor('products')
class ProductsProcessor extends WorkerHost {
  readonly #tokens: ShopifyTokens
  readonly #nested: NestedService

  constructor(@Inject(ShopifyTokens) tokens: ShopifyTokens, @Inject(NestedService) nested: NestedService) {
    super()
    this.#tokens = tokens
    this.#nested = nested
  }

  process(job: Job, token: string): Promise<unknown> {
    return runShopJob(this.#tokens, job, token, async () => [await this.#nested.name(), currentJob()?.jobId])
  }
}

@Processor('fleet', { limiter: fleetLimiter({ perSecond: 500 }) })
class FleetProcessor extends WorkerHost {
  readonly #process: (job: Job, token?: string) => Promise<unknown>

  constructor(@Inject(ShopifyTokens) tokens: ShopifyTokens, @Inject(getQueueToken('fleet')) fleet: Queue) {
    super()
    this.#process = fleetProcessor(fleet, tokens)
  }

  process(job: Job, token: string): Promise<unknown> {
    return this.#process(job, token)
  }
}

@Injectable()
class Schedules {
  readonly #tokens: ShopifyTokens
  readonly #nested: NestedService
  readonly #findings: Findings

  constructor(
    @Inject(ShopifyTokens) tokens: ShopifyTokens,
    @Inject(NestedService) nested: NestedService,
    @Inject(Findings) findings: Findings,
  ) {
    this.#tokens = tokens
    this.#nested = nested
    this.#findings = findings
  }

  @Cron('* * * * * *')
  cron(): Promise<void> {
    return this.#visit('cron')
  }

  @Interval(20)
  interval(): Promise<void> {
    return this.#visit('interval')
  }

  async #visit(handler: string): Promise<void> {
    const found = await this.#tokens.forShop(parseShop(shop)).run(() => this.#nested.name())
    this.#findings.found.push([handler, found])
  }
}

// A busy machine is slow with Redis.
jest.setTimeout(60_000)

// A busy machine is slow with Redis.
jest.setTimeout(60_000)

describeWithServer('Redis', 'work without a request', () => {
  let backend: ManagedApp
  let app: INestApplicationContext
  let redis: Redis
  let prefix: string

  beforeEach(async () => {
    const server = redisWithPrefix()
    prefix = server.prefix.replace(/:$/, '')
    redis = new Redis(server.url, { maxRetriesPerRequest: null })
    backend = await managedApp()
  })

  afterEach(async () => {
    await app.close()
    const keys = await redis.keys(`${prefix}:*`)
    if (keys.length > 0) await redis.del(...keys)
    await redis.quit()
    await closeAll()
  })

  /** An application without HTTP, over a manager that the module makes and closes. */
  async function started(...providers: Provider[]): Promise<void> {
    const { clock, events, shopify, store } = backend
    @Module({
      imports: [
        ShopifyTokensModule.forRoot({
          ...{ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, store, clock, apiVersion: '2026-10' },
          sealing: 'unsealed-tokens-readable-in-store',
          fetch: clock.watch((input, init) => shopify.fetch(input, init)),
          onEvent: (event) => events.push(event),
          keepAlive: false,
        }),
        BullModule.forRoot({ connection: redis, prefix }),
        BullModule.registerQueue({ name: 'products' }, { name: 'fleet' }),
        ScheduleModule.forRoot(),
      ],
      providers: [Findings, NestedService, ...providers],
    })
    class AppModule {}
    app = await NestFactory.createApplicationContext(AppModule, { logger: false })
  }

  function queue(name: string): Queue {
    return app.get<Queue>(getQueueToken(name))
  }

  async function completed(job: Job): Promise<Job | undefined> {
    await until(() => job.isCompleted(), 'the job to be done')
    return queue(job.queueName).getJob(job.id!)
  }

  it('a processor gets the manager by injection, and what it calls finds the shop of the job', async () => {
    await backend.seed({ ageMs: 2 * HOUR_MS })
    await started(ProductsProcessor)

    const job = await queue('products').add('name', { shop })

    expect((await completed(job))?.returnvalue).toEqual([{ shop, answered: shop }, job.id])
    expect(backend.eventsOf('token.rotated')).toHaveLength(1)
  })

  it('handlers of @Cron and @Interval get it too, and bind the shop themselves', async () => {
    await backend.seed()
    await started(Schedules)
    const { found } = app.get(Findings)

    await until(() => ['cron', 'interval'].every((handler) => handlersIn(found).includes(handler)), 'both handlers')

    for (const [, finding] of found as [string, unknown][]) expect(finding).toEqual({ shop, answered: shop })
  })

  it("a processor works the fleet's queue off", async () => {
    const shops: readonly Shop[] = someShops(5)
    for (const each of shops) await backend.seed({ shop: each, ageMs: 30 * 24 * HOUR_MS, sweepAt: 1 })
    await started(FleetProcessor)

    expect(await planFleet(queue('fleet'), app.get(ShopifyTokens), 'due')).toEqual({ planned: 5 })
    await until(() => backend.eventsOf('token.rotated').length === 5, 'every shop to be renewed')

    expect(
      backend
        .eventsOf('token.rotated')
        .map((event) => event.shop)
        .sort(),
    ).toEqual([...shops].sort())
  })

  it('shutting down waits for the job in hand and for its renewal', async () => {
    await backend.seed({ ageMs: 2 * HOUR_MS })
    await started(ProductsProcessor)
    const hold = backend.shopify.hold('token')
    const job = await queue('products').add('name', { shop })
    await hold.arrived()

    let isClosed = false
    const closing = app.close().then(() => (isClosed = true))
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(isClosed).toBe(false)
    hold.release()
    await closing

    const { accessToken } = (await backend.record()) as { accessToken: string }
    expect(backend.shopify.accessTokenState(shop, accessToken)).toBe('live')
    expect(await redis.hget(`${prefix}:products:${job.id!}`, 'returnvalue')).toContain(shop)
  })
})

function handlersIn(found: readonly unknown[]): unknown[] {
  return (found as [string, unknown][]).map(([handler]) => handler)
}
