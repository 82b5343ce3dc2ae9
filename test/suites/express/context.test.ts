import { setImmediate } from 'node:timers/promises'
import { inspect } from 'node:util'
import { currentAccess, currentShop, NoContextError, parseShop } from '@shopify-tokens/core'
import express, { type RequestHandler } from 'express'
import request from 'supertest'
import { closeAll, servedApp, shop } from './served-app.js'

afterEach(closeAll)

const byHeader = { shopOf: ({ headers }: { headers: Record<string, unknown> }) => String(headers['x-session-shop']) }
const named = { shopOf: () => shop }

async function deepInside(): Promise<string> {
  await setImmediate()
  return new Promise((resolve) => {
    process.nextTick(() => {
      resolve(currentShop().shop)
    })
  })
}

describe('the shop at hand', () => {
  it('is found by nested asynchronous code, and never by that of another request', async () => {
    const { app, seed } = await servedApp({
      ...byHeader,
      routes: (app) => {
        app.get('/deep', (_request, response, next) => {
          deepInside().then((found) => response.json(found), next)
        })
      },
    })
    const shops = ['one', 'two', 'three', 'four'].map((name) => parseShop(`${name}.myshopify.com`))
    for (const each of shops) await seed({ shop: each })
    const server = app.listen(0)

    const sent = Array.from({ length: 40 }, (_, index) => shops[index % shops.length]!)
    const answers = await Promise.all(sent.map((each) => request(server).get('/deep').set('x-session-shop', each)))
    server.close()

    expect(answers.map(({ body }: { body: unknown }) => body)).toEqual(sent)
    expect(() => currentShop()).toThrow(NoContextError)
  })

  it('brings what the request has got to code that sees no request', async () => {
    const { app, seed } = await servedApp({
      ...named,
      routes: (app) => {
        app.get('/access', (request, response, next) => {
          setImmediate()
            .then(() => response.json(currentAccess() === request.shopify))
            .catch(next)
        })
      },
    })
    await seed()

    await request(app).get('/access').expect(200, 'true')
  })

  const echo: RequestHandler = (request, response) => {
    response.json({ shop: currentShop().shop, body: request.body as unknown })
  }
  /** A body parser that knows nothing of asynchronous contexts. */
  const plain: RequestHandler = (request, _response, next) => {
    let text = ''
    request.on('data', (chunk: Buffer) => (text += chunk.toString()))
    request.on('end', () => {
      request.body = JSON.parse(text) as unknown
      next()
    })
  }

  it.each([
    ['express.json()', express.json()],
    ['a parser that reads the stream by hand', plain],
  ])('survives %s behind the middleware', async (_name, parser) => {
    const { app, seed } = await servedApp({ ...named, routes: (app) => app.post('/echo', parser, echo) })
    await seed()

    await request(app)
      .post('/echo')
      .send({ a: 1 })
      .expect(200, { shop, body: { a: 1 } })
  })

  it.each([
    ['express.json()', express.json()],
    ['a parser that reads the stream by hand', plain],
  ])('survives %s in front of the middleware', async (_name, parser) => {
    const { app, seed } = await servedApp({
      ...named,
      before: [parser],
      routes: (app) => app.post('/echo', echo),
    })
    await seed()

    await request(app)
      .post('/echo')
      .send({ a: 1 })
      .expect(200, { shop, body: { a: 1 } })
  })

  it('is there while a handler streams a body in chunks', async () => {
    const found: string[] = []
    const { app, seed } = await servedApp({
      ...named,
      routes: (app) => {
        app.post('/stream', (request, response) => {
          request.on('data', () => found.push(currentShop().shop))
          request.on('end', () => response.json(currentShop().shop))
        })
      },
    })
    await seed()
    const body = 'x'.repeat(300_000)

    await request(app).post('/stream').send(body).expect(200, `"${shop}"`)

    expect(found.length).toBeGreaterThan(1)
    expect(new Set(found)).toEqual(new Set([shop]))
  })
})

describe('what a request gets', () => {
  it('tells shop, scopes and expiry, and shows its token to no serialiser and no printer', async () => {
    const printed: string[] = []
    const { app, seed } = await servedApp({
      ...named,
      routes: (app) => {
        app.get('/printed', ({ shopify }, response) => {
          const copy = Object.assign({}, shopify)
          for (const each of [shopify, shopify.client, copy]) {
            printed.push(JSON.stringify(each), inspect(each, { depth: 9, showHidden: true }))
          }
          response.json(shopify)
        })
        app.get('/facts', ({ shopify: { scopes, expiresAt, session } }, response) => {
          response.json({ scopes, expiresAt, session })
        })
      },
    })
    const { accessToken, expiresAt, refreshToken, scopes } = await seed()

    await request(app).get('/facts').expect(200, { scopes, expiresAt, session: null })
    const { text } = await request(app).get('/printed').expect(200, { shop })

    expect(printed[0]).toBe(JSON.stringify({ shop }))
    for (const output of [...printed, text]) {
      expect(output).not.toContain(accessToken)
      expect(output).not.toContain(refreshToken)
      expect(output).not.toContain('test-client-secret')
    }
  })
})
