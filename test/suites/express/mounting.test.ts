import {
  requireScopes,
  shopifyAuth,
  shopifyTokens,
  shopifyTokensErrorHandler,
  shopifyWebhooks,
} from '@shopify-tokens/express'
import express, { type ErrorRequestHandler, type Express, type RequestHandler, type Response } from 'express'
import request from 'supertest'
import { closeAll, managedApp, type ManagedApp, shop } from '../../core/managed-app.js'
import { APP_URL } from '../routes.js'

afterEach(closeAll)

const DOCUMENT = { Accept: 'text/html', 'Sec-Fetch-Dest': 'document' }
const auth = { appUrl: APP_URL, scopes: ['read_products'] }

/** An app that keeps what reaches its own error handler. */
async function app(build: (app: Express, backend: ManagedApp) => void): Promise<{
  readonly app: Express
  readonly backend: ManagedApp
  readonly errors: unknown[]
}> {
  const backend = await managedApp()
  const errors: unknown[] = []
  const app = express()
  build(app, backend)
  const keep: ErrorRequestHandler = (error, _request, response, next) => {
    errors.push(error)
    if (response.headersSent) next(error)
    else response.status(500).send("the app's own error page")
  }
  app.use(keep)
  return { app, backend, errors }
}

/** Keeps every response, for somebody else than its handler to answer. */
function keepResponses(waiting: Response[]): RequestHandler {
  return (_request, response, next) => {
    waiting.push(response)
    next()
  }
}

describe('the routes of authorization', () => {
  it('are where authPath says, wherever in the app they are mounted', async () => {
    const { app: server } = await app((app, { tokens }) => {
      const inner = express.Router()
      inner.use(shopifyAuth({ tokens, ...auth, authPath: '/shopify/login' }))
      inner.use(shopifyTokens({ tokens }))
      app.use('/shopify', inner)
    })

    const begun = await request(server).get(`/shopify/login?shop=${shop}`).expect(302)
    const sent = await request(server).get('/shopify/page').set(DOCUMENT).expect(302)

    expect(new URL(String(begun.headers.location)).searchParams.get('redirect_uri')).toBe(
      `${APP_URL}/shopify/login/callback`,
    )
    expect(sent.headers.location).toBe('/shopify/login/bounce?shopify-reload=%2Fshopify%2Fpage')
  })

  it('get no documents that have not passed them: those are answered as problems', async () => {
    const { app: server } = await app((app, { tokens }) => {
      app.use(shopifyTokens({ tokens }))
      app.use(shopifyAuth({ tokens, ...auth }))
    })

    await request(server)
      .get('/page')
      .set(DOCUMENT)
      .expect(401)
      .expect('Content-Type', /problem\+json/)
  })

  it('are missed, with a warning, behind the middleware that they were made for', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const { app: server } = await app((app, { tokens }) => {
      const shopify = shopifyTokens({ tokens })
      app.use(shopify, shopifyAuth({ tokens: shopify, ...auth }), shopifyWebhooks({ tokens: shopify }))
    })

    for (let n = 0; n < 2; n++) await request(server).get(`/auth?shop=${shop}`).expect(401)
    expect(warn.mock.calls).toEqual([[expect.stringContaining('/auth has reached'), 'ShopifyTokensWarning']])

    for (let n = 0; n < 2; n++) await request(server).post('/webhooks/app').send('{}').expect(401)
    expect(warn.mock.calls.slice(1)).toEqual([
      [expect.stringContaining('/webhooks has reached'), 'ShopifyTokensWarning'],
    ])
    warn.mockRestore()
  })

  it('in front of the middleware are missed by nobody: what goes on there is the app’s own', async () => {
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation()
    const { app: server } = await app((app, { tokens }) => {
      const shopify = shopifyTokens({ tokens })
      app.use(shopifyAuth({ tokens: shopify, ...auth }), shopifyWebhooks({ tokens: shopify }), shopify)
    })

    await request(server).get('/auth/of-the-app').expect(401)
    await request(server).get('/webhooks').expect(401)

    expect(warn).not.toHaveBeenCalled()
    warn.mockRestore()
  })

  it('lead no documents of an app outside the admin to a page of App Bridge', async () => {
    const { app: server } = await app((app, { tokens }) => {
      app.use(shopifyAuth({ tokens, ...auth, embedded: false }), shopifyTokens({ tokens }))
    })

    await request(server).get('/page').set(DOCUMENT).expect(401)
    await request(server).get('/auth/bounce').set(DOCUMENT).expect(401)
  })

  it('tell the error handler behind them too where documents are sent', async () => {
    const { app: server, errors } = await app((app, { tokens }) => {
      app.use(shopifyAuth({ tokens, ...auth }), shopifyTokens({ tokens, shopOf: () => shop, onError: 'next' }))
      app.use(shopifyTokensErrorHandler({ authPath: '/elsewhere' }))
    })

    const { headers } = await request(server).get('/page').set(DOCUMENT).expect(302)

    expect(headers.location).toBe(`/auth?shop=${shop}&return_to=%2Fpage`)
    expect(errors).toEqual([])
  })

  it("hand what the app's own hook throws to the app, with the tokens stored", async () => {
    const failure = new Error('no room for this shop')
    const {
      app: server,
      backend,
      errors,
    } = await app((app, { tokens }) => {
      app.use(shopifyAuth({ tokens, ...auth, onInstalled: () => Promise.reject(failure) }))
    })
    const begun = await request(server).get(`/auth?shop=${shop}`).expect(302)
    const callback = new URL(backend.shopify.authorize(shop, String(begun.headers.location)))

    await request(server)
      .get(callback.pathname + callback.search)
      .set('Cookie', String(begun.headers['set-cookie']).split(';')[0]!)
      .expect(500, "the app's own error page")

    expect(errors).toEqual([failure])
    expect(await backend.record()).toMatchObject({ kind: 'expiring' })
  })

  it('leave the cookies alone that the app has set', async () => {
    const { app: server } = await app((app, { tokens }) => {
      app.use((_request, response, next) => {
        response.cookie('own', '1')
        next()
      })
      app.use(shopifyAuth({ tokens, ...auth }))
    })

    const { headers } = await request(server).get(`/auth?shop=${shop}`).expect(302)

    expect(headers['set-cookie']).toEqual(['own=1; Path=/', expect.stringMatching(/^shopify_tokens_auth_/)])
  })

  it('answer with nothing more when somebody else has answered meanwhile', async () => {
    const waiting: Response[] = []
    const {
      app: server,
      backend,
      errors,
    } = await app((app, { tokens }) => {
      app.use(keepResponses(waiting), shopifyAuth({ tokens, ...auth }))
    })
    const begun = await request(server).get(`/auth?shop=${shop}`)
    const callback = new URL(backend.shopify.authorize(shop, String(begun.headers.location)))
    const exchange = backend.shopify.hold('token')

    const answer = request(server)
      .get(callback.pathname + callback.search)
      .set('Cookie', String(begun.headers['set-cookie']).split(';')[0]!)
      .then()
    await exchange.arrived()
    waiting.at(-1)!.status(504).send('timed out')
    expect((await answer).status).toBe(504)
    exchange.release()
    await request(server).get(`/auth?shop=${shop}`).expect(302)

    expect(errors).toEqual([])
  })
})

describe('webhooks', () => {
  it('arrive at the path that the app names, and others go on', async () => {
    const { app: server, backend } = await app((app, { tokens }) => {
      app.use(shopifyWebhooks({ tokens, path: '/api/hooks/' }))
      app.use((_request, response) => {
        response.status(418).end()
      })
    })
    const { headers, body } = backend.shopify.webhook('shop/redact', shop)
    const post = (path: string): request.Test => request(server).post(path).set(headers).send(body)

    for (const path of ['/api/hooks', '/api/hooks/', '/api/hooks/shop/redact', '/api/hooks?x=1'])
      await post(path).expect(200)
    for (const path of ['/api', '/api/hooksaw', '/webhooks', '/API/hooks']) await post(path).expect(418)
  })

  it('may come through express.raw()', async () => {
    const { app: server, backend } = await app((app, { tokens }) => {
      app.use(express.raw({ type: '*/*' }), shopifyWebhooks({ tokens }))
    })
    const { headers, body } = backend.shopify.webhook('shop/redact', shop)

    await request(server).post('/webhooks').set(headers).send(body).expect(200)
  })
})

describe('a check of scopes', () => {
  it('without the middleware in front is a mistake that the app hears of', async () => {
    const { app: server, errors } = await app((app) => {
      app.get('/products', requireScopes('write_products'), (_request, response) => response.end())
    })

    await request(server).get('/products').expect(500, "the app's own error page")

    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_NO_CONTEXT' })])
  })

  it('leaves its errors to the app where the middleware does', async () => {
    const {
      app: server,
      backend,
      errors,
    } = await app((app, { tokens }) => {
      app.use(shopifyTokens({ tokens, shopOf: () => shop, onError: 'next' }))
      app.get('/products', requireScopes('write_products'), (_request, response) => response.end())
    })
    await backend.seed()

    await request(server).get('/products').expect(500, "the app's own error page")

    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_SCOPE_MISSING', missing: ['write_products'] })])
  })

  it.each([
    ['somebody else has answered', (response: Response) => response.status(504).send('timed out')],
    ['nobody waits for any more', (response: Response) => response.req.socket.destroy()],
  ])('does not wake a handler whose request %s', async (_what, end) => {
    const reached: string[] = []
    const waiting: Response[] = []
    const {
      app: server,
      backend,
      errors,
    } = await app((app, { tokens }) => {
      app.use(shopifyTokens({ tokens, lazy: true }), keepResponses(waiting))
      app.get('/products', requireScopes('write_products'), (_request, response) => {
        response.end(String(reached.push('products')))
      })
    })
    await backend.seed()
    backend.shopify.installShop(shop, { scopes: ['write_products'] })
    const exchange = backend.shopify.hold('token')
    const bearer = `Bearer ${backend.shopify.sessionToken(shop)}`

    const answer = request(server)
      .get('/products')
      .set('Authorization', bearer)
      .then(
        ({ status }) => status,
        () => null,
      )
    await exchange.arrived()
    const closed = new Promise((resolve) => waiting[0]!.once('close', resolve))
    end(waiting[0]!)
    await closed
    expect([504, null]).toContain(await answer)
    exchange.release()
    await request(server).get('/products').set('Authorization', bearer).expect(200)

    expect({ reached, errors }).toEqual({ reached: ['products'], errors: [] })
  })
})
