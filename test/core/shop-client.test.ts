import { Readable } from 'node:stream'
import {
  AccessToken,
  AdminResponseError,
  createShopClient,
  currentShop,
  ForeignOriginError,
  InvalidOptionError,
  InvalidShopError,
  parseShop,
  ReauthorizationRequiredError,
  type Shop,
  type ShopClient,
  staticTokens,
  StoreUnreadableError,
  type TokenOptions,
  type TokenSource,
} from '@shopify-tokens/core'
import { type AdminRequest, aRecord, FakeClock, FakeShopify, type Fault } from '@shopify-tokens/testing'

const SHOP = parseShop('acme.myshopify.com')
const OTHER_SHOP = 'other.myshopify.com'
const PATH = '/admin/api/2026-10/shop.json'
const NON_EXPIRING = '[API] Non-expiring access tokens are no longer accepted for the Admin API.'

const tokenOf = (accessToken: string): AccessToken => new AccessToken(SHOP, aRecord.expiring({ accessToken }))

/** Gives the tokens of a list, one per call, the last one for ever; notes how it was asked. */
class ListedTokens implements TokenSource {
  readonly asked: (TokenOptions | undefined)[] = []
  readonly #values: string[]

  constructor(...values: string[]) {
    this.#values = values
  }

  async token(shop: Shop, options?: TokenOptions): Promise<AccessToken> {
    this.asked.push(options)
    const value = this.#values.length > 1 ? this.#values.shift() : this.#values[0]
    return new AccessToken(shop, aRecord.expiring({ accessToken: value ?? '' }))
  }
}

type Sent = [url: string, init: RequestInit]

let shopify: FakeShopify
let live: string
let received: AdminRequest[]
let fetch: jest.Mock<Promise<Response>, Sent>

beforeEach(async () => {
  received = []
  shopify = await FakeShopify.start({
    clientId: 'client-id',
    clientSecret: 'client-secret',
    clock: new FakeClock(),
    admin(request) {
      received.push(request)
      return { body: { data: { path: request.path } } }
    },
  })
  live = shopify.mintPair(SHOP).accessToken
  fetch = jest.fn<Promise<Response>, Sent>((url, init) => shopify.fetch(url, init))
})

afterEach(() => shopify.close())

function clientOf(source: TokenSource, apiVersion: string | null = '2026-10', idToken?: string): ShopClient {
  return createShopClient(source, SHOP, { fetch, apiVersion }, idToken)
}

describe("a shop's client", () => {
  it('asks for a token and does nothing else before it is used', () => {
    const source = new ListedTokens(live)

    expect(clientOf(source).shop).toBe(SHOP)

    expect(source.asked).toEqual([])
    expect(fetch).not.toHaveBeenCalled()
  })

  it.each(['evil.com', 'acme.myshopify.com.evil.com', 'acme.myshopify.com@evil.com'])(
    'is not made for %s, to which it would send the token',
    (host) => {
      expect(() => createShopClient(new ListedTokens(live), host as Shop, { fetch, apiVersion: null })).toThrow(
        InvalidShopError,
      )
    },
  )

  it('sends the token of the moment with every call', async () => {
    const next = shopify.mintPair(SHOP).accessToken
    const client = clientOf(new ListedTokens(live, next))

    expect((await client.fetch(PATH)).status).toBe(200)
    expect((await client.fetch(PATH)).status).toBe(200)

    expect(fetch.mock.calls.map(([, init]) => new Headers(init.headers).get('x-shopify-access-token'))).toEqual([
      live,
      next,
    ])
  })

  it('works through methods taken off the object', async () => {
    const { accessToken, fetch: shopFetch, graphql, run } = clientOf(new ListedTokens(live))

    expect((await shopFetch(PATH)).status).toBe(200)
    expect((await accessToken()).value).toBe(live)
    expect(await graphql('{ shop { name } }')).toHaveProperty('data')
    expect(run(() => currentShop().shop)).toBe(SHOP)
  })

  it('gives the session token of the merchant who is present with every question', async () => {
    const source = new ListedTokens('shpat_refused', live)
    const { signal } = new AbortController()
    const client = clientOf(source, null, 'id-token')

    await client.fetch(PATH, { signal })
    await client.accessToken({ signal })

    expect(source.asked).toEqual([
      { idToken: 'id-token', signal },
      { idToken: 'id-token', signal, rejected: 'shpat_refused' },
      { idToken: 'id-token', signal },
    ])
  })

  it('passes method, body and headers on', async () => {
    await clientOf(new ListedTokens(live)).fetch(PATH, {
      method: 'PUT',
      body: '{"a":1}',
      headers: { 'content-type': 'application/json' },
    })

    expect(received).toEqual([expect.objectContaining({ method: 'PUT', body: { a: 1 } })])
  })

  it('rejects with the reason of a signal that has aborted', async () => {
    const source: TokenSource = {
      token: async (_shop, options) => {
        options?.signal?.throwIfAborted()
        return tokenOf(live)
      },
    }

    await expect(clientOf(source).fetch(PATH, { signal: AbortSignal.abort('gone') })).rejects.toBe('gone')
  })
})

describe('a path', () => {
  it.each<[path: string | URL, at: string]>([
    [PATH, PATH],
    ['admin/api/2026-10/shop.json', PATH],
    [`https://${SHOP}${PATH}`, PATH],
    [`HTTPS://ACME.MYSHOPIFY.COM${PATH}`, PATH],
    [`https://${SHOP}:443${PATH}`, PATH],
    [`//${SHOP}${PATH}`, PATH],
    [new URL(`https://${SHOP}${PATH}?a=1`), `${PATH}?a=1`],
    ['/a/../admin/x', '/admin/x'],
    ['/@evil.com', '/@evil.com'],
    ['/https://evil.com', '/https://evil.com'],
    ['https:evil.com', '/evil.com'],
    ['', '/'],
    ['?a=1', '/?a=1'],
  ])('%s leads into the shop', async (path, at) => {
    await clientOf(new ListedTokens(live)).fetch(path)

    expect(fetch.mock.calls.map(([url]) => url)).toEqual([`https://${SHOP}${at}`])
  })

  it.each<[path: string | URL]>([
    ['//evil.com'],
    ['///evil.com'],
    ['\\\\evil.com'],
    ['/\\evil.com'],
    ['\t//evil.com'],
    [' //evil.com'],
    ['/\t/evil.com'],
    ['/\n/evil.com'],
    ['https://evil.com'],
    ['https:/\\evil.com'],
    ['https:\\\\evil.com'],
    ['http:evil.com'],
    ['https://evil.com/https://acme.myshopify.com/'],
    [`https://${SHOP}@evil.com/`],
    [`https://${SHOP}%40evil.com/`],
    [`https://shop@${SHOP}/`],
    [`https://:pass@${SHOP}/`],
    [`https://${SHOP}.evil.com/`],
    [`https://${SHOP}./`],
    [`https://evil.com#@${SHOP}/`],
    [`https://evil.com\\@${SHOP}/`],
    [`https://${OTHER_SHOP}${PATH}`],
    [`//${OTHER_SHOP}${PATH}`],
    [`http://${SHOP}${PATH}`],
    [`https://${SHOP}:8443${PATH}`],
    [`https://${SHOP}:80${PATH}`],
    [`wss://${SHOP}/`],
    [`blob:https://${SHOP}/x`],
    ['data:text/plain,x'],
    ['javascript:alert(1)'],
    ['file:///etc/passwd'],
    [`${SHOP}:8443/x`],
    ['https://'],
    ['https://[::1'],
    [`https://xn--${SHOP}/`],
    [new URL('https://evil.com/')],
    [new URL(`http://${SHOP}/`)],
  ])('%s leads elsewhere: nothing is asked for and nothing is sent', async (path) => {
    const source = new ListedTokens(live)

    await expect(clientOf(source).fetch(path)).rejects.toThrow(ForeignOriginError)

    expect(source.asked).toEqual([])
    expect(fetch).not.toHaveBeenCalled()
  })

  it('that leads elsewhere is not repeated in the error', async () => {
    const error = (await clientOf(new ListedTokens(live))
      .fetch('https://evil.com/?planted')
      .catch((refusal: unknown) => refusal)) as ForeignOriginError

    expect(error).toMatchObject({ code: 'ERR_FOREIGN_ORIGIN', shop: SHOP })
    expect(error.message).not.toMatch(/evil|planted/)
  })

  it('is judged as it is sent, although an object prints differently each time', async () => {
    const answers = [PATH, 'https://evil.com/', 'https://evil.com/']
    const shifty = { toString: () => answers.shift() ?? PATH } as unknown as string

    await expect(clientOf(new ListedTokens(live)).fetch(shifty)).rejects.toThrow(ForeignOriginError)

    expect(fetch).not.toHaveBeenCalled()
  })
})

describe('the options of a request', () => {
  it.each<[what: string, headers: NonNullable<RequestInit['headers']>]>([
    ['an object', { 'X-Shopify-Access-Token': 'shpat_other' }],
    ['pairs', [['x-shopify-access-token', 'shpat_other']]],
    ['Headers', new Headers({ 'x-shopify-access-token': 'shpat_other' })],
  ])('cannot replace the token by %s', async (_what, headers) => {
    const response = await clientOf(new ListedTokens(live)).fetch(PATH, { headers })

    expect(response.status).toBe(200)
    expect(new Headers(fetch.mock.calls[0]![1].headers).get('x-shopify-access-token')).toBe(live)
  })

  it.each(['follow', 'error'] as const)('cannot make it %s redirects', async (redirect) => {
    shopify.faults.next(SHOP, { kind: 'redirect' }, { endpoint: 'admin' })

    const response = await clientOf(new ListedTokens(live)).fetch(PATH, { redirect })

    expect(response.status).toBe(307)
    expect(shopify.strayRequests).toBe(0)
  })

  it('do not come back changed', async () => {
    const headers = new Headers({ accept: 'application/json' })

    await clientOf(new ListedTokens(live)).fetch(PATH, { headers })

    expect([...headers]).toEqual([['accept', 'application/json']])
  })
})

describe('a redirect', () => {
  it.each<Extract<Fault, { kind: 'redirect' }>>([
    { kind: 'redirect', status: 301 },
    { kind: 'redirect', status: 302 },
    { kind: 'redirect', status: 303 },
    { kind: 'redirect', status: 307 },
    { kind: 'redirect', status: 308 },
    { kind: 'redirect', location: `https://${OTHER_SHOP}/` },
  ])('is the answer, and not followed: %j', async (fault) => {
    shopify.faults.next(SHOP, fault, { endpoint: 'admin' })

    const response = await clientOf(new ListedTokens(live)).fetch(PATH)

    expect(response.status).toBe(fault.status ?? 307)
    expect(shopify.strayRequests).toBe(0)
    expect(shopify.counters().adminCalls).toBe(1)
  })
})

describe('a 401', () => {
  it('makes the source renew once, and the request is repeated with the new token', async () => {
    const source = new ListedTokens('shpat_refused', live)

    const response = await clientOf(source).fetch(PATH, { method: 'POST', body: '{"a":1}' })

    expect(response.status).toBe(200)
    expect(source.asked).toEqual([
      expect.not.objectContaining({ rejected: expect.anything() as unknown }),
      expect.objectContaining({ rejected: 'shpat_refused' }),
    ])
    expect(received).toEqual([expect.objectContaining({ method: 'POST', body: { a: 1 } })])
  })

  it('goes to the caller when the source has only the same token', async () => {
    const source = new ListedTokens('shpat_refused')

    const response = await clientOf(source).fetch(PATH)

    expect(response.status).toBe(401)
    expect(await response.json()).toHaveProperty('errors')
    expect(fetch).toHaveBeenCalledTimes(1)
  })

  it('to the new token too goes to the caller, and starts no loop', async () => {
    const source = new ListedTokens('shpat_first', 'shpat_second', 'shpat_third')

    const response = await clientOf(source).fetch(PATH)

    expect(response.status).toBe(401)
    expect(fetch).toHaveBeenCalledTimes(2)
    expect(source.asked).toHaveLength(2)
  })

  it.each([400, 402, 403, 404, 423, 429, 430, 500])('is the only status that renews: %i does not', async (status) => {
    shopify.faults.next(SHOP, { kind: 'status', status }, { endpoint: 'admin' })
    const source = new ListedTokens(live)

    expect((await clientOf(source).fetch(PATH)).status).toBe(status)

    expect(source.asked).toHaveLength(1)
  })

  it.each<[what: string, body: () => unknown]>([
    ['text', () => '{"a":1}'],
    ['bytes', () => Buffer.from('{"a":1}')],
    ['a form', () => new URLSearchParams({ a: '1' })],
    ['a multipart form', () => new FormData()],
    ['a blob', () => new Blob(['{"a":1}'])],
    ['null', () => null],
  ])('repeats a body of %s', async (_what, body) => {
    const response = await clientOf(new ListedTokens('shpat_refused', live)).fetch(PATH, {
      method: 'POST',
      body: body() as string,
    })

    expect(response.status).toBe(200)
    expect(fetch).toHaveBeenCalledTimes(2)
  })

  it.each<[what: string, body: () => unknown]>([
    ['a web stream', () => new Blob(['{"a":1}']).stream()],
    ['a Node stream', () => Readable.from([Buffer.from('{"a":1}')])],
    [
      'a generator',
      async function* () {
        yield Buffer.from('{"a":1}')
      },
    ],
  ])('to a body of %s goes to the caller, because it can be read only once', async (_what, body) => {
    const source = new ListedTokens('shpat_refused', live)

    const init: RequestInit = { method: 'POST', body: body() as string, duplex: 'half' }
    const response = await clientOf(source).fetch(PATH, init)

    expect(response.status).toBe(401)
    expect(fetch).toHaveBeenCalledTimes(1)
    expect(source.asked[1]).toMatchObject({ rejected: 'shpat_refused' })
  })

  it('that cannot be mended rejects with why, and frees the connection', async () => {
    const refused = new Response('{"errors":"no"}', { status: 401 })
    const cancelled = jest.spyOn(refused.body!, 'cancel')
    fetch.mockResolvedValue(refused)
    const failure = new ReauthorizationRequiredError('refresh-token-rejected', { shop: SHOP })
    const source: TokenSource = {
      token: (_shop, options) =>
        options?.rejected === undefined ? Promise.resolve(tokenOf('shpat_refused')) : Promise.reject(failure),
    }

    await expect(clientOf(source).fetch(PATH)).rejects.toBe(failure)

    expect(cancelled).toHaveBeenCalledTimes(1)
  })

  it('without a body is repeated too', async () => {
    fetch.mockResolvedValueOnce(new Response(null, { status: 401 }))

    expect((await clientOf(new ListedTokens('shpat_refused', live)).fetch(PATH)).status).toBe(200)
  })

  it('without a body that cannot be mended rejects with why', async () => {
    fetch.mockResolvedValueOnce(new Response(null, { status: 401 }))
    const source: TokenSource = {
      token: async (_shop, options) => {
        if (options?.rejected !== undefined) throw new Error('away')
        return tokenOf('shpat_refused')
      },
    }

    await expect(clientOf(source).fetch(PATH)).rejects.toThrow('away')
  })
})

describe('the 403 with which Shopify refuses non-expiring tokens', () => {
  let original: string

  beforeEach(() => {
    shopify.configure({ refuseNonExpiring: true })
    original = shopify.mintNonExpiring(SHOP)
  })

  it('makes the source migrate, and the request is repeated with the new token', async () => {
    const source = new ListedTokens(original, live)

    const response = await clientOf(source).fetch(PATH, { method: 'POST', body: '{"a":1}' })

    expect(response.status).toBe(200)
    expect(source.asked).toEqual([
      expect.not.objectContaining({ rejected: expect.anything() as unknown }),
      expect.objectContaining({ rejected: original, rejectedAs: 'non-expiring' }),
    ])
    expect(received).toEqual([expect.objectContaining({ method: 'POST', body: { a: 1 } })])
  })

  it('makes it migrate for graphql', async () => {
    const source = new ListedTokens(original, live)

    expect(await clientOf(source).graphql('{ x }')).toHaveProperty('data')
    expect(source.asked[1]).toMatchObject({ rejectedAs: 'non-expiring' })
  })

  it('goes to the caller, unread, when the source has only the same token', async () => {
    const response = await clientOf(staticTokens({ [SHOP]: original })).fetch(PATH)

    expect(response.status).toBe(403)
    expect(response.bodyUsed).toBe(false)
    expect(await response.json()).toMatchObject({ errors: expect.stringContaining('no longer accepted') as string })
    expect(fetch).toHaveBeenCalledTimes(1)
  })

  it('to the new token too goes to the caller, and starts no loop', async () => {
    const source = new ListedTokens(original, shopify.mintNonExpiring(SHOP), live)

    expect((await clientOf(source).fetch(PATH)).status).toBe(403)
    expect(fetch).toHaveBeenCalledTimes(2)
    expect(source.asked).toHaveLength(2)
  })

  it('to a body that can be read only once goes to the caller, and the source is told', async () => {
    const source = new ListedTokens(original, live)
    const body = Readable.from([Buffer.from('{"a":1}')]) as unknown as string

    const response = await clientOf(source).fetch(PATH, { method: 'POST', body, duplex: 'half' })

    expect(response.status).toBe(403)
    expect(fetch).toHaveBeenCalledTimes(1)
    expect(source.asked[1]).toMatchObject({ rejected: original, rejectedAs: 'non-expiring' })
    expect(await response.json()).toHaveProperty('errors')
  })

  it.each<[what: string, status: number, body: string | null]>([
    ['no body', 403, null],
    ['a page', 403, `<html>${NON_EXPIRING}</html>`],
    ['half of a JSON', 403, `{"errors":"${NON_EXPIRING}`],
    ['another text', 403, '{"errors":"[API] Access denied"}'],
    ['a list', 403, `{"errors":["${NON_EXPIRING}"]}`],
    ['an object', 403, `{"errors":{"base":"${NON_EXPIRING}"}}`],
    ['the sentence elsewhere', 403, `{"message":"${NON_EXPIRING}"}`],
    ['null', 403, 'null'],
    ['more than 64 kB', 403, JSON.stringify({ errors: NON_EXPIRING, padding: 'x'.repeat(65_536) })],
    ['another status', 400, JSON.stringify({ errors: NON_EXPIRING })],
    ['an outage', 500, JSON.stringify({ errors: NON_EXPIRING })],
  ])('is not what this is, and it goes to the caller as it came: %s', async (_what, status, body) => {
    fetch.mockResolvedValueOnce(new Response(body, { status }))
    const source = new ListedTokens(original, live)

    const response = await clientOf(source).fetch(PATH)

    expect(response.status).toBe(status)
    expect(response.bodyUsed).toBe(false)
    expect(await response.text()).toBe(body ?? '')
    expect(source.asked).toHaveLength(1)
  })

  it('that breaks off is no verdict, and breaks off for the caller too', async () => {
    const body = new ReadableStream({
      pull(controller) {
        controller.error(new Error('cut off'))
      },
    })
    fetch.mockResolvedValueOnce(new Response(body, { status: 403 }))
    const source = new ListedTokens(original, live)

    const response = await clientOf(source).fetch(PATH)

    await expect(response.text()).rejects.toThrow('cut off')
    expect(source.asked).toHaveLength(1)
  })

  it('that cannot be mended rejects with why, and frees the connection', async () => {
    const refused = new Response(JSON.stringify({ errors: NON_EXPIRING }), { status: 403 })
    fetch.mockResolvedValue(refused)
    const source: TokenSource = {
      token: (_shop, options) =>
        options?.rejected === undefined ? Promise.resolve(tokenOf(original)) : Promise.reject(new Error('away')),
    }

    await expect(clientOf(source).fetch(PATH)).rejects.toThrow('away')
    expect(refused.bodyUsed).toBe(true)
  })
})

describe('a token that no header can carry', () => {
  it.each(['shpat_planted\r\nx-evil: 1', 'shpat_planted\0', 'shpat_planted\u20AC'])(
    'is not sent, and not quoted: %j',
    async (value) => {
      const error = (await clientOf(new ListedTokens(value))
        .fetch(PATH)
        .catch((refusal: unknown) => refusal)) as StoreUnreadableError

      expect(error).toBeInstanceOf(StoreUnreadableError)
      expect(error.shop).toBe(SHOP)
      expect(error.cause).toBeUndefined()
      expect(`${error.message}${String(error.stack)}`).not.toContain('shpat_planted')
      expect(fetch).not.toHaveBeenCalled()
    },
  )
})

describe('graphql', () => {
  it('posts query and variables to the configured version and answers with the body', async () => {
    const result = await clientOf(new ListedTokens(live)).graphql('query($n: Int) { x }', { variables: { n: 1 } })

    expect(result).toEqual({ data: { path: '/admin/api/2026-10/graphql.json' } })
    expect(received).toEqual([
      expect.objectContaining({ method: 'POST', body: { query: 'query($n: Int) { x }', variables: { n: 1 } } }),
    ])
  })

  it('takes the version of the call before the configured one', async () => {
    await clientOf(new ListedTokens(live)).graphql('{ x }', { apiVersion: '2027-01' })

    expect(received[0]?.apiVersion).toBe('2027-01')
  })

  it('without any version throws before anything is sent', async () => {
    const source = new ListedTokens(live)

    const error = await clientOf(source, null)
      .graphql('{ x }')
      .catch((refusal: unknown) => refusal)

    expect(error).toBeInstanceOf(InvalidOptionError)
    expect(error).toMatchObject({ options: ['apiVersion'] })
    expect(source.asked).toEqual([])
  })

  it.each(['../../..', '2026-10/../..', 'x?y=', '\\evil.com', '@evil.com'])(
    'stays on the path although the version is %s',
    async (apiVersion) => {
      await clientOf(new ListedTokens(live)).graphql('{ x }', { apiVersion })

      expect(fetch.mock.calls.map(([url]) => new URL(url).origin)).toEqual([`https://${SHOP}`])
      expect(received[0]?.path).toMatch(/graphql\.json$/)
    },
  )

  it('leaves errors in a 200 to the caller', async () => {
    fetch.mockResolvedValue(new Response('{"errors":[{"message":"Throttled"}]}'))

    await expect(clientOf(new ListedTokens(live)).graphql('{ x }')).resolves.toEqual({
      errors: [{ message: 'Throttled' }],
    })
  })

  it('hands the signal on', async () => {
    const source = new ListedTokens(live)
    const { signal } = new AbortController()

    await clientOf(source).graphql('{ x }', { signal })

    expect(source.asked[0]?.signal).toBe(signal)
    expect(fetch.mock.calls[0]![1].signal).toBe(signal)
  })

  it('renews once for a 401', async () => {
    const result = await clientOf(new ListedTokens('shpat_refused', live)).graphql('{ x }')

    expect(result).toHaveProperty('data')
    expect(fetch).toHaveBeenCalledTimes(2)
  })

  it.each([302, 401, 403, 404, 429, 500])(
    'rejects a %i with its status and request id, without its body',
    async (status) => {
      const refused = new Response('planted body', { status, headers: { 'x-request-id': 'req-1' } })
      const cancelled = jest.spyOn(refused.body!, 'cancel')
      fetch.mockResolvedValue(refused)

      const error = (await clientOf(new ListedTokens(live))
        .graphql('{ x }')
        .catch((refusal: unknown) => refusal)) as AdminResponseError

      expect(error).toBeInstanceOf(AdminResponseError)
      expect(error).toMatchObject({ status, shop: SHOP, requestId: 'req-1' })
      expect(error.cause).toBeUndefined()
      expect(error.message).toBe(`The Admin API answered ${String(status)}${status < 300 ? ' without JSON' : ''}.`)
      // A 403 has been read to its end: it might have been about the token.
      expect(cancelled).toHaveBeenCalledTimes(status === 403 ? 0 : 1)
    },
  )

  it('rejects a refusal without a body and without a request id', async () => {
    fetch.mockResolvedValue(new Response(null, { status: 503 }))

    await expect(clientOf(new ListedTokens(live)).graphql('{ x }')).rejects.toMatchObject({
      status: 503,
      retryable: true,
      requestId: undefined,
    })
  })

  it.each(['<html>planted</html>', '', 'null', '42', '"planted"'])(
    'rejects a 200 with %j, and does not quote it',
    async (body) => {
      fetch.mockResolvedValue(new Response(body))

      const error = (await clientOf(new ListedTokens(live))
        .graphql('{ x }')
        .catch((refusal: unknown) => refusal)) as AdminResponseError

      expect(error).toMatchObject({ code: 'ERR_ADMIN_RESPONSE', status: 200 })
      expect(error.cause).toBeUndefined()
      expect(error.message).toBe('The Admin API answered 200 without JSON.')
    },
  )
})
