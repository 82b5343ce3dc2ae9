import type { Installed, WebhookDelivery } from '@shopify-tokens/core'
import type { FakeWebhook } from '@shopify-tokens/testing'
import request, { type Response, type Test } from 'supertest'
import type { App } from 'supertest/types.js'
import { CLIENT_ID, HOUR_MS, type ManagedApp, type managedApp, shop } from '../core/managed-app.js'

export const APP_URL = 'https://app.example.com'

/** What every framework serves for {@link describeRoutes}. */
export interface RoutesOptions {
  /** Default `session`: the session token tells. `app`: the application names the shop itself. */
  readonly shopBy?: 'session' | 'app'
  /** Default `none`. `keeps-bytes`: as webhooks need it. `forgets-bytes`: as they cannot be verified. */
  readonly parser?: 'none' | 'keeps-bytes' | 'forgets-bytes'
  /** Called with every `orders/create`. */
  readonly onOrder?: (delivery: WebhookDelivery) => unknown
  readonly managed?: Parameters<typeof managedApp>[0]
}

/**
 * An app with the OAuth routes at `/auth`, webhooks at `/webhooks`, and behind the tokens `GET /token`, which answers with
 * shop and token, and `GET` and `POST /products`, which need `write_products` and answer with shop, token and scopes.
 */
export interface ServedRoutes extends ManagedApp {
  readonly server: App
  /** What `onInstalled` was called with. */
  readonly installed: Installed[]
  /** What the app's own handler of `app/uninstalled` was called with. */
  readonly uninstalled: WebhookDelivery[]
}

/** A visitor with a browser's cookies, who follows no redirect. */
class Visitor {
  readonly #server: App
  readonly #cookies = new Map<string, string>()

  constructor({ server }: ServedRoutes) {
    this.#server = server
  }

  /** Opens an address of the app as a document. */
  async open(address: string): Promise<Response> {
    const { pathname, search } = new URL(address, APP_URL)
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const get = request(this.#server)
      .get(pathname + search)
      .set(DOCUMENT)
    const response = await (cookie === '' ? get : get.set('Cookie', cookie))
    for (const set of cookiesOf(response)) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? []
      if (value === '') this.#cookies.delete(name)
      else this.#cookies.set(name, value)
    }
    return response
  }
}

const DOCUMENT = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document' }

function cookiesOf({ headers }: Response): readonly string[] {
  return [(headers as Readonly<Record<string, string | string[] | undefined>>)['set-cookie'] ?? []].flat()
}

function locationOf(response: Response): URL {
  expect(response.status).toBe(302)
  return new URL(String(response.headers.location), APP_URL)
}

function deliver({ server }: ServedRoutes, { headers, body }: FakeWebhook, path = '/webhooks'): Test {
  return request(server).post(path).set(headers).send(body)
}

/** The same behaviour, whichever framework serves it. */
export function describeRoutes(serve: (options?: RoutesOptions) => Promise<ServedRoutes>): void {
  describe('a merchant who installs the app', () => {
    it('goes to Shopify and back: the code is exchanged once, and the tokens are stored', async () => {
      const app = await serve()
      const visitor = new Visitor(app)

      const begun = await visitor.open(`/auth?shop=${shop}`)
      const [cookie = '', ...others] = cookiesOf(begun)
      const answered = await visitor.open(app.shopify.authorize(shop, locationOf(begun).href))

      expect(locationOf(begun).origin).toBe(`https://${shop}`)
      expect(locationOf(begun).searchParams.get('redirect_uri')).toBe(`${APP_URL}/auth/callback`)
      expect(cookie).toMatch(
        /^shopify_tokens_auth_[\w-]+=[\w.-]+; Max-Age=600; Path=\/auth; HttpOnly; Secure; SameSite=Lax$/,
      )
      expect(others).toEqual([])
      expect(locationOf(answered).href).toBe(`https://admin.shopify.com/store/acme/apps/${CLIENT_ID}`)
      expect(app.shopify.counters(shop).tokenCallsByGrant.code.granted).toBe(1)
      expect(await app.record()).toMatchObject({ kind: 'expiring', scopes: ['read_products'] })
      expect(app.installed).toEqual([expect.objectContaining({ shop, scopes: ['read_products'] })])
    })

    it('comes back to the page of the app where it began', async () => {
      const app = await serve()
      const visitor = new Visitor(app)
      const begun = await visitor.open(`/auth?shop=${shop}&return_to=${encodeURIComponent('/orders?page=2')}`)

      const answered = await visitor.open(app.shopify.authorize(shop, locationOf(begun).href))

      expect(locationOf(answered).href).toBe(`https://admin.shopify.com/store/acme/apps/${CLIENT_ID}/orders?page=2`)
    })

    it.each([
      ['another origin', 'return_to=//evil.com'],
      ['another origin, by a backslash', `return_to=${encodeURIComponent('/\\evil.com')}`],
      ['a whole address', `return_to=${encodeURIComponent('https://evil.com/')}`],
      ['a list', 'return_to=/a&return_to=/b'],
      ['an object', 'return_to[toString]=/a'],
    ])('is sent to no %s, and begins nothing', async (_what, parameters) => {
      const response = await new Visitor(await serve()).open(`/auth?shop=${shop}&${parameters}`)

      // Where a framework parses brackets this is an object, elsewhere a parameter of another name.
      if (response.status === 302) expect(locationOf(response).origin).toBe(`https://${shop}`)
      else expect({ status: response.status, cookies: cookiesOf(response) }).toEqual({ status: 400, cookies: [] })
      expect(response.text).not.toContain('evil')
    })

    it('uses a callback once', async () => {
      const app = await serve()
      const visitor = new Visitor(app)
      const callback = app.shopify.authorize(shop, locationOf(await visitor.open(`/auth?shop=${shop}`)).href)

      expect((await visitor.open(callback)).status).toBe(302)
      const again = await visitor.open(callback)

      expect(again.status).toBe(400)
      expect(again.text).toContain('ERR_INVALID_CALLBACK')
      expect({ calls: app.tokenCalls(), installed: app.installed.length }).toEqual({ calls: 1, installed: 1 })
    })

    it('uses the callback of its own browser, not of another one', async () => {
      const app = await serve()
      const callback = app.shopify.authorize(shop, locationOf(await new Visitor(app).open(`/auth?shop=${shop}`)).href)

      const stolen = await new Visitor(app).open(callback)

      expect(stolen.status).toBe(400)
      expect({ calls: app.tokenCalls(), record: await app.record() }).toEqual({ calls: 0, record: null })
    })

    it.each([
      ['lists', 'shop=a&shop=b&code=c&code=d&hmac=e&hmac=f'],
      ['objects', 'shop[a]=b&code[c]=d&hmac[e]=f&state[g]=h&timestamp[i]=j'],
    ])('is told so when a callback brings %s', async (_what, parameters) => {
      const app = await serve()

      const response = await new Visitor(app).open(`/auth/callback?${parameters}`)

      expect(response.status).toBe(400)
      expect(response.text).toContain('ERR_INVALID_CALLBACK')
      expect(app.tokenCalls()).toBe(0)
    })
  })

  describe('a document', () => {
    it('without a session token is sent to the page that gets one, which leads back to it', async () => {
      const app = await serve()
      await app.seed()
      const visitor = new Visitor(app)

      const sent = locationOf(await visitor.open(`/token?shop=${shop}&host=aG9zdA&id_token=old`))
      const page = await visitor.open(sent.href)

      expect(sent.pathname).toBe('/auth/bounce')
      expect(sent.searchParams.get('shopify-reload')).toMatch(/^\/token\?/)
      expect(sent.href).not.toContain('old')
      expect(page.status).toBe(200)
      expect(page.type).toBe('text/html')
      expect(page.headers['content-security-policy']).toContain(
        `frame-ancestors https://${shop} https://admin.shopify.com`,
      )
      expect(page.text).toContain(CLIENT_ID)
    })

    it('of a dead shop is served by the session token that it brings', async () => {
      const app = await serve()
      const { refreshToken } = await app.seed({ ageMs: 2 * HOUR_MS })
      app.shopify.revokeToken(shop, refreshToken)

      const response = await new Visitor(app).open(`/token?id_token=${app.shopify.sessionToken(shop)}`)

      expect(response.status).toBe(200)
      expect(app.shopify.counters(shop).tokenCallsByGrant['id-token'].granted).toBe(1)
    })

    it('of a shop that only its merchant can help is sent to authorization', async () => {
      const app = await serve({ shopBy: 'app' })

      const sent = locationOf(await new Visitor(app).open('/token?page=2'))

      expect(sent.pathname).toBe('/auth')
      expect(Object.fromEntries(sent.searchParams)).toEqual({ shop, return_to: '/token?page=2' })
    })

    it("in the admin's frame is sent to authorization with word of it, and that leaves the frame first", async () => {
      const app = await serve({ shopBy: 'app' })
      const framed = (path: string): Test => request(app.server).get(path).set('Sec-Fetch-Dest', 'iframe')

      const sent = locationOf(await framed('/token'))
      const page = await framed(`/auth?shop=${shop}`)

      expect(sent.searchParams.get('embedded')).toBe('1')
      expect({ status: page.status, type: page.type, cookies: cookiesOf(page) }).toEqual({
        ...{ status: 200, type: 'text/html', cookies: [] },
      })
    })

    it('is sent nowhere when a script asks for it', async () => {
      const app = await serve()

      const response = await request(app.server)
        .get('/token')
        .set({ Accept: 'application/json', 'Sec-Fetch-Dest': 'empty' })

      expect(response.status).toBe(401)
      expect(response.headers['x-shopify-retry-invalid-session-request']).toBe('1')
    })
  })

  describe('a handler that needs a scope', () => {
    it('runs when the shop has granted it, without asking Shopify', async () => {
      const app = await serve({ shopBy: 'app' })
      await app.seed({ scopes: ['write_products'] })

      const response = await request(app.server).get('/products').expect(200)

      expect(response.body).toMatchObject({ shop, scopes: ['write_products'] })
      expect(app.tokenCalls()).toBe(0)
    })

    it('does not run without it: a script is told where the merchant grants it', async () => {
      const app = await serve({ shopBy: 'app' })
      await app.seed()

      const response = await request(app.server).post('/products').set('Sec-Fetch-Dest', 'empty')

      expect(response.status).toBe(403)
      expect(JSON.parse(response.text)).toMatchObject({ code: 'ERR_SCOPE_MISSING' })
      expect(response.headers['x-shopify-api-request-failure-reauthorize']).toBe('1')
      expect(response.headers['x-shopify-api-request-failure-reauthorize-url']).toBe(
        `/auth?shop=${shop}&scope=write_products`,
      )
    })

    it('does not run without it: a document is sent there, and served when it comes back', async () => {
      const app = await serve({
        shopBy: 'app',
        managed: { shopifyOptions: { scopes: ['read_products', 'write_products'] } },
      })
      await app.seed({ scopes: ['read_products'] })
      const visitor = new Visitor(app)

      const sent = locationOf(await visitor.open('/products'))
      const begun = locationOf(await visitor.open(sent.href))
      const answered = locationOf(await visitor.open(app.shopify.authorize(shop, begun.href)))

      expect(`${sent.pathname}${sent.search}`).toBe(`/auth?shop=${shop}&scope=write_products&return_to=%2Fproducts`)
      expect(begun.searchParams.get('scope')).toBe('read_products,write_products')
      expect(answered.pathname).toMatch(/\/products$/)
      expect((await visitor.open('/products')).status).toBe(200)
    })

    it('takes away no scope that another handler needed before', async () => {
      const app = await serve({ shopBy: 'app' })
      await app.seed({ scopes: ['read_products', 'write_orders'] })
      const visitor = new Visitor(app)

      const begun = locationOf(await visitor.open(locationOf(await visitor.open('/products')).href))
      await visitor.open(app.shopify.authorize(shop, begun.href))

      expect((await app.tokens.token(shop, { scopes: ['write_orders', 'write_products'] })).scopes).toHaveLength(2)
    })

    it('runs when another process has been granted it meanwhile', async () => {
      const app = await serve({ shopBy: 'app' })
      await app.seed()
      await request(app.server).get('/token').expect(200)
      app.shopify.installShop(shop, { scopes: ['read_products', 'write_products'] })
      await app.anotherProcess().acquire(shop, { idToken: app.shopify.sessionToken(shop) })

      await request(app.server).get('/products').expect(200)

      expect(app.tokenCalls()).toBe(1)
    })

    it('runs with a new token when the merchant is there and Shopify has the scope', async () => {
      const app = await serve()
      const { accessToken } = await app.seed()
      app.shopify.installShop(shop, { scopes: ['read_products', 'write_products'] })
      const bearer = `Bearer ${app.shopify.sessionToken(shop)}`

      const response = await request(app.server).get('/products').set('Authorization', bearer).expect(200)

      const body = response.body as { readonly value: string; readonly scopes: readonly string[] }
      expect(body.scopes).toContain('write_products')
      expect(body.value).not.toBe(accessToken)
      expect(app.shopify.accessTokenState(shop, body.value)).toBe('live')
      expect(app.shopify.counters(shop).tokenCallsByGrant['id-token'].granted).toBe(1)
    })

    it('verifies nothing twice, and answers a bad session token as everywhere', async () => {
      const app = await serve()
      const verified = jest.spyOn(app.tokens, 'verifySessionToken')
      await app.seed({ scopes: ['write_products'] })
      const bearer = `Bearer ${app.shopify.sessionToken(shop)}`

      await request(app.server).get('/products').set('Authorization', bearer).expect(200)
      await request(app.server).get('/products').set('Authorization', 'Bearer a.b.c').expect(401)

      expect(verified).toHaveBeenCalledTimes(2)
    })
  })

  describe('a webhook', () => {
    const removed = { kind: 'removed' }

    it('for a shop whose tokens are dead is done without a token, and takes the tokens away', async () => {
      const app = await serve()
      const { refreshToken } = await app.seed({ ageMs: 2 * HOUR_MS })
      app.shopify.revokeToken(shop, refreshToken)

      await deliver(app, app.shopify.webhook('app/uninstalled', shop)).expect(200)

      expect(app.uninstalled).toEqual([expect.objectContaining({ shop, topic: 'app/uninstalled', shopIsSigned: true })])
      expect(await app.record()).toMatchObject(removed)
      expect(app.tokenCalls()).toBe(0)
    })

    it('that is delivered twice is handled once', async () => {
      const app = await serve()
      const webhook = app.shopify.webhook('app/uninstalled', shop)

      await deliver(app, webhook).expect(200)
      await deliver(app, webhook, '/webhooks/app/uninstalled').expect(200)

      expect(app.uninstalled).toHaveLength(1)
    })

    it('that comes after the app was installed again removes nothing', async () => {
      const app = await serve()
      const webhook = app.shopify.webhook('app/uninstalled', shop, { triggeredAt: app.clock.now() - HOUR_MS })
      const { accessToken } = await app.seed()

      await deliver(app, webhook).expect(200)

      expect(await app.record()).toMatchObject({ kind: 'expiring', accessToken })
    })

    it.each([
      ['is changed', ({ headers, body }: FakeWebhook) => ({ headers, body: body.replace('acme', 'evil') })],
      ['is not signed', ({ headers, body }: FakeWebhook) => ({ headers: without(headers, 'hmac-sha256'), body })],
    ])('whose body %s is refused, and nobody hears of it', async (_what, change) => {
      const app = await serve()
      await app.seed({ ageMs: HOUR_MS })

      const response = await deliver(app, change(app.shopify.webhook('app/uninstalled', shop)))

      expect([400, 401]).toContain(response.status)
      expect(JSON.parse(response.text)).toMatchObject({ code: 'ERR_INVALID_WEBHOOK' })
      expect(app.uninstalled).toEqual([])
      expect(await app.record()).toMatchObject({ kind: 'expiring' })
    })

    it('whose handler fails comes again, and is then done', async () => {
      const orders: WebhookDelivery[] = []
      const app = await serve({
        onOrder: (delivery) => {
          if (orders.push(delivery) === 1) throw new Error('not yet')
        },
      })
      const webhook = app.shopify.webhook('orders/create', shop, { payload: { id: 7 } })

      await deliver(app, webhook).expect(500)
      await deliver(app, webhook).expect(200)
      await deliver(app, webhook).expect(200)

      expect(orders.map(({ payload }) => payload)).toEqual([{ id: 7 }, { id: 7 }])
    })

    it('behind a body parser that keeps the bytes is verified', async () => {
      const app = await serve({ parser: 'keeps-bytes' })

      await deliver(app, app.shopify.webhook('app/uninstalled', shop)).expect(200)

      expect(app.uninstalled).toHaveLength(1)
    })

    it('behind a body parser that forgets them is answered with what to do about it', async () => {
      const warned = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
      const app = await serve({ parser: 'forgets-bytes' })

      const response = await deliver(app, app.shopify.webhook('app/uninstalled', shop))

      expect(response.status).toBe(500)
      expect(JSON.parse(response.text)).toMatchObject({ code: 'ERR_WEBHOOK_BODY_PARSED' })
      expect(warned).toHaveBeenCalledWith(expect.stringContaining('body parser'), 'ShopifyTokensWarning')
      expect(app.uninstalled).toEqual([])
    })

    it('asks for no session token, and other methods are no webhooks', async () => {
      const app = await serve()

      await deliver(app, app.shopify.webhook('shop/redact', 'other.myshopify.com')).expect(200)
      const { status } = await request(app.server).get('/webhooks')

      expect([401, 404]).toContain(status)
    })
  })
}

function without(headers: FakeWebhook['headers'], ending: string): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !name.endsWith(ending)))
}
