import {
  type AdminResponseError,
  type GraphqlResult,
  type JobProgress,
  pagesOf,
  type PagesOptions,
  resumable,
  type ShopClient,
} from '@shopify-tokens/core'
import type { AdminAnswer, AdminRequest } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

const QUERY = `query ($after: String, $first: Int!) {
  products(first: $first, after: $after) { nodes { id } pageInfo { hasNextPage endCursor } }
}`

interface Products {
  readonly nodes: readonly { readonly id: number }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null }
}

/** Products 1 to `count`, as many at a time as the query says, behind the cursor that it says. */
function productsOf(count: number): (request: AdminRequest) => AdminAnswer {
  return ({ body }) => {
    const { variables } = body as { variables: { after: string | null; first: number } }
    const from = Number(variables.after?.replace('cursor-', '') ?? 0)
    const nodes = Array.from({ length: Math.min(variables.first, count - from) }, (_, n) => ({ id: from + n + 1 }))
    const end = from + nodes.length
    const pageInfo = { hasNextPage: end < count, endCursor: nodes.length === 0 ? null : `cursor-${end}` }
    return { body: { data: { products: { nodes, pageInfo } } } }
  }
}

const connection = (data: { readonly products: Products }): Products => data.products

/** Where the job's progress is kept; beside it what the job has done. */
function aJob(): {
  readonly done: number[]
  readonly progress: () => JobProgress<string> | null
  run(client: ShopClient, between?: (page: Products) => unknown): Promise<void>
} {
  let saved: JobProgress<string> | null = null
  const done: number[] = []
  const checkpoint = {
    load: async () => saved,
    save: async (progress: JobProgress<string>) => void (saved = progress),
  }
  return {
    done,
    progress: () => saved,
    async run(client, between) {
      const next = pagesOf(client, QUERY, { connection, variables: { first: 2 } })
      for await (const page of resumable({ checkpoint, next })) {
        done.push(...page.nodes.map(({ id }) => id))
        await between?.(page)
      }
    },
  }
}

async function appWith(count: number): Promise<ManagedApp> {
  return managedApp({ shopifyOptions: { admin: productsOf(count) } })
}

afterEach(closeAll)

describe('the pages of a connection', () => {
  it.each([
    [5, 3],
    [4, 2],
    [0, 1],
  ])('are all there: %d products in %d calls', async (count, calls) => {
    const { seed, shopify, tokens } = await appWith(count)
    await seed()
    const job = aJob()

    await job.run(tokens.forShop(shop))

    expect(job.done).toEqual(Array.from({ length: count }, (_, n) => n + 1))
    expect(job.progress()).toEqual({ position: count === 0 ? null : `cursor-${count}`, finished: true })
    expect(shopify.counters(shop).adminCalls).toBe(calls)
  })

  it('go on for hours, past every end of a token', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await appWith(20)
    await seed()
    const job = aJob()

    await job.run(tokens.forShop(shop), () => clock.advance(HOUR_MS))

    expect(job.done).toHaveLength(20)
    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 10 })
    expect(tokenCalls()).toBeGreaterThanOrEqual(9)
  })

  it('of something that is gone are no more', async () => {
    const next = pagesOf(answering({ data: { products: null } }), QUERY, { connection: () => null })

    expect(await next('cursor-2', undefined)).toBeUndefined()
  })

  it('are asked for in the version and with the signal of the job', async () => {
    const graphql = jest.fn(async () => ({ data: { products: { pageInfo: { hasNextPage: false } } } }))
    const { signal } = new AbortController()

    await pagesOf({ shop, graphql } as never, QUERY, { connection, apiVersion: '2027-01', variables: { first: 9 } })(
      'cursor-1',
      signal,
    )

    expect(graphql).toHaveBeenCalledWith(QUERY, {
      apiVersion: '2027-01',
      signal,
      variables: { first: 9, after: 'cursor-1' },
    })
  })
})

describe('a job whose shop comes to need its merchant', () => {
  it('ends with that, and goes on where it stood when the merchant was there', async () => {
    const { clock, eventsOf, seed, shopify, tokens } = await appWith(6)
    await seed()
    const job = aJob()
    const begun: Promise<void>[] = []
    tokens.subscribe((event) => {
      if (event.type === 'reauthorization.cleared') begun.push(job.run(tokens.forShop(event.shop)))
    })
    const uninstall = async ({ nodes }: Products): Promise<void> => {
      if (nodes[0]?.id !== 3) return
      shopify.uninstall(shop)
      await clock.advance(2 * HOUR_MS)
    }

    await expect(job.run(tokens.forShop(shop), uninstall)).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      shop,
    })

    expect(job.done).toEqual([1, 2, 3, 4])
    expect(job.progress()).toEqual({ position: 'cursor-4', finished: false })
    expect(eventsOf('reauthorization.required')).toHaveLength(1)

    shopify.installShop(shop)
    await tokens.token(shop, { idToken: shopify.sessionToken(shop) })
    await Promise.all(begun)

    expect(begun).toHaveLength(1)
    expect(job.done).toEqual([1, 2, 3, 4, 5, 6])
    expect(job.progress()).toEqual({ position: 'cursor-6', finished: true })
  })
})

describe('an answer with errors', () => {
  const throttled = { message: 'Throttled: planted', extensions: { code: 'THROTTLED' } }
  const denied = { message: 'planted', extensions: { code: 'ACCESS_DENIED' } }

  it.each<[codes: string, retryable: boolean, errors: readonly object[]]>([
    ['THROTTLED', true, [throttled]],
    ['INTERNAL_SERVER_ERROR', true, [{ message: 'planted', extensions: { code: 'INTERNAL_SERVER_ERROR' } }]],
    ['ACCESS_DENIED', false, [denied]],
    ['THROTTLED, ACCESS_DENIED', false, [throttled, denied]],
    ['unknown', false, [{ message: 'planted' }]],
    ['unknown', false, [{ message: 'planted', extensions: { code: 'two words\nplanted' } }]],
  ])('%s in a 200 ends the job with the codes alone, retryable: %s', async (codes, retryable, errors) => {
    const next = pagesOf(answering({ data: null, errors: errors as never }), QUERY, { connection })

    const error = (await next(null, undefined).catch((refusal: unknown) => refusal)) as AdminResponseError

    expect(error).toMatchObject({ code: 'ERR_ADMIN_RESPONSE', status: 200, retryable, shop })
    expect(error.graphqlCodes.join(', ')).toBe(codes)
    expect(error.message).toBe(`The Admin API answered 200 with errors: ${codes}.`)
  })

  it('leaves the checkpoint where it was, and costs no token', async () => {
    const { seed, shopify, tokenCalls, tokens } = await appWith(6)
    await seed()
    const job = aJob()
    const throttle = ({ nodes }: Products): void => {
      if (nodes[0]?.id !== 3) return
      const body = { errors: [throttled] }
      shopify.faults.next(shop, { kind: 'status', status: 200, body }, { endpoint: 'admin' })
    }

    await expect(job.run(tokens.forShop(shop), throttle)).rejects.toMatchObject({ graphqlCodes: ['THROTTLED'] })
    await job.run(tokens.forShop(shop))

    expect(job.done).toEqual([1, 2, 3, 4, 5, 6])
    expect(tokenCalls()).toBe(0)
  })
})

describe('a query that', () => {
  it.each<[what: string, query: string, options: object, option: string]>([
    ['takes no $after', '{ products(first: 2) { nodes { id } } }', { connection }, 'query'],
    ['is none', 1 as never, { connection }, 'query'],
    ['comes without its connection', QUERY, {}, 'connection'],
    ['comes with an option that there is not', QUERY, { connection, first: 10 }, 'first'],
  ])('%s is refused at once', (_what, query, options, option) => {
    expect(() => pagesOf(answering({}), query, options as PagesOptions<object, never>)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [option] }) as Error,
    )
  })

  it.each<[what: string, data: unknown]>([
    ['does not ask for pageInfo', { products: { nodes: [] } }],
    ['does not ask for endCursor', { products: { pageInfo: { hasNextPage: true } } }],
    ['has its connection elsewhere', { orders: { pageInfo: { hasNextPage: false } } }],
    ['has no data', undefined],
  ])('%s is refused when the page comes', async (_what, data) => {
    const next = pagesOf(answering({ data }), QUERY, { connection })

    await expect(next(null, undefined)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', options: ['connection'] })
  })

  it('gives its connection no cursor is refused, instead of going round in circles', async () => {
    const data = { products: { nodes: [], pageInfo: { hasNextPage: true, endCursor: 'cursor-2' } } }
    const next = pagesOf(answering({ data }), QUERY, { connection })

    expect(await next(null, undefined)).toMatchObject({ position: 'cursor-2', last: false })
    await expect(next('cursor-2', undefined)).rejects.toMatchObject({ code: 'ERR_INVALID_OPTION', options: ['query'] })
  })
})

function answering(result: GraphqlResult): Pick<ShopClient, 'shop' | 'graphql'> {
  return { shop, graphql: async <Data>() => result as GraphqlResult<Data> }
}
