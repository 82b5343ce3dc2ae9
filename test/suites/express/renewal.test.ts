import request, { type Test } from 'supertest'
import { Together } from '../together.js'
import { closeAll, HOUR_MS, servedApp, shop } from './served-app.js'

afterEach(closeAll)

const named = { shopOf: () => shop }

describe('a cold process with an expired token in the store', () => {
  it('renews once for a hundred concurrent requests, with an attempt and a pair written, and fails none', async () => {
    const together = new Together(100)
    const { app, seed, shopify, store, tokenCalls } = await servedApp({
      ...named,
      before: [
        (_request, _response, next) => {
          void together.wait().then(next)
        },
      ],
      managed: { shopifyOptions: { grace: 'none' } },
    })
    await seed({ ageMs: 2 * HOUR_MS })
    const refresh = shopify.hold('token')
    const server = app.listen(0)

    const answers = Array.from({ length: 100 }, () => request(server).get('/token').then())
    await refresh.arrived()
    refresh.release()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    server.close()

    expect(statuses.filter((status) => status !== 200)).toEqual([])
    expect(tokenCalls()).toBe(1)
    expect(store.count('put')).toBe(2)
    process.stdout.write(
      `${MATRIX.project}: 100 requests, ${tokenCalls()} token call, ${store.count('put')} store puts, 0 failed\n`,
    )
  })
})

describe('a token inside its renewal window', () => {
  it('is served while Shopify is still holding the refresh open', async () => {
    const { app, seed, shopify } = await servedApp(named)
    const { accessToken } = await seed({ ageMs: HOUR_MS - 120_000 })
    const refresh = shopify.hold('token')

    await request(app).get('/token').expect(200, { shop, value: accessToken })
    await refresh.arrived()
    await request(app).get('/token').expect(200, { shop, value: accessToken })
    refresh.release()
  })
})

describe('a token that the Admin API refuses although it looks valid', () => {
  it('is renewed once, and the call repeated once', async () => {
    const { app, seed, shopify, tokenCalls } = await servedApp(named)
    const { accessToken } = await seed()
    shopify.revokeToken(shop, accessToken)

    await request(app).get('/shop').expect(200)

    expect(tokenCalls()).toBe(1)
    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1, 401: 1 })
  })

  it('leads to no loop when Shopify refuses the new one too: the rejection goes to the caller', async () => {
    const { app, errors, seed, shopify, tokenCalls } = await servedApp(named)
    await seed()
    shopify.faults.next(shop, { kind: 'status', status: 401 }, { endpoint: 'admin', times: Infinity })

    await request(app).get('/shop').expect(500)
    await request(app).get('/shop').expect(500)

    expect(errors).toEqual([
      expect.objectContaining({ code: 'ERR_ADMIN_RESPONSE', status: 401 }),
      expect.objectContaining({ code: 'ERR_ADMIN_RESPONSE', status: 401 }),
    ])
    expect(tokenCalls()).toBe(1)
  })
})

describe("a merchant's visit", () => {
  const places: readonly (readonly [string, (get: Test, token: string) => Test])[] = [
    ['in the Authorization header', (get, token) => get.set('Authorization', `Bearer ${token}`)],
    ['in the id_token parameter', (get, token) => get.query({ id_token: token })],
  ]

  it.each(places)('with a session token %s brings the first pair on the spot', async (_place, withToken) => {
    const { app, record, shopify } = await servedApp()
    shopify.installShop(shop)

    const answer = await withToken(request(app).get('/token'), shopify.sessionToken(shop)).expect(200)

    const body = answer.body as { readonly value: string }
    expect(body).toEqual({ shop, value: expect.any(String) as string })
    expect(shopify.counters(shop).tokenCallsByGrant['id-token'].granted).toBe(1)
    expect(await record()).toMatchObject({ kind: 'expiring', accessToken: body.value })
  })

  it('revives a shop whose refresh token is dead, in the same request', async () => {
    const { app, seed, shopify } = await servedApp()
    const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
    shopify.revokeToken(shop, refreshToken)

    await request(app)
      .get('/token')
      .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
      .expect(200)

    const { refresh, 'id-token': exchange } = shopify.counters(shop).tokenCallsByGrant
    expect({ refused: refresh.refused, granted: exchange.granted }).toEqual({ refused: 1, granted: 1 })
  })

  it('revives a shop whose whole pair turns out to be dead while the handler calls Shopify', async () => {
    const { app, seed, shopify } = await servedApp()
    const { accessToken, refreshToken } = await seed()
    shopify.revokeToken(shop, accessToken)
    shopify.revokeToken(shop, refreshToken)

    await request(app)
      .get('/shop')
      .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
      .expect(200)

    expect(shopify.counters(shop).tokenCallsByGrant['id-token'].granted).toBe(1)
  })
})

describe('an option to resolve lazily', () => {
  it('asks neither the store nor Shopify until the handler wants a token', async () => {
    const { app, seed, store } = await servedApp({
      ...named,
      lazy: true,
      routes: (app) => app.get('/idle', (request, response) => void response.json(request.shopify.shop)),
    })
    await seed()

    await request(app).get('/idle').expect(200, `"${shop}"`)
    expect(store.count()).toBe(0)

    await request(app).get('/shop').expect(200)
    expect(store.count('get')).toBe(1)
  })
})
