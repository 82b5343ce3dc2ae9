import type { INestApplication } from '@nestjs/common'
import request from 'supertest'
import type { App } from 'supertest/types.js'
import { createApp } from '../../examples/nest-app/src/app.js'
import { closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from '../core/managed-app.js'

let app: INestApplication
let backend: ManagedApp
let server: App

beforeEach(async () => {
  backend = await managedApp()
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
