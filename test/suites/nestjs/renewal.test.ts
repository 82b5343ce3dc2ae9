import { APP_GUARD } from '@nestjs/core'
import request, { type Test } from 'supertest'
import { Together } from '../together.js'
import { closeAll, HOUR_MS, PLATFORMS, servedApp, shop } from './served-app.js'

afterEach(closeAll)

describe.each(PLATFORMS)('on platform-%s', (platform) => {
  const named = { platform, shopOf: () => shop }

  describe('a cold process with an expired token in the store', () => {
    it('renews once for a hundred concurrent requests, with an attempt and a pair written, and fails none', async () => {
      const together = new Together(100)
      const { server, seed, shopify, store, tokenCalls } = await servedApp({
        ...named,
        providers: [{ provide: APP_GUARD, useValue: { canActivate: () => together.wait().then(() => true) } }],
        managed: { shopifyOptions: { grace: 'none' } },
      })
      await seed({ ageMs: 2 * HOUR_MS })
      const refresh = shopify.hold('token')

      const answers = Array.from({ length: 100 }, () => request(server).get('/token').then())
      await refresh.arrived()
      refresh.release()
      const statuses = (await Promise.all(answers)).map(({ status }) => status)

      expect(statuses.filter((status) => status !== 200)).toEqual([])
      expect(tokenCalls()).toBe(1)
      expect(store.count('put')).toBe(2)
      process.stdout.write(
        `${MATRIX.project} ${platform}: 100 requests, ${tokenCalls()} token call, ${store.count('put')} store puts, 0 failed\n`,
      )
    })
  })

  describe('a token inside its renewal window', () => {
    it('is served while Shopify is still holding the refresh open', async () => {
      const { server, seed, shopify } = await servedApp(named)
      const { accessToken } = await seed({ ageMs: HOUR_MS - 120_000 })
      const refresh = shopify.hold('token')

      await request(server).get('/token').expect(200, { shop, value: accessToken })
      await refresh.arrived()
      await request(server).get('/token').expect(200, { shop, value: accessToken })
      refresh.release()
    })
  })

  describe('a token that the Admin API refuses although it looks valid', () => {
    it('is renewed once, and the call repeated once', async () => {
      const { server, seed, shopify, tokenCalls } = await servedApp(named)
      const { accessToken } = await seed()
      shopify.revokeToken(shop, accessToken)

      await request(server).get('/shop').expect(200)

      expect(tokenCalls()).toBe(1)
      expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1, 401: 1 })
    })

    it('leads to no loop when Shopify refuses the new one too: the rejection goes to the caller', async () => {
      const { server, seed, shopify, tokenCalls } = await servedApp(named)
      await seed()
      shopify.faults.next(shop, { kind: 'status', status: 401 }, { endpoint: 'admin', times: Infinity })

      const first = await request(server).get('/shop').expect(502)
      await request(server).get('/shop').expect(502)

      expect(first.body).toMatchObject({ code: 'ERR_ADMIN_RESPONSE' })
      expect(tokenCalls()).toBe(1)
    })
  })

  describe("a merchant's visit", () => {
    const places: readonly (readonly [string, (get: Test, token: string) => Test])[] = [
      ['in the Authorization header', (get, token) => get.set('Authorization', `Bearer ${token}`)],
      ['in the id_token parameter', (get, token) => get.query({ id_token: token })],
    ]

    it.each(places)('with a session token %s brings the first pair on the spot', async (_place, withToken) => {
      const { server, record, shopify } = await servedApp({ platform })
      shopify.installShop(shop)

      const answer = await withToken(request(server).get('/token'), shopify.sessionToken(shop)).expect(200)

      const body = answer.body as { readonly value: string }
      expect(body).toEqual({ shop, value: expect.any(String) as string })
      expect(shopify.counters(shop).tokenCallsByGrant['id-token'].granted).toBe(1)
      expect(await record()).toMatchObject({ kind: 'expiring', accessToken: body.value })
    })

    it('revives a shop whose refresh token is dead, in the same request', async () => {
      const { server, seed, shopify } = await servedApp({ platform })
      const { refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
      shopify.revokeToken(shop, refreshToken)

      await request(server)
        .get('/token')
        .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
        .expect(200)

      const { refresh, 'id-token': exchange } = shopify.counters(shop).tokenCallsByGrant
      expect({ refused: refresh.refused, granted: exchange.granted }).toEqual({ refused: 1, granted: 1 })
    })
  })

  describe('an option to resolve lazily', () => {
    it('asks neither the store nor Shopify until the handler wants a token', async () => {
      const { server, seed, shopify, store } = await servedApp({ ...named, lazy: true })
      await seed()

      await request(server).get('/token').expect(500)
      expect(store.count()).toBe(0)

      await request(server).get('/shop').expect(200)
      expect({ gets: store.count('get'), calls: shopify.counters(shop).tokenCalls }).toEqual({ gets: 1, calls: 0 })
    })
  })
})
