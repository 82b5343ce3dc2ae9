import { parseShop, Secret, type Shop } from '@shopify-tokens/core'
import {
  FAKE_EPOCH,
  FakeClock,
  FakeShopify,
  type Fault,
  fingerprint,
  type MintedPair,
  type TokenField,
} from '@shopify-tokens/testing'
import type { Credential } from '../../packages/core/src/oauth/grants.js'
import { type Exchange, presentCredential, type TokenEndpoint } from '../../packages/core/src/oauth/token-endpoint.js'

const SHOP = parseShop('acme.myshopify.com')
const CLIENT_SECRET = 'shpss_planted'
const HOUR_MS = 3_600_000

type Body = string | Uint8Array | ReadableStream<Uint8Array> | null

let clock: FakeClock
let shopify: FakeShopify
let pair: MintedPair

beforeEach(async () => {
  clock = new FakeClock()
  shopify = await FakeShopify.start({ clientId: 'client-id', clientSecret: CLIENT_SECRET, clock })
  pair = shopify.mintPair(SHOP)
})

afterEach(() => shopify.close())

const endpoint = (changed: Partial<TokenEndpoint> = {}): TokenEndpoint => ({
  clientId: 'client-id',
  clientSecret: new Secret(CLIENT_SECRET),
  fetch: shopify.fetch,
  clock,
  requestTimeoutMs: 5_000,
  maxRetryAfterMs: HOUR_MS,
  ...changed,
})
const refresh = (changed: Partial<TokenEndpoint> = {}, shop: Shop = SHOP): Promise<Exchange> =>
  presentCredential(endpoint(changed), shop, { grant: 'refresh', value: pair.refreshToken })
const answering = (body: Body, init?: ResponseInit): Partial<TokenEndpoint> => ({
  fetch: async () => new Response(body, init),
})

const NO_ANSWER = { outcome: 'transient', status: undefined, conclusive: false, retryAfterMs: undefined }
const outage = (status: number): object => ({ outcome: 'transient', status, conclusive: false })
const unavailable = (status: number, understood: boolean): object => ({ outcome: 'unavailable', status, understood })

describe('a grant', () => {
  it('brings a pair, with what Shopify said about the exchange', async () => {
    const { answer, ...exchange } = await refresh()

    expect(answer).toMatchObject({
      outcome: 'granted',
      tokens: {
        kind: 'expiring',
        lifetimeMs: HOUR_MS,
        refreshLifetimeMs: 90 * 24 * HOUR_MS,
        scopes: ['read_products'],
      },
    })
    expect(exchange).toEqual({
      requestId: shopify.log(SHOP)[0]?.requestId,
      sentAt: FAKE_EPOCH,
      answeredAt: FAKE_EPOCH,
      dateHeader: FAKE_EPOCH,
    })
  })

  it.each<[grant: Credential['grant'], mint: () => string]>([
    ['refresh', () => pair.refreshToken],
    ['id-token', () => shopify.sessionToken(SHOP)],
    ['code', () => shopify.issueCode(SHOP)],
    ['migration', () => shopify.mintNonExpiring(SHOP)],
  ])('of kind %s is presented as Shopify knows it, without a parameter too many', async (grant, mint) => {
    const value = mint()

    const { answer } = await presentCredential(endpoint(), SHOP, { grant, value })

    expect(answer.outcome).toBe('granted')
    const [entry] = shopify.log(SHOP)
    expect(entry).toMatchObject({ grant, presented: fingerprint(value), outcome: 'granted' })
    expect(entry?.unexpectedParameters).toBeUndefined()
  })

  it('is one POST of a form to the shop, whose address holds no secret', async () => {
    const fetch = jest.fn<Promise<Response>, [string, RequestInit]>(async () => new Response('{}'))

    await refresh({ fetch })

    expect(fetch).toHaveBeenCalledTimes(1)
    const [url, init] = fetch.mock.calls[0]!
    expect(url).toBe('https://acme.myshopify.com/admin/oauth/access_token')
    expect(init).toMatchObject({
      method: 'POST',
      redirect: 'manual',
      headers: { accept: 'application/json', 'content-type': 'application/x-www-form-urlencoded' },
    })
    expect(Object.fromEntries(new URLSearchParams(init.body as string))).toEqual({
      client_id: 'client-id',
      client_secret: CLIENT_SECRET,
      grant_type: 'refresh_token',
      refresh_token: pair.refreshToken,
    })
  })

  it('keeps a credential with & and = in it in its place', async () => {
    const fetch = jest.fn<Promise<Response>, [string, RequestInit]>(async () => new Response('{}'))

    await presentCredential(endpoint({ fetch }), SHOP, { grant: 'code', value: 'a&client_secret=b+c' })

    expect(new URLSearchParams(fetch.mock.calls[0]![1].body as string).getAll('client_secret')).toEqual([CLIENT_SECRET])
  })

  it.each(['evil.com', 'a.myshopify.com.evil.com', 'a.myshopify.com@evil.com', 'a.myshopify.com:8443', ''])(
    'is not sent to %j, which only claims to be a shop',
    async (host) => {
      const fetch = jest.fn<Promise<Response>, [string, RequestInit]>()

      const { answer } = await refresh({ fetch }, host as Shop)

      expect(fetch).not.toHaveBeenCalled()
      expect(answer).toEqual(NO_ANSWER)
    },
  )

  it('counts from when it was sent, not from the answer', async () => {
    const hold = shopify.hold('token')
    const exchange = refresh()
    await hold.arrived()
    await clock.advance(2_000)
    hold.release()

    await expect(exchange).resolves.toMatchObject({ sentAt: FAKE_EPOCH, answeredAt: FAKE_EPOCH + 2_000 })
  })

  it("learns Shopify's time from the Date header", async () => {
    shopify.configure({ dateOffsetMs: -90_000 })

    await expect(refresh()).resolves.toMatchObject({ dateHeader: FAKE_EPOCH - 90_000, answeredAt: FAKE_EPOCH })
  })

  it('does without the Date header, and without one that cannot be read', async () => {
    shopify.configure({ sendDate: false })

    expect((await refresh()).dateHeader).toBeNull()
    expect((await refresh(answering('{}', { headers: { date: 'planted' } }))).dateHeader).toBeNull()
  })
})

/** Every fault of the fake, and what a refresh makes of it. */
const FAULTS: readonly (readonly [fault: Fault, means: object])[] = [
  [{ kind: 'refuse' }, NO_ANSWER],
  [{ kind: 'reset', when: 'before' }, NO_ANSWER],
  [{ kind: 'reset', when: 'after' }, NO_ANSWER],
  [{ kind: 'cut' }, NO_ANSWER],
  [{ kind: 'slow', ms: 1 }, { outcome: 'granted' }],
  [{ kind: 'twice', answer: 'second' }, { outcome: 'granted' }],
  [{ kind: 'error-520', when: 'before' }, outage(520)],
  [{ kind: 'error-520', when: 'after' }, outage(520)],
  [{ kind: 'html', when: 'before' }, outage(502)],
  [{ kind: 'html', when: 'after', status: 200 }, outage(200)],
  [{ kind: 'html', when: 'before', status: 401 }, outage(401)],
  [{ kind: 'html', when: 'before', status: 404 }, unavailable(404, true)],
  [{ kind: 'truncated' }, outage(200)],
  [{ kind: 'oversized' }, outage(200)],
  [{ kind: 'oversized', bytes: 5_000_000 }, outage(200)],
  [{ kind: 'oversized', bytes: 65_536 }, { outcome: 'granted' }],
  [{ kind: 'redirect', status: 301 }, unavailable(301, false)],
  [{ kind: 'redirect', status: 302 }, unavailable(302, false)],
  [{ kind: 'redirect', status: 303 }, unavailable(303, false)],
  [{ kind: 'redirect', status: 307 }, unavailable(307, false)],
  [{ kind: 'redirect', status: 308 }, unavailable(308, false)],
  [{ kind: 'redirect', location: 'https://other.myshopify.com/admin/oauth/access_token' }, unavailable(307, false)],
  [{ kind: 'terminal' }, { outcome: 'terminal', reason: 'credential-dead', status: 401 }],
  [{ kind: 'decoy' }, unavailable(400, false)],
  [{ kind: 'decoy', status: 403 }, unavailable(403, true)],
  [{ kind: 'decoy', status: 503 }, outage(503)],
  [{ kind: 'invalid-grant' }, { outcome: 'terminal', reason: 'credential-dead', status: 400 }],
  [
    { kind: 'invalid-grant', status: 401 },
    { outcome: 'terminal', reason: 'credential-dead', status: 401 },
  ],
  [{ kind: 'app-not-installed' }, { outcome: 'terminal', reason: 'app-not-installed', status: 400 }],
  [{ kind: 'invalid-subject-token' }, { ...unavailable(400, false), error: 'invalid_subject_token' }],
  [{ kind: 'code-used' }, { ...unavailable(400, false), error: 'invalid_request' }],
  [{ kind: 'invalid-client' }, { outcome: 'misconfigured', status: 401, error: 'invalid_client' }],
  [{ kind: 'unknown-application' }, { outcome: 'misconfigured', error: 'invalid_request' }],
  [
    { kind: 'oauth-error', status: 400, error: '' },
    { ...unavailable(400, false), error: '' },
  ],
  [
    { kind: 'oauth-error', status: 418, error: 'something_new' },
    { ...unavailable(418, false), error: 'something_new' },
  ],
  [{ kind: 'status', status: 402 }, unavailable(402, true)],
  [{ kind: 'status', status: 403 }, unavailable(403, true)],
  [{ kind: 'status', status: 404 }, unavailable(404, true)],
  [{ kind: 'status', status: 423 }, unavailable(423, true)],
  [{ kind: 'status', status: 430 }, unavailable(430, true)],
  [{ kind: 'status', status: 408 }, outage(408)],
  [{ kind: 'status', status: 500 }, outage(500)],
  [{ kind: 'status', status: 400, body: [] }, unavailable(400, false)],
  [{ kind: 'status', status: 200, body: null }, outage(200)],
  [{ kind: 'throttled' }, { outcome: 'transient', status: 429, conclusive: true }],
  [{ kind: 'not-expiring' }, { outcome: 'granted' }],
  [{ kind: 'missing', field: 'access_token' }, outage(200)],
  [{ kind: 'missing', field: 'refresh_token' }, outage(200)],
]

describe('a fault', () => {
  it.each(FAULTS)('%j is an answer of its own kind', async (fault, means) => {
    const struck = shopify.faults.next(SHOP, fault)

    const { answer } = await refresh()

    expect(answer).toMatchObject(means)
    expect(struck.struck).toBe(1)
    expect(shopify.strayRequests).toBe(0)
  })

  it.each(['before', 'after'] as const)('that hangs %s Shopify acts ends with the deadline', async (when) => {
    const hang = shopify.faults.next(SHOP, { kind: 'hang', when })
    const exchange = refresh()
    await hang.untilStruck()

    await clock.advance(4_999)
    const early = await Promise.race([exchange, clock.settle().then(() => 'waiting')])
    await clock.advance(1)

    expect(early).toBe('waiting')
    await expect(exchange).resolves.toEqual({
      answer: NO_ANSWER,
      requestId: undefined,
      sentAt: FAKE_EPOCH,
      answeredAt: FAKE_EPOCH + 5_000,
      dateHeader: null,
    })
  })

  it('that lets the head through and holds the body back ends with the deadline too', async () => {
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => {
        controller.enqueue(Buffer.from('{'))
      },
    })
    const exchange = refresh(answering(stalled))

    await clock.settle()
    await clock.advance(5_000)

    await expect(exchange).resolves.toMatchObject({ answer: NO_ANSWER })
  })

  it('that delivers the request after the client has gone does not hide that nothing was heard', async () => {
    const late = shopify.faults.next(SHOP, { kind: 'late' })

    const { answer } = await refresh()
    await late.release()

    expect(answer).toEqual(NO_ANSWER)
    expect(shopify.counters(SHOP).tokenCallsByGrant.refresh.granted).toBe(1)
  })

  it('of a port that refuses connections is an outage', async () => {
    await shopify.goOffline()

    await expect(refresh()).resolves.toMatchObject({ answer: NO_ANSWER, requestId: undefined })
  })

  it('thrown by a fetch at once is an outage, and its text goes nowhere', async () => {
    const fetch = (): never => {
      throw new Error(CLIENT_SECRET)
    }

    expect(JSON.stringify(await refresh({ fetch }))).not.toContain(CLIENT_SECRET)
  })

  it.each<[field: TokenField, tokens: object]>([
    ['expires_in', { lifetimeMs: null, refreshLifetimeMs: 90 * 24 * HOUR_MS }],
    ['refresh_token_expires_in', { lifetimeMs: HOUR_MS, refreshLifetimeMs: null }],
    ['scope', { scopes: null }],
  ])('that leaves %s out does not cost the pair', async (field, tokens) => {
    shopify.faults.next(SHOP, { kind: 'missing', field })

    await expect(refresh()).resolves.toMatchObject({ answer: { outcome: 'granted', tokens } })
  })

  it.each<[value: unknown, lifetimeMs: number | null]>([
    ['3600', HOUR_MS],
    [3599.5, 3_599_500],
    [0, 0],
    [-1, 0],
    ['soon', null],
    [null, null],
  ])('that gives expires_in as %j does not cost the pair', async (value, lifetimeMs) => {
    shopify.faults.next(SHOP, { kind: 'field', field: 'expires_in', value })

    await expect(refresh()).resolves.toMatchObject({ answer: { outcome: 'granted', tokens: { lifetimeMs } } })
  })

  it('that mints a token without an end instead is told apart', async () => {
    shopify.faults.next(SHOP, { kind: 'not-expiring' })
    const credential = { grant: 'id-token', value: shopify.sessionToken(SHOP) } as const

    const { answer } = await presentCredential(endpoint(), SHOP, credential)

    expect(answer).toMatchObject({ outcome: 'granted', tokens: { kind: 'non-expiring', scopes: ['read_products'] } })
  })

  it.each<[fault: Fault, credential: () => Credential]>([
    [{ kind: 'invalid-subject-token' }, () => ({ grant: 'id-token', value: shopify.sessionToken(SHOP) })],
    [{ kind: 'invalid-subject-token' }, () => ({ grant: 'migration', value: shopify.mintNonExpiring(SHOP) })],
    [{ kind: 'code-used' }, () => ({ grant: 'code', value: shopify.issueCode(SHOP) })],
  ])('%j ends the credential that it is about', async (fault, credential) => {
    shopify.faults.next(SHOP, fault)

    const { answer } = await presentCredential(endpoint(), SHOP, credential())

    expect(answer).toMatchObject({ outcome: 'terminal', reason: 'credential-dead' })
  })
})

describe('how long to wait', () => {
  it.each<[fault: Omit<Extract<Fault, { kind: 'throttled' }>, 'kind'>, ms: number | undefined]>([
    [{}, undefined],
    [{ retryAfter: 2 }, 2_000],
    [{ retryAfter: 1.5 }, 1_500],
    [{ retryAfter: '0.0001' }, 1],
    [{ retryAfter: 0 }, 0],
    [{ retryAfter: -3 }, 0],
    [{ retryAfter: 86_400 }, HOUR_MS],
    [{ retryAfter: '9e99' }, HOUR_MS],
    [{ retryAfter: '1e999' }, undefined],
    [{ retryAfter: 'soon' }, undefined],
    [{ retryAfter: '' }, undefined],
    [{ retryAfterDateMs: 30_000 }, 30_000],
    [{ retryAfterDateMs: -30_000 }, 0],
    [{ retryAfterDateMs: 7 * 24 * HOUR_MS }, HOUR_MS],
  ])('is read from %j', async (throttled, ms) => {
    shopify.faults.next(SHOP, { kind: 'throttled', ...throttled })

    const { answer } = await refresh()

    expect(answer).toEqual({ outcome: 'transient', status: 429, conclusive: true, retryAfterMs: ms })
  })

  it("is counted from Shopify's date when it is a date, whatever this machine's clock says", async () => {
    const date = new Date(FAKE_EPOCH - 10 * HOUR_MS).toUTCString()
    const retryAfter = new Date(FAKE_EPOCH - 10 * HOUR_MS + 20_000).toUTCString()

    const { answer } = await refresh(answering('{}', { status: 503, headers: { date, 'retry-after': retryAfter } }))

    expect(answer).toMatchObject({ retryAfterMs: 20_000 })
  })

  it("is counted from this machine's clock when Shopify tells no date", async () => {
    const retryAfter = new Date(FAKE_EPOCH + 20_000).toUTCString()

    const { answer } = await refresh(answering('{}', { status: 503, headers: { 'retry-after': retryAfter } }))

    expect(answer).toMatchObject({ retryAfterMs: 20_000 })
  })
})

describe('a hostile body', () => {
  it.each<[what: string, body: Body]>([
    ['nothing', null],
    ['white space', ' \n'],
    ['null', 'null'],
    ['a number', '42'],
    ['a string', '"shpat_1"'],
    ['a list', '[{"access_token":"shpat_1","refresh_token":"shprt_1"}]'],
    ['tokens in the prototype', '{"__proto__":{"access_token":"shpat_1","refresh_token":"shprt_1"}}'],
    ['a list as access token', '{"access_token":["shpat_1"],"refresh_token":"shprt_1"}'],
    ['bytes that are no UTF-8', Buffer.from('{"access_token":"shpat_\xff","refresh_token":"shprt_1"}', 'latin1')],
    ['64 kB and a byte', `{"access_token":"shpat_1","refresh_token":"shprt_1","x":"${'x'.repeat(65_536)}"}`],
    ['60 000 brackets', '['.repeat(60_000)],
    ['two values', '{"access_token":"shpat_1","refresh_token":"shprt_1"}{}'],
  ])('of %s is an outage', async (_what, body) => {
    await expect(refresh(answering(body))).resolves.toMatchObject({ answer: outage(200) })
  })

  it('of 64 kB and a byte is an outage with a refusal too, whatever it says', async () => {
    const body = JSON.stringify({ error: 'invalid_grant', padding: 'x'.repeat(65_536) })

    await expect(refresh(answering(body, { status: 400 }))).resolves.toMatchObject({ answer: outage(400) })
  })

  it('changes no prototype', async () => {
    await refresh(answering('{"__proto__":{"planted":1},"constructor":{"prototype":{"planted":1}}}'))

    expect(({} as { planted?: unknown }).planted).toBeUndefined()
  })

  it('with a byte order mark is read all the same', async () => {
    const body = '\uFEFF{"access_token":"shpat_1","refresh_token":"shprt_1"}'

    await expect(refresh(answering(body))).resolves.toMatchObject({ answer: { outcome: 'granted' } })
  })
})
