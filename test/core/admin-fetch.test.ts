import { adminFetch, fingerprint, InvalidOptionError, parseShop, staticTokens } from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'

const OTHER = parseShop('other.myshopify.com')
const urlOf = (path: string, at: string = shop): string => `https://${at}${path}`
const PRODUCTS = urlOf('/admin/api/2026-10/products.json')
const FROM_THE_CLIENT = { 'X-Shopify-Access-Token': 'shpat_of_the_client' }

type FetchCall = Parameters<typeof globalThis.fetch>

interface Fetched extends ManagedApp {
  readonly fetch: typeof globalThis.fetch
  /** What was handed on as it came. */
  readonly elsewhere: jest.Mock<Promise<Response>, FetchCall>
}

async function anApp(options: Parameters<typeof managedApp>[0] = {}): Promise<Fetched> {
  const app = await managedApp(options)
  const elsewhere = jest.fn<Promise<Response>, FetchCall>(async () => new Response('elsewhere'))
  return { ...app, elsewhere, fetch: adminFetch(app.tokens, { fetch: elsewhere }) }
}

afterEach(closeAll)

describe('a call of the Admin API', () => {
  it.each<[how: string, call: FetchCall]>([
    ['by its address', [PRODUCTS, { headers: FROM_THE_CLIENT }]],
    ['by an URL', [new URL(PRODUCTS)]],
    ['by a Request', [new Request(PRODUCTS, { headers: FROM_THE_CLIENT })]],
    ['in capitals', [PRODUCTS.toUpperCase().replace('ADMIN/API', 'admin/api')]],
    ['without a version', [urlOf('/admin/oauth/access_scopes.json')]],
  ])('%s is sent with the token of its shop, whatever the client has put in', async (_how, call) => {
    const { elsewhere, fetch, seed, shopify, tokenCalls } = await anApp()
    await seed()

    expect((await fetch(...call)).status).toBe(200)

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1 })
    expect(tokenCalls()).toBe(0)
    expect(elsewhere).not.toHaveBeenCalled()
  })

  it('takes method, headers and body along, out of a Request too', async () => {
    const received: unknown[] = []
    const { fetch, seed } = await anApp({
      shopifyOptions: {
        admin: ({ method, body }) => {
          received.push([method, body])
          return { body: {} }
        },
      },
    })
    await seed()
    const init = { method: 'PUT', body: '{"a":1}', headers: { 'content-type': 'application/json' } }

    await fetch(PRODUCTS, init)
    await fetch(new Request(PRODUCTS, init))
    await fetch(new Request(PRODUCTS, init), { method: 'POST', body: '{"a":2}' })

    expect(received).toEqual([
      ['PUT', { a: 1 }],
      ['PUT', { a: 1 }],
      ['POST', { a: 2 }],
    ])
  })

  it('gets the token of the shop that it is for, out of many', async () => {
    const { fetch, seed, shopify } = await anApp()
    await Promise.all([seed(), seed({ shop: OTHER })])

    const [mine, theirs] = await Promise.all([
      fetch(PRODUCTS),
      fetch(urlOf('/admin/api/2026-10/products.json', OTHER), { headers: FROM_THE_CLIENT }),
    ])

    expect([mine.status, theirs.status]).toEqual([200, 200])
    expect(shopify.counters(OTHER).adminCallsByStatus).toEqual({ 200: 1 })
  })

  it('is renewed and repeated once for a 401', async () => {
    const { fetch, seed, shopify, tokenCalls } = await anApp()
    await seed()
    shopify.faults.next(shop, { kind: 'status', status: 401 }, { endpoint: 'admin' })

    expect((await fetch(PRODUCTS, { method: 'POST', body: '{}' })).status).toBe(200)

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1, 401: 1 })
    expect(tokenCalls()).toBe(1)
  })

  it('from a Request with a body is not repeated, but the call after it has a new token', async () => {
    const { fetch, seed, shopify, tokenCalls } = await anApp()
    await seed()
    shopify.faults.next(shop, { kind: 'status', status: 401 }, { endpoint: 'admin' })
    const request = (): Request => new Request(PRODUCTS, { method: 'POST', body: '{}' })

    expect((await fetch(request())).status).toBe(401)
    expect((await fetch(request())).status).toBe(200)

    expect(shopify.counters(shop).adminCalls).toBe(2)
    expect(tokenCalls()).toBe(1)
  })

  it('is exchanged for an expiring token and repeated when Shopify takes no other any more', async () => {
    const { fetch, put, record, shopify, tokenCalls } = await anApp({ shopifyOptions: { refuseNonExpiring: true } })
    shopify.installShop(shop)
    await put(aRecord.nonExpiring({ accessToken: shopify.mintNonExpiring(shop), secretId: fingerprint(CLIENT_SECRET) }))

    expect((await fetch(PRODUCTS)).status).toBe(200)

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1, 403: 1 })
    expect(await record()).toMatchObject({ kind: 'expiring' })
    expect(tokenCalls()).toBe(1)
  })

  it('works for a day, through one function', async () => {
    const { clock, fetch, seed, shopify, tokenCalls } = await anApp()
    await seed()

    for (let hour = 0; hour < 24; hour++) {
      await clock.advance(HOUR_MS)
      expect((await fetch(PRODUCTS, { headers: FROM_THE_CLIENT })).status).toBe(200)
    }

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 24 })
    expect(tokenCalls()).toBe(24)
  })

  it('of a shop that needs its merchant rejects with that, and nothing is sent', async () => {
    const { fetch, shopify } = await anApp()

    await expect(fetch(PRODUCTS, { headers: FROM_THE_CLIENT })).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      shop,
    })

    expect(shopify.counters(shop).adminCalls).toBe(0)
  })

  it.each([`http://${shop}/admin/api/x`, `https://${shop}:8443/admin/api/x`, `https://a@${shop}/admin/api/x`])(
    'is not sent to %s, where it could be read',
    async (address) => {
      const { elsewhere, fetch, seed } = await anApp()
      await seed()

      await expect(fetch(address)).rejects.toMatchObject({ code: 'ERR_FOREIGN_ORIGIN' })

      expect(elsewhere).not.toHaveBeenCalled()
    },
  )
})

describe('anything else', () => {
  it.each<[what: string, address: string]>([
    ['the Storefront API', urlOf('/api/2026-10/graphql.json')],
    ['a page of the shop', urlOf('/products/hat')],
    ['another host', 'https://storage.googleapis.com/admin/api/bulk.jsonl'],
    ['a host that only looks like a shop', 'https://acme.myshopify.com.evil.com/admin/api/x'],
    ['no address', '/admin/api/2026-10/products.json'],
  ])('%s is handed on as it came, and no token is asked for', async (_what, address) => {
    const { elsewhere, fetch, tokens } = await anApp()
    const token = jest.spyOn(tokens, 'token')
    const init = { headers: FROM_THE_CLIENT }

    expect(await (await fetch(address, init)).text()).toBe('elsewhere')

    expect(elsewhere.mock.calls).toEqual([[address, init]])
    expect(elsewhere.mock.calls[0]?.[1]).toBe(init)
    expect(token).not.toHaveBeenCalled()
  })

  it('needs no token: least of all the token endpoint, which takes none', async () => {
    const { elsewhere, fetch } = await anApp()

    await fetch(urlOf('/admin/oauth/access_token'), { method: 'POST', body: '{}' })

    expect(elsewhere).toHaveBeenCalledTimes(1)
  })

  it('as a Request is the same Request', async () => {
    const { elsewhere, fetch } = await anApp()
    const request = new Request('https://example.com/', { method: 'POST', body: 'x' })

    await fetch(request)

    expect(elsewhere.mock.calls[0]?.[0]).toBe(request)
    expect(request.bodyUsed).toBe(false)
  })

  it('goes to the global fetch of the moment when none is given', async () => {
    const { tokens } = await managedApp()
    const fetch = adminFetch(tokens)
    const global = jest.spyOn(globalThis, 'fetch').mockResolvedValue(new Response('global'))

    expect(await (await fetch('https://example.com/')).text()).toBe('global')

    expect(global).toHaveBeenCalledTimes(1)
  })
})

it('static tokens are served the same way', async () => {
  const sent = jest.fn<Promise<Response>, [string, RequestInit]>(async () => new Response('{}'))
  const fetch = adminFetch(staticTokens({ [shop]: 'shpat_static' }, { fetch: sent }))

  await fetch(PRODUCTS, { headers: FROM_THE_CLIENT })

  expect(new Headers(sent.mock.calls[0]?.[1].headers).get('x-shopify-access-token')).toBe('shpat_static')
})

it.each<[what: string, args: readonly unknown[], option: string]>([
  ['no tokens', [], 'tokens'],
  ['tokens that give no clients', [{ token: () => undefined }], 'tokens'],
  ['a fetch that is none', [staticTokens({}), { fetch: 'https://proxy' }], 'fetch'],
  ['an option that there is not', [staticTokens({}), { agent: {} }], 'agent'],
])('%s: refused when the function is made', (_what, args, option) => {
  const make = adminFetch as (...args: readonly unknown[]) => unknown
  expect(() => make(...args)).toThrow(InvalidOptionError)
  expect(() => make(...args)).toThrow(expect.objectContaining({ options: [option] }) as Error)
})
