import request from 'supertest'
import { createApp } from '../../examples/express-app/src/app.js'
import { closeAll, HOUR_MS, managedApp, shop } from '../core/managed-app.js'

afterEach(closeAll)

it('answers a merchant whose token has expired with the shop, asked of Shopify', async () => {
  const { seed, shopify, tokenCalls, tokens } = await managedApp()
  await seed({ ageMs: 2 * HOUR_MS })
  const { app } = createApp({ tokens })

  await request(app)
    .get('/shop')
    .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
    .expect(200, { data: { shop: { name: 'acme', myshopifyDomain: shop } } })
  expect(tokenCalls()).toBe(1)
})

it('asks for a session token where a shop is needed, and nowhere else', async () => {
  const { tokens } = await managedApp()
  const { app } = createApp({ tokens })

  await request(app).get('/shop').expect(401)
  await request(app).get('/health').expect(200, { status: 'ok' })
})
