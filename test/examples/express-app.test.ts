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

it('is installed, may change products, and forgets a shop that has uninstalled it', async () => {
  const said = jest.spyOn(console, 'log').mockImplementation(() => undefined)
  const backend = await managedApp({ shopifyOptions: { scopes: ['write_products'] } })
  const { app } = createApp({ tokens: backend.tokens })
  const bearer = `Bearer ${backend.shopify.sessionToken(shop)}`

  const begun = await request(app).get(`/auth?shop=${shop}`).expect(302)
  const callback = new URL(backend.shopify.authorize(shop, String(begun.headers.location)))
  const cookie = String(begun.headers['set-cookie']).split(';')[0]!
  await request(app)
    .get(callback.pathname + callback.search)
    .set('Cookie', cookie)
    .expect(302)
  await request(app).post('/products').set('Authorization', bearer).expect(200)
  backend.shopify.uninstall(shop)
  const { headers, body } = backend.shopify.webhook('app/uninstalled', shop, {
    triggeredAt: backend.clock.now() + HOUR_MS,
  })
  await request(app).post('/webhooks').set(headers).send(body).expect(200)

  expect(await backend.record()).toMatchObject({ kind: 'removed' })
  expect(said.mock.calls).toEqual([[`${shop} has uninstalled the app`]])
})
