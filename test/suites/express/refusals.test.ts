import request, { type Response } from 'supertest'
import { fault } from '@shopify-tokens/testing'
import type { SessionTokenDefect } from '@shopify-tokens/testing'
import { closeAll, HOUR_MS, servedApp, shop } from './served-app.js'

afterEach(closeAll)

/** A problem of ours: its code, and nothing of the request, no stack, no secret. */
function expectProblem(response: Response, status: number, code: string, ...never: readonly string[]): void {
  expect(response.status).toBe(status)
  expect(response.type).toBe('application/problem+json')
  expect(response.body).toEqual({
    type: `urn:shopify-tokens:${code}`,
    title: expect.any(String) as string,
    status,
    code,
  })
  expect(response.headers['cache-control']).toBe('no-store')
  const everything = JSON.stringify([response.headers, response.text])
  for (const text of [...never, 'Error:', 'node_modules', '.ts:', 'test-client-secret']) {
    expect(everything).not.toContain(text)
  }
}

describe('a session token that proves nothing', () => {
  const defects: readonly SessionTokenDefect[] = [
    'expired',
    'not-yet-valid',
    'wrong-audience',
    'alg-none',
    'bad-signature',
    'tampered',
    'foreign-host',
    'iss-dest-mismatch',
  ]
  const visits: readonly (readonly [string, (token: string) => Record<string, string>, boolean])[] = [
    ['the Authorization header', (token) => ({ Authorization: `Bearer ${token}` }), true],
    ['the id_token parameter', (token) => ({ id_token: token }), false],
  ]

  it.each(visits.flatMap((visit) => defects.map((defect) => [defect, ...visit] as const)))(
    'because it is %s, in %s, is answered with 401 and a call for a new one',
    async (defect, _place, withToken, header) => {
      const { app, shopify, store } = await servedApp()
      const token = shopify.sessionToken(shop, { defect })
      const get = request(app).get('/token')

      const response = await (header ? get.set(withToken(token)) : get.query(withToken(token)))

      expectProblem(response, 401, 'ERR_INVALID_SESSION_TOKEN', token, token.slice(-20))
      expect(response.headers['x-shopify-retry-invalid-session-request']).toBe('1')
      expect(store.count()).toBe(0)
    },
  )

  it.each([
    ['is missing', {}],
    ['is empty', { Authorization: 'Bearer ' }],
    ['is not a JWT', { Authorization: 'Bearer not.a.jwt' }],
    ['is longer than any real one', { Authorization: `Bearer ${'x'.repeat(9_000)}` }],
    ['comes by another scheme', { Authorization: 'Basic dXNlcjpwYXNzd29yZA==' }],
  ])('because it %s, is answered with 401 and a call for a new one', async (_flaw, headers) => {
    const { app, store } = await servedApp()

    const response = await request(app).get('/token').set(headers)

    expectProblem(response, 401, 'ERR_INVALID_SESSION_TOKEN', 'xxxx', 'dXNlcjpwYXNz')
    expect(response.headers['x-shopify-retry-invalid-session-request']).toBe('1')
    expect(store.count()).toBe(0)
  })

  it.each([
    ['given twice', 'id_token=a&id_token=b'],
    ['an object', 'id_token[toString]=a'],
  ])('because its parameter is %s, is answered with 401', async (_form, query) => {
    const { app } = await servedApp()

    expectProblem(await request(app).get(`/token?${query}`), 401, 'ERR_INVALID_SESSION_TOKEN')
  })
})

describe('the shop of a request', () => {
  it('is the one that the session token proves, whatever the request itself names', async () => {
    const { app, seed, shopify } = await servedApp()
    const { accessToken } = await seed()

    await request(app)
      .get('/token?shop=victim.myshopify.com')
      .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
      .set('X-Shopify-Shop-Domain', 'victim.myshopify.com')
      .set('X-Forwarded-Host', 'victim.myshopify.com')
      .expect(200, { shop, value: accessToken })
  })

  it.each([
    'evil.com',
    'a.myshopify.com.evil.com',
    'аcme.myshopify.com',
    'acme.myshopify.com.',
    'acme.myshopify.com:443',
    'acme.myshopify.com/admin',
    'https://acme.myshopify.com',
    'acme.myshopify.com@evil.com',
    '-acme.myshopify.com',
    ' acme.myshopify.com',
    '',
    '\u0000',
    'x'.repeat(10_000),
  ])('is refused before any I/O when the app names %p', async (hostile) => {
    let fetches = 0
    const { app, store } = await servedApp({
      shopOf: () => hostile,
      managed: { fetch: () => Promise.reject(new Error(`fetch ${String(++fetches)}`)) },
    })

    const never = hostile.trim().length > 2 ? [hostile, encodeURIComponent(hostile)] : []
    expectProblem(await request(app).get('/token'), 400, 'ERR_INVALID_SHOP', ...never)
    expect({ store: store.count(), fetches }).toEqual({ store: 0, fetches: 0 })
  })

  it("is the app's own affair when its function fails: the error goes to the app's error handler", async () => {
    const failure = new Error('no session of ours')
    const { app, errors } = await servedApp({ shopOf: () => Promise.reject(failure) })

    await request(app).get('/token').expect(500, "the app's own error page")
    expect(errors).toEqual([failure])
  })
})

describe('a shop that only its merchant can help', () => {
  it('is answered with 403 and the reauthorization headers, exposed to other origins', async () => {
    const { app } = await servedApp({ shopOf: () => shop, authPath: '/begin' })

    const response = await request(app).get('/token')

    expectProblem(response, 403, 'ERR_REAUTHORIZATION_REQUIRED')
    expect(response.headers).toMatchObject({
      'x-shopify-api-request-failure-reauthorize': '1',
      'x-shopify-api-request-failure-reauthorize-url': `/begin?shop=${shop}`,
      'access-control-expose-headers':
        'X-Shopify-API-Request-Failure-Reauthorize, X-Shopify-API-Request-Failure-Reauthorize-Url',
    })
  })

  it("adds to what the app's CORS middleware exposes", async () => {
    const { app } = await servedApp({
      shopOf: () => shop,
      before: [
        (_request, response, next) => {
          response.set('Access-Control-Expose-Headers', 'X-Total')
          next()
        },
      ],
    })

    const { headers } = await request(app).get('/token').expect(403)

    expect(headers['access-control-expose-headers']).toMatch(/^X-Total, X-Shopify-API-Request-Failure-Reauthorize, /)
  })
})

describe('an outage', () => {
  it('of Shopify without a usable token is answered with 503 and the time to come back', async () => {
    const { app, seed, shopify } = await servedApp({ shopOf: () => shop })
    const { accessToken, refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })

    const first = await request(app).get('/token')
    const second = await request(app).get('/token')

    expectProblem(first, 503, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE', accessToken, refreshToken)
    expectProblem(second, 503, 'ERR_COOLING_DOWN', accessToken, refreshToken)
    for (const { headers } of [first, second]) expect(headers['retry-after']).toMatch(/^[1-9]\d*$/)
  })

  it('of the store is answered with 503', async () => {
    const { app, store } = await servedApp({ shopOf: () => shop })
    store.always('get', fault.failBefore())

    const response = await request(app).get('/token')

    expectProblem(response, 503, 'ERR_STORE_UNAVAILABLE')
    expect(response.headers['retry-after']).toBe('1')
  })
})
