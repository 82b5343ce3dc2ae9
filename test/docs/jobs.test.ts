import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type Checkpoint,
  CoolingDownError,
  type JobProgress,
  LeaseTimeoutError,
  pagesOf,
  parseShop,
  ReauthorizationRequiredError,
  resumable,
  type ShopClient,
} from '@shopify-tokens/core'
import type { AdminAnswer, AdminRequest } from '@shopify-tokens/testing'
import { Pool } from 'pg'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'
import { createPostgresDatabase, describeWithServer } from '../servers.js'
import { aLibrary, giveBackFetch } from '../shopify-clients/clients.js'
import { MarkdownDocument } from './markdown.js'
import { runBlock } from './run-block.js'

// The blocks of docs/jobs.md that a reader copies do what the page says.

/** The reader's shop. */
const EXAMPLE = parseShop('example.myshopify.com')
const page = new MarkdownDocument('docs/jobs.md')

/** The one block that has this in it. */
function blockWith(text: string): string {
  const [block, ...more] = page.blocks.filter(({ code }) => code.includes(text))
  if (block === undefined || more.length > 0) throw new Error(`docs/jobs.md has not one block with ${text}`)
  return block.code
}

/** Answers each GraphQL call by the first entry whose name stands in its query. */
function answering(answers: Readonly<Record<string, (variables: never) => unknown>>): (r: AdminRequest) => AdminAnswer {
  return ({ body }) => {
    const { query = '', variables } = (body ?? {}) as { query?: string; variables: never }
    const [, answer] = Object.entries(answers).find(([name]) => query.includes(name)) ?? []
    return { body: answer?.(variables) ?? { errors: [{ message: 'nobody asks for this' }] } }
  }
}

async function appWith(admin: (request: AdminRequest) => AdminAnswer): Promise<ManagedApp> {
  const app = await managedApp({ shopifyOptions: { admin } })
  await app.seed()
  return app
}

/** Three products, one to a page. */
const products = answering({
  products: ({ after }: { after: string | null }) => {
    const id = Number(after ?? 0) + 1
    return { data: { products: { nodes: [{ id }], pageInfo: { hasNextPage: id < 3, endCursor: String(id) } } } }
  },
})

async function aborted(signal: AbortSignal): Promise<AbortSignal> {
  if (!signal.aborted) await once(signal, 'abort')
  return signal
}

/** Progress that is kept in memory. */
function rowsOf(rows: Map<string, unknown>): (job: string) => Checkpoint<string> {
  return (job) => ({
    load: async () => rows.get(job) as JobProgress<string> | undefined,
    save: async (progress) => void rows.set(job, progress),
  })
}

afterEach(async () => {
  giveBackFetch()
  await closeAll()
})

describe('the client', () => {
  it('is at hand further down', async () => {
    const asked: unknown[] = []
    const count = (): unknown => ({ data: { productsCount: { count: asked.push('count') } } })
    const { seed, shopify, tokens } = await managedApp({
      shopifyOptions: { admin: answering({ productsCount: count, shop: () => ({ data: {} }), '': () => ({}) }) },
    })
    await seed({ shop: EXAMPLE })

    await runBlock(blockWith('countProducts'), { tokens })

    expect(asked).toEqual(['count'])
    expect(shopify.counters(EXAMPLE).adminCallsByStatus).toEqual({ 200: 3 })
  })
})

describe('a job over pages', () => {
  it('goes on where it stood, and is then finished', async () => {
    const { shopify, tokens } = await appWith(products)
    const rows = new Map<string, unknown>()
    const saved: number[] = []
    const saveAll = async (nodes: { id: number }[]): Promise<void> => {
      if (nodes[0]?.id === 2 && !saved.includes(0)) {
        saved.push(0)
        throw new Error('the disk is full')
      }
      saved.push(...nodes.map(({ id }) => id))
    }
    const { syncProducts } = (await runBlock(blockWith('export async function syncProducts'), {
      progressOf: rowsOf(rows),
      saveAll,
    })) as { syncProducts: (client: ShopClient) => Promise<void> }

    await expect(syncProducts(tokens.forShop(shop))).rejects.toThrow('the disk is full')
    await syncProducts(tokens.forShop(shop))
    await syncProducts(tokens.forShop(shop))

    expect(saved).toEqual([1, 0, 2, 3])
    expect(rows.get(`products ${shop}`)).toEqual({ position: '3', finished: true })
    expect(shopify.counters(shop).adminCalls).toBe(4)
  })

  it('over rows of its own ends when there are none behind the last', async () => {
    const rows = new Map<string, unknown>()
    const sent: number[] = []
    await runBlock(blockWith('orders.after'), {
      checkpoint: rowsOf(rows)('orders'),
      orders: {
        after: async (id: number) =>
          [1, 2, 3]
            .filter((n) => n > id)
            .slice(0, 2)
            .map((n) => ({ id: n })),
      },
      send: async (orders: { id: number }[]) => void sent.push(...orders.map(({ id }) => id)),
    })

    expect(sent).toEqual([1, 2, 3])
    expect(rows.get('orders')).toEqual({ position: 3, finished: true })
  })

  it('waits for Shopify when it throttles, and for nothing else', async () => {
    const throttled = { errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }] }
    const denied = { errors: [{ message: 'no', extensions: { code: 'ACCESS_DENIED' } }] }
    const answers = [throttled, throttled, { data: 1 }, denied, ...Array.from({ length: 6 }, () => throttled)]
    const { tokens } = await appWith(answering({ shop: () => answers.shift() }))
    const waits: number[] = []
    const { patient } = (await runBlock(
      blockWith('export function patient'),
      {},
      { 'node:timers/promises': { setTimeout: async (ms: number) => void waits.push(ms) } },
    )) as { patient: (client: ShopClient) => Pick<ShopClient, 'shop' | 'graphql'> }
    const client = patient(tokens.forShop(shop))

    expect(await client.graphql('{ shop }')).toEqual({ data: 1 })
    expect(waits).toEqual([1_000, 2_000])
    expect(await client.graphql('{ shop }')).toEqual(denied)
    expect(waits.splice(0)).toHaveLength(2)
    const next = pagesOf(client, '{ shop(after: $after) }', { connection: () => null })
    await expect(next(null, undefined)).rejects.toMatchObject({ graphqlCodes: ['THROTTLED'], retryable: true })
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000])
  })

  it.each<[outcome: object, work: (client: ShopClient, signal: AbortSignal) => Promise<void>]>([
    [{ state: 'done' }, async () => undefined],
    [{ state: 'needs-merchant' }, () => Promise.reject(new ReauthorizationRequiredError('removed', { shop }))],
    [{ state: 'again', afterMs: 7 }, () => Promise.reject(new CoolingDownError('', { retryAfterMs: 7 }))],
    [{ state: 'again', afterMs: 60_000 }, () => Promise.reject(new LeaseTimeoutError(''))],
    [
      { state: 'drained' },
      async (_client, signal) => {
        ;(await aborted(signal)).throwIfAborted()
      },
    ],
  ])('has the outcome %j', async (outcome, syncProducts) => {
    const { tokens } = await appWith(products)
    let terminate: (() => void) | undefined
    const registered = jest.spyOn(process, 'once').mockImplementation((_signal, listener) => {
      terminate = listener as () => void
      return process
    })
    const { run } = (await runBlock(blockWith('type Outcome'), { tokens, syncProducts })) as {
      run: (job: { shop: string }) => Promise<unknown>
    }
    registered.mockRestore()

    const running = run({ shop })
    terminate?.()

    expect(await running).toEqual(outcome)
  })

  it('is queued again when its merchant was there', async () => {
    const { clock, eventsOf, shopify, tokens } = await appWith(products)
    const add = jest.fn(async () => undefined)
    await runBlock(blockWith("event.type !== 'reauthorization.cleared'"), { tokens, queue: { add } })

    shopify.uninstall(shop)
    await clock.advance(2 * HOUR_MS)
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
    expect(add).not.toHaveBeenCalled()
    shopify.installShop(shop)
    await tokens.token(shop, { idToken: shopify.sessionToken(shop) })

    const [{ at } = { at: 0 }] = eventsOf('reauthorization.cleared')
    expect(add.mock.calls).toEqual([['products', { shop }, { jobId: `products-${shop}-${at}` }]])
  })
})

describeWithServer('PostgreSQL', 'the checkpoint on PostgreSQL', () => {
  it('keeps what was saved, and begins anew when its row is gone', async () => {
    const database = await createPostgresDatabase()
    const pool = new Pool({ connectionString: database.url })
    const code = blockWith('CREATE TABLE job_progress')
    const [, statement = ''] = /^\/\/ (CREATE TABLE .*)$/m.exec(code) ?? []
    try {
      await pool.query(statement)
      const { progressOf } = (await runBlock(code, { pool })) as { progressOf: (job: string) => Checkpoint<string> }
      const run = async (): Promise<number[]> => {
        const done: number[] = []
        const next = async (after: string | null) => {
          const n = Number(after ?? 0) + 1
          return { page: n, position: String(n), last: n === 3 }
        }
        for await (const n of resumable({ checkpoint: progressOf('a job'), next })) done.push(n)
        return done
      }

      expect(await run()).toEqual([1, 2, 3])
      expect(await run()).toEqual([])
      await pool.query('DELETE FROM job_progress')
      expect(await run()).toEqual([1, 2, 3])
    } finally {
      await pool.end()
      await database.drop()
    }
  })
})

describe('a bulk operation', () => {
  interface Bulk {
    readonly startExport: (client: ShopClient, query: string) => Promise<string>
    readonly linesOf: (client: ShopClient, id: string) => Promise<AsyncIterable<unknown> | null>
  }

  it('is started, looked at past the end of a token, and downloaded without one', async () => {
    const downloads: unknown[] = []
    const files = createServer(({ headers }, response) => {
      downloads.push(headers['x-shopify-access-token'])
      response.end('{"id":1}\n{"id":2}\n')
    }).listen(0, '127.0.0.1')
    await once(files, 'listening')
    const url = `http://127.0.0.1:${(files.address() as AddressInfo).port}/bulk.jsonl?signature=planted`
    let isDone = false
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp({
      shopifyOptions: {
        admin: answering({
          bulkOperationRunQuery: () => ({
            data: { bulkOperationRunQuery: { bulkOperation: { id: 'gid://shopify/BulkOperation/1' }, userErrors: [] } },
          }),
          'on BulkOperation': () => ({
            data: { node: { status: isDone ? 'COMPLETED' : 'RUNNING', errorCode: null, url: isDone ? url : null } },
          }),
        }),
      },
    })
    await seed()
    const { linesOf, startExport } = (await runBlock(blockWith('export async function startExport'))) as unknown as Bulk
    const client = tokens.forShop(shop)

    const id = await startExport(client, '{ products { edges { node { id } } } }')
    expect(await linesOf(client, id)).toBeNull()
    await clock.advance(3 * HOUR_MS)
    isDone = true
    const lines: unknown[] = []
    for await (const line of (await linesOf(client, id)) ?? []) lines.push(line)
    files.close()

    expect(lines).toEqual([{ id: 1 }, { id: 2 }])
    expect(downloads).toEqual([undefined])
    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 3 })
    expect(tokenCalls()).toBe(1)
    await expect(client.fetch(url)).rejects.toMatchObject({ code: 'ERR_FOREIGN_ORIGIN' })
  })

  it('that Shopify does not start says why', async () => {
    const bulkOperationRunQuery = { bulkOperation: null, userErrors: [{ message: 'Five run already.' }] }
    const { tokens } = await appWith(answering({ bulkOperationRunQuery: () => ({ data: { bulkOperationRunQuery } }) }))
    const { startExport } = (await runBlock(blockWith('export async function startExport'))) as unknown as Bulk

    await expect(startExport(tokens.forShop(shop), '{ x }')).rejects.toThrow('Five run already.')
  })

  it.each<[what: string, node: object | null, outcome: string]>([
    ['of another shop', null, 'no such operation'],
    ['that failed', { status: 'FAILED', errorCode: 'TIMEOUT', url: null }, 'FAILED: TIMEOUT'],
    ['that found nothing', { status: 'COMPLETED', errorCode: null, url: null }, '[]'],
  ])('%s is no work to do, or says why', async (_what, node, outcome) => {
    const { tokens } = await appWith(answering({ 'on BulkOperation': () => ({ data: { node } }) }))
    const { linesOf } = (await runBlock(blockWith('export async function startExport'))) as unknown as Bulk
    const read = async (): Promise<string> => {
      const lines: unknown[] = []
      for await (const line of (await linesOf(tokens.forShop(shop), 'gid://shopify/BulkOperation/1')) ?? [])
        lines.push(line)
      return JSON.stringify(lines)
    }

    expect(await read().catch((error: unknown) => (error as Error).message)).toContain(outcome)
  })
})

describe("Shopify's own clients", () => {
  it('work as the page shows, through one fetch each', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed({ shop: EXAMPLE })
    await runBlock(blockWith('customFetchApi'), { tokens })
    await runBlock(blockWith('setAbstractFetchFunc'), { tokens, shopify: aLibrary() })

    expect(shopify.counters(EXAMPLE).adminCallsByStatus).toEqual({ 200: 3 })
  })

  it('hide why there is no token, and the manager says it', async () => {
    const { tokens } = await managedApp()
    const client = { request: async () => ({ errors: { message: 'GraphQL Client: …' } }) }

    await expect(runBlock(blockWith('await tokens.token(shop) //'), { tokens, client, shop })).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
    })
  })
})

it('the sweep of a cron job says what it has done', async () => {
  const { clock, seed, tokenCalls, tokens } = await managedApp()
  await seed({ sweepAt: clock.now() })
  await clock.advance(HOUR_MS)
  const log = jest.spyOn(console, 'log').mockImplementation(() => undefined)

  await runBlock(blockWith('tokens.sweep'), { tokens })

  expect(log.mock.calls).toEqual([['1 of 1 shops renewed', []]])
  expect(tokenCalls()).toBe(1)
})
