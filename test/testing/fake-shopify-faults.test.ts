import { FakeClock } from '../../packages/testing/src/fake-clock.js'
import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'
import type { Fault, FaultMoment, TokenField } from '../../packages/testing/src/fake-shopify/fault.js'
import type { Answer } from './fake-shopify-client.js'
import { admin, APP, byCode, byIdToken, byRefresh, failure, SHOP, TERMINAL, token } from './fake-shopify-client.js'

const clock = new FakeClock()
let shopify: FakeShopify

beforeEach(async () => {
  shopify = await FakeShopify.start({ ...APP, clock })
})
afterEach(async () => {
  await shopify.close()
})

async function pause(ms: number): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, ms))
  return 'still waiting'
}

/** Refreshes a freshly minted pair under a fault; tells the answer and whether Shopify rotated. */
async function refreshUnder(fault: Fault): Promise<{ answer: Answer; rotated: boolean; refreshToken: string }> {
  const { refreshToken } = shopify.mintPair(SHOP)
  const before = shopify.counters(SHOP).pairsMinted
  shopify.faults.next(SHOP, fault)
  const answer = await token(shopify, byRefresh(refreshToken))
  return { answer, rotated: shopify.counters(SHOP).pairsMinted > before, refreshToken }
}

describe('a connection that fails', () => {
  it('refuses without acting, and serves the retry', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    shopify.faults.next(SHOP, { kind: 'refuse' })
    expect(await failure(token(shopify, byRefresh(refreshToken)))).toBe('ECONNRESET')
    expect(shopify.counters(SHOP)).toMatchObject({ tokenCalls: 1, pairsMinted: 1 })
    expect((await token(shopify, byRefresh(refreshToken))).status).toBe(200)
  })

  it.each([
    ['before', 'unprocessed', 1],
    ['after', 'granted', 2],
  ] as const)('resets %s the rotation', async (when, outcome, pairsMinted) => {
    const { refreshToken } = shopify.mintPair(SHOP)
    shopify.faults.next(SHOP, { kind: 'reset', when })
    expect(await failure(token(shopify, byRefresh(refreshToken)))).toBe('ECONNRESET')
    expect(shopify.counters(SHOP).pairsMinted).toBe(pairsMinted)
    const [entry] = shopify.log(SHOP)
    expect(entry).toMatchObject({ outcome, fault: 'reset' })
    expect(entry).not.toHaveProperty('status')
  })

  it.each([
    ['before', 1],
    ['after', 2],
  ] as const)('hangs %s the rotation until the client loses patience', async (when, pairsMinted) => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const hang = shopify.faults.next(SHOP, { kind: 'hang', when })
    const patience = new AbortController()
    const call = failure(token(shopify, byRefresh(refreshToken), { signal: patience.signal }))
    await hang.untilStruck()
    expect(shopify.counters(SHOP).pairsMinted).toBe(pairsMinted)
    patience.abort()
    expect(await call).toBe('AbortError')
  })

  it('answers slowly', async () => {
    const started = performance.now()
    const { answer, rotated } = await refreshUnder({ kind: 'slow', ms: 20 })
    expect({ status: answer.status, rotated }).toEqual({ status: 200, rotated: true })
    expect(performance.now() - started).toBeGreaterThanOrEqual(18)
  })

  it('is reset at the moment that a hold of the answer ends', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    shopify.faults.next(SHOP, { kind: 'reset', when: 'after' })
    const held = shopify.hold('token', { at: 'answer' })
    const call = failure(token(shopify, byRefresh(refreshToken)))
    await held.arrived()
    expect(shopify.counters(SHOP).pairsMinted).toBe(2)
    held.release()
    expect(await call).toBe('ECONNRESET')
  })

  it('leaves no timer behind when the fake closes', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const { refreshToken } = shopify.mintPair(SHOP)
    const held = shopify.hold('token')
    const call = failure(token(shopify, byRefresh(refreshToken)))
    await held.arrived()
    const before = timers()
    const slow = shopify.faults.next(SHOP, { kind: 'slow', ms: 600_000 })
    held.release()
    await pause(5)
    expect(slow.struck).toBe(0)
    expect(timers()).toBeGreaterThan(before)
    await shopify.close()
    await call
    expect(timers()).toBeLessThanOrEqual(before)
  })

  it('ends half-way through the body, after the rotation', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    shopify.faults.next(SHOP, { kind: 'cut' })
    expect(await failure(token(shopify, byRefresh(refreshToken)))).toBe('UND_ERR_SOCKET')
    expect(shopify.counters(SHOP).pairsMinted).toBe(2)
  })
})

describe('a request delivered late', () => {
  it('is acted on at release, long after the client saw a reset', async () => {
    const first = shopify.mintPair(SHOP)
    const late = shopify.faults.next(SHOP, { kind: 'late' })
    expect(await failure(token(shopify, byRefresh(first.refreshToken)))).toBe('ECONNRESET')
    expect(shopify.log(SHOP)).toMatchObject([{ outcome: 'pending', fault: 'late' }])
    const retried = await token(shopify, byRefresh(first.refreshToken))
    await token(shopify, byRefresh(String(retried.body?.refresh_token)))
    await late.release()
    expect(shopify.log(SHOP)[0]).toMatchObject({ outcome: 'refused', reason: 'replaced' })
    expect(shopify.counters(SHOP).retiredTokensPresented).toBe(1)
  })

  it('is acted on by itself after the given time', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const late = shopify.faults.next(SHOP, { kind: 'late', ms: 500 })
    await failure(token(shopify, byRefresh(refreshToken)))
    expect(shopify.counters(SHOP).pairsMinted).toBe(1)
    await late.release()
    expect(shopify.counters(SHOP).pairsMinted).toBe(2)
  })

  it('can leave the client hanging instead', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const late = shopify.faults.next(SHOP, { kind: 'late', client: 'hang' })
    const patience = new AbortController()
    const call = failure(token(shopify, byRefresh(refreshToken), { signal: patience.signal }))
    await late.untilStruck()
    await late.release()
    expect(shopify.counters(SHOP).pairsMinted).toBe(2)
    expect(await Promise.race([call, pause(10)])).toBe('still waiting')
    patience.abort()
    expect(await call).toBe('AbortError')
  })

  it('kills a newer pair when it is an acquisition', async () => {
    shopify.installShop(SHOP)
    const late = shopify.faults.next(SHOP, { kind: 'late' }, { grant: 'id-token' })
    await failure(token(shopify, byIdToken(shopify.sessionToken(SHOP))))
    const { body } = await token(shopify, byIdToken(shopify.sessionToken(SHOP)))
    const refreshToken = String(body?.refresh_token)
    expect(shopify.hasLiveCredential(SHOP, [refreshToken])).toBe(true)
    await late.release()
    expect(shopify.hasLiveCredential(SHOP, [refreshToken])).toBe(false)
  })

  it('is dropped when the fake closes first', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const late = shopify.faults.next(SHOP, { kind: 'late' })
    await failure(token(shopify, byRefresh(refreshToken)))
    await shopify.close()
    await expect(late.release()).rejects.toThrow('closed')
    expect(shopify.counters(SHOP).pairsMinted).toBe(1)
  })
})

describe('a request delivered twice', () => {
  beforeEach(() => {
    shopify.configure({ replay: 'new-pair' })
  })

  it('answers the first delivery, and the second retires what it brought', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const twice = shopify.faults.next(SHOP, { kind: 'twice' })
    const { body } = await token(shopify, byRefresh(refreshToken))
    const brought = String(body?.refresh_token)
    expect(shopify.hasLiveCredential(SHOP, [brought])).toBe(true)
    await twice.release()
    expect(shopify.hasLiveCredential(SHOP, [brought])).toBe(false)
    expect(shopify.hasLiveCredential(SHOP, [refreshToken])).toBe(true)
    expect(shopify.log(SHOP)).toMatchObject([{ outcome: 'granted' }, { outcome: 'granted', duplicate: true }])
    expect(shopify.counters(SHOP).tokenCalls).toBe(2)
  })

  it('answers the second delivery when told so', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    shopify.faults.next(SHOP, { kind: 'twice', answer: 'second' })
    const { body } = await token(shopify, byRefresh(refreshToken))
    expect(shopify.hasLiveCredential(SHOP, [String(body?.refresh_token)])).toBe(true)
    expect(shopify.counters(SHOP).pairsMinted).toBe(3)
  })

  it('uses a code up with the first', async () => {
    shopify.faults.next(SHOP, { kind: 'twice', answer: 'second' })
    expect((await token(shopify, byCode(shopify.issueCode(SHOP)))).body).toMatchObject({
      error_description: 'The authorization code was not found or was already used',
    })
  })
})

describe('an answer that is no token answer', () => {
  it('redirects to another origin, and knows who followed', async () => {
    const { answer, rotated } = await refreshUnder({ kind: 'redirect' })
    expect(answer.status).toBe(307)
    expect(new URL(answer.headers.get('location') ?? '').origin).not.toBe(shopify.url)
    expect({ rotated, strayed: shopify.strayRequests }).toEqual({ rotated: false, strayed: 0 })
    shopify.faults.next(SHOP, { kind: 'redirect' })
    await token(shopify, byRefresh('any'), { redirect: 'follow' })
    expect(shopify.strayRequests).toBe(1)
  })

  it.each([301, 302, 303, 308] as const)('redirects with %d to a given place', async (status) => {
    const { answer } = await refreshUnder({ kind: 'redirect', status, location: 'https://evil.example/' })
    expect(answer.status).toBe(status)
    expect(answer.headers.get('location')).toBe('https://evil.example/')
  })

  it.each([
    ['before', false],
    ['after', true],
  ] as [FaultMoment, boolean][])('is the text of a 520, %s the rotation', async (when, rotates) => {
    const { answer, rotated } = await refreshUnder({ kind: 'error-520', when })
    expect(answer).toMatchObject({ status: 520, text: 'error code: 520' })
    expect(rotated).toBe(rotates)
  })

  it.each([
    ['before', false],
    ['after', true],
  ] as [FaultMoment, boolean][])('is an HTML page with a 5xx, %s the rotation', async (when, rotates) => {
    const { answer, rotated } = await refreshUnder({ kind: 'html', when, status: 503 })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('content-type')).toMatch(/^text\/html/)
    expect(rotated).toBe(rotates)
  })

  it('is JSON that ends half-way', async () => {
    const { answer, rotated } = await refreshUnder({ kind: 'truncated' })
    expect(answer).toMatchObject({ status: 200, body: undefined })
    expect(answer.text).toMatch(/^\{"access_token"/)
    expect(rotated).toBe(true)
  })

  it('is larger than 64 kB', async () => {
    const { answer, rotated } = await refreshUnder({ kind: 'oversized' })
    expect(answer.text).toHaveLength(65_537)
    expect(answer.body).toHaveProperty('refresh_token')
    expect(rotated).toBe(true)
  })
})

describe('a token answer that is wrong', () => {
  const FIELDS: TokenField[] = ['access_token', 'expires_in', 'refresh_token', 'refresh_token_expires_in', 'scope']

  it.each(FIELDS)('lacks %s', async (field) => {
    const { answer, rotated } = await refreshUnder({ kind: 'missing', field })
    expect(Object.keys(answer.body ?? {})).toEqual(FIELDS.filter((other) => other !== field))
    expect(rotated).toBe(true)
  })

  it.each(['3600', 3599.5, 0, -1, 'soon', null, ''])('says expires_in %p', async (value) => {
    const { answer } = await refreshUnder({ kind: 'field', field: 'expires_in', value })
    expect(answer.body?.expires_in).toBe(value === Infinity ? null : value)
  })

  it('has an empty access token', async () => {
    const { answer } = await refreshUnder({ kind: 'field', field: 'access_token', value: '' })
    expect(answer.body).toMatchObject({ access_token: '' })
  })

  it('is a non-expiring token though an expiring one was asked for', async () => {
    shopify.installShop(SHOP)
    shopify.faults.next(SHOP, { kind: 'not-expiring' })
    const { body } = await token(shopify, byIdToken(shopify.sessionToken(SHOP)))
    expect(Object.keys(body ?? {})).toEqual(['access_token', 'scope'])
    expect((await admin(shopify, String(body?.access_token))).status).toBe(200)
  })

  it('leaves a refusal as it is', async () => {
    shopify.faults.next(SHOP, { kind: 'missing', field: 'access_token' })
    expect(await token(shopify, byRefresh('shprt_never'))).toMatchObject({ status: 401, body: TERMINAL })
    shopify.faults.next(SHOP, { kind: 'missing', field: 'access_token' })
    expect((await token(shopify, byRefresh('shprt_never'), { headers: {} })).status).toBe(401)
  })
})

describe('a 429', () => {
  it.each([
    [{ retryAfter: 2 }, '2'],
    [{ retryAfter: 2.5 }, '2.5'],
    [{ retryAfter: 'soon' }, 'soon'],
    [{ retryAfterDateMs: 30_000 }, 'date'],
    [{}, null],
  ])('with %j says Retry-After %p', async (how, expected) => {
    const { answer, rotated } = await refreshUnder({ kind: 'throttled', ...how })
    const due = expected === 'date' ? new Date(clock.now() + 30_000).toUTCString() : expected
    expect(answer.status).toBe(429)
    expect(answer.headers.get('retry-after')).toBe(due)
    expect(rotated).toBe(false)
  })
})

describe('an error made up', () => {
  it.each<[Fault, number, object]>([
    [{ kind: 'terminal' }, 401, TERMINAL],
    [{ kind: 'invalid-grant' }, 400, { error: 'invalid_grant' }],
    [{ kind: 'invalid-grant', status: 401 }, 401, { error: 'invalid_grant' }],
    [{ kind: 'app-not-installed' }, 400, { error: 'app_not_installed' }],
    [{ kind: 'invalid-subject-token' }, 400, { error: 'invalid_subject_token' }],
    [{ kind: 'code-used' }, 400, { error: 'invalid_request' }],
    [{ kind: 'invalid-client' }, 401, { error: 'invalid_client' }],
    [{ kind: 'unknown-application' }, 400, { error: 'invalid_request' }],
    [{ kind: 'oauth-error', status: 400, error: '' }, 400, { error: '' }],
    [{ kind: 'oauth-error', status: 418, error: 'teapot', description: 'short' }, 418, { error: 'teapot' }],
    [{ kind: 'status', status: 402 }, 402, { errors: 'Unavailable Shop' }],
    [{ kind: 'status', status: 403 }, 403, {}],
    [{ kind: 'status', status: 404 }, 404, { errors: 'Not Found' }],
    [{ kind: 'status', status: 423 }, 423, {}],
    [{ kind: 'status', status: 430 }, 430, {}],
    [{ kind: 'status', status: 422, body: { unheard: 'of' } }, 422, { unheard: 'of' }],
  ])('%j', async (fault, status, body) => {
    const { answer, rotated, refreshToken } = await refreshUnder(fault)
    expect(answer).toMatchObject({ status, body })
    expect(rotated).toBe(false)
    expect(shopify.hasLiveCredential(SHOP, [refreshToken])).toBe(true)
    expect(shopify.counters(SHOP).tokenCallsByGrant.refresh).toMatchObject({ refused: 0, unprocessed: 1 })
  })

  it.each([400, 403, 500])(
    'contains the terminal sentence in a %d without being the terminal answer',
    async (status) => {
      const { answer } = await refreshUnder({ kind: 'decoy', status })
      expect(answer.status).toBe(status)
      expect(answer.body?.error_description).toContain(TERMINAL.error_description)
      expect(answer.body).not.toEqual(TERMINAL)
    },
  )

  it('comes as HTML to a client that does not ask for JSON', async () => {
    shopify.faults.next(SHOP, { kind: 'invalid-client' })
    expect((await token(shopify, byRefresh('any'), { headers: {} })).body).toBeUndefined()
  })
})

describe('the script', () => {
  const OTHER = 'b.myshopify.com'
  const broken: Fault = { kind: 'html', when: 'before' }
  const statusOf = async (shop: string): Promise<number> => {
    const { refreshToken } = shopify.mintPair(shop)
    return (await token(shopify, byRefresh(refreshToken), { shop })).status
  }

  it('strikes as often as it says and then no more', async () => {
    const fault = shopify.faults.next(SHOP, broken, { times: 2 })
    expect([await statusOf(SHOP), await statusOf(SHOP), await statusOf(SHOP)]).toEqual([502, 502, 200])
    expect(fault.struck).toBe(2)
  })

  it('strikes one shop, or any', async () => {
    shopify.faults.next(SHOP, broken)
    expect(await statusOf(OTHER)).toBe(200)
    shopify.faults.next('*', broken)
    expect([await statusOf(SHOP), await statusOf(OTHER), await statusOf(SHOP)]).toEqual([502, 502, 200])
  })

  it('strikes one grant only', async () => {
    shopify.faults.next(SHOP, broken, { grant: 'id-token' })
    expect(await statusOf(SHOP)).toBe(200)
    expect((await token(shopify, byIdToken(shopify.sessionToken(SHOP)))).status).toBe(502)
  })

  it('keeps the order in which faults were scripted', async () => {
    shopify.faults.next(SHOP, { kind: 'error-520', when: 'before' })
    shopify.faults.next(SHOP, broken)
    expect([await statusOf(SHOP), await statusOf(SHOP), await statusOf(SHOP)]).toEqual([520, 502, 200])
  })

  it('can be taken back, one by one, by shop or whole', async () => {
    const fault = shopify.faults.next(SHOP, broken, { times: Infinity })
    expect(await statusOf(SHOP)).toBe(502)
    fault.cancel()
    expect(await statusOf(SHOP)).toBe(200)
    shopify.faults.next(SHOP, broken)
    shopify.faults.next(OTHER, broken)
    shopify.faults.clear(SHOP)
    expect([await statusOf(SHOP), await statusOf(OTHER)]).toEqual([200, 502])
    shopify.faults.next(SHOP, broken)
    shopify.faults.choose(() => broken)
    shopify.faults.clear()
    expect(await statusOf(SHOP)).toBe(200)
  })

  it('asks the chooser where nothing is scripted', async () => {
    const asked: unknown[] = []
    shopify.faults.choose((request) => {
      asked.push(request)
      return request.shop === OTHER ? broken : undefined
    })
    shopify.faults.next(SHOP, { kind: 'error-520', when: 'before' })
    expect([await statusOf(SHOP), await statusOf(SHOP), await statusOf(OTHER)]).toEqual([520, 200, 502])
    expect(asked).toMatchObject([
      { endpoint: 'token', shop: SHOP, grant: 'refresh' },
      { endpoint: 'token', shop: OTHER, grant: 'refresh' },
    ])
  })

  it.each([0, -1, 1.5, Number.NaN])('refuses times %p', (times) => {
    expect(() => shopify.faults.next(SHOP, broken, { times })).toThrow(RangeError)
  })

  it('strikes the Admin API when told so, and only then', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    shopify.faults.next(SHOP, broken)
    expect((await admin(shopify, accessToken)).status).toBe(200)
    shopify.faults.next(SHOP, { kind: 'status', status: 401 }, { endpoint: 'admin' })
    expect(await admin(shopify, accessToken)).toMatchObject({
      status: 401,
      body: { errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' },
    })
    shopify.faults.next(SHOP, { kind: 'field', field: 'scope', value: 'all' }, { endpoint: 'admin' })
    expect(Object.keys((await admin(shopify, accessToken)).body ?? {})).toEqual(['data'])
  })
})
