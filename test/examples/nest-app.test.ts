import type { INestApplication } from '@nestjs/common'
import request from 'supertest'
import type { App } from 'supertest/types.js'
import { createApp } from '../../examples/nest-app/src/app.js'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'

let app: INestApplication
let backend: ManagedApp
let server: App

beforeEach(async () => {
  backend = await managedApp({ shopifyOptions: { scopes: ['write_products'] } })
  app = await createApp({ tokens: backend.tokens })
  await app.init()
  server = app.getHttpServer() as App
})
afterEach(async () => {
  await app.close()
  await closeAll()
})

it('answers a merchant whose token has expired with the shop, asked of Shopify', async () => {
  await backend.seed({ ageMs: 2 * HOUR_MS })

  await request(server)
    .get('/shop')
    .set('Authorization', `Bearer ${backend.shopify.sessionToken(shop)}`)
    .expect(200, { data: { shop: { name: 'acme', myshopifyDomain: shop } } })
  expect(backend.tokenCalls()).toBe(1)
})

it('asks for a session token where a shop is needed, and nowhere else', async () => {
  await request(server).get('/shop').expect(401)
  await request(server).get('/health').expect(200, { status: 'ok' })
})

it('is installed, may change products, and forgets a shop that has uninstalled it', async () => {
  const said = jest.spyOn(console, 'log').mockImplementation(() => undefined)
  const bearer = `Bearer ${backend.shopify.sessionToken(shop)}`

  const begun = await request(server).get(`/auth?shop=${shop}`).expect(302)
  const callback = new URL(backend.shopify.authorize(shop, String(begun.headers.location)))
  const cookie = String(begun.headers['set-cookie']).split(';')[0]!
  await request(server)
    .get(callback.pathname + callback.search)
    .set('Cookie', cookie)
    .expect(302)
  await request(server).post('/products').set('Authorization', bearer).expect(201)
  backend.shopify.uninstall(shop)
  const { headers, body } = backend.shopify.webhook('app/uninstalled', shop, {
    triggeredAt: backend.clock.now() + HOUR_MS,
  })
  await request(server).post('/webhooks').set(headers).send(body).expect(200)

  expect(await backend.record()).toMatchObject({ kind: 'removed' })
  expect(said.mock.calls).toEqual([[`${shop} has uninstalled the app`]])
})
