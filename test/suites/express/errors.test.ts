import { once } from 'node:events'
import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ReauthorizationRequiredError } from '@shopify-tokens/core'
import { shopifyTokensErrorHandler } from '@shopify-tokens/express'
import express, { type Response } from 'express'
import request from 'supertest'
import { closeAll, HOUR_MS, servedApp, shop } from './served-app.js'

afterEach(closeAll)

const named = { shopOf: () => shop }
const reauthorize = new ReauthorizationRequiredError('removed', { shop })

describe('an error of this project', () => {
  it('that a handler meets later is answered by the error handler as by the middleware', async () => {
    const { app, seed, shopify } = await servedApp({
      ...named,
      routes: (app) => app.use(shopifyTokensErrorHandler({ authPath: '/begin' })),
    })
    const { accessToken, refreshToken } = await seed()
    shopify.revokeToken(shop, accessToken)
    shopify.revokeToken(shop, refreshToken)

    const answer = await request(app)
      .get('/shop')
      .expect(403)
      .expect('Content-Type', /problem\+json/)

    expect(answer.body).toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', status: 403 })
    expect(answer.headers['x-shopify-api-request-failure-reauthorize-url']).toBe(`/begin?shop=${shop}`)
  })

  it('goes to the app when it asks for that, and may be answered there', async () => {
    const { app, errors } = await servedApp({ ...named, onError: 'next' })

    await request(app).get('/token').expect(500, "the app's own error page")

    expect(errors).toEqual([expect.objectContaining({ code: 'ERR_REAUTHORIZATION_REQUIRED' })])
  })

  it('thrown by another copy of the package is known by its brand', async () => {
    const app = express()
    app.get('/', () => {
      throw Object.assign(Object.create(null) as object, {
        [Symbol.for('@shopify-tokens/error')]: true,
        code: 'ERR_CLOSED',
      })
    })
    app.use(shopifyTokensErrorHandler())

    await request(app).get('/').expect(503).expect('Retry-After', '1')
  })
})

describe('the error handler', () => {
  it('passes on what is not ours', async () => {
    const failure = new Error('secret detail')
    const { app, errors } = await servedApp({
      before: [
        (_request, _response, next) => {
          next(failure)
        },
      ],
      routes: (app) => app.use(shopifyTokensErrorHandler()),
    })

    await request(app).get('/token').expect(500, "the app's own error page")
    expect(errors).toEqual([failure])
  })

  it('passes on what comes after the headers have been sent', async () => {
    const { app, errors, seed } = await servedApp({
      ...named,
      routes: (app) => {
        app.get('/begun', (_request, response, next) => {
          response.writeHead(200, { 'content-length': '9' })
          response.write('begun')
          next(reauthorize)
        })
        app.use(shopifyTokensErrorHandler())
      },
    })
    await seed()

    await expect(request(app).get('/begun')).rejects.toThrow()
    expect(errors).toEqual([reauthorize])
  })
})

describe('a client that goes away while its request waits for a renewal', () => {
  it('is sent nothing, its handler never runs, and the renewal goes on for the others', async () => {
    const reached: string[] = []
    const { app, arrived, errors, record, seed, shopify } = await servedApp({
      ...named,
      routes: (app) => app.get('/goes', (_request, response) => response.end(String(reached.push('goes')))),
    })
    const { accessToken } = await seed({ ageMs: 2 * HOUR_MS })
    const refresh = shopify.hold('token')
    const server = app.listen(0)
    const closed = new Promise<void>((resolve) => {
      server.prependListener('request', (_request, response) => response.once('close', resolve))
    })

    const leaving = get({ port: (server.address() as AddressInfo).port, path: '/goes' }).on('error', () => undefined)
    await arrived(1)
    await refresh.arrived()
    leaving.destroy()
    await closed
    const staying = request(server).get('/token').then()
    await arrived(2)
    refresh.release()

    expect((await staying).status).toBe(200)
    server.close()
    await once(server, 'close')
    expect({ reached, errors }).toEqual({ reached: [], errors: [] })
    expect(await record()).not.toMatchObject({ accessToken })
  })
})

describe('a request that somebody else answers while it waits', () => {
  it.each([
    ['its token', 'slow'],
    ['an error', 'app-not-installed'],
  ] as const)('is left alone when %s comes', async (_what, kind) => {
    const reached: string[] = []
    const waiting: Response[] = []
    const { app, errors, seed, shopify } = await servedApp({
      ...named,
      before: [
        (_request, response, next) => {
          waiting.push(response)
          next()
        },
      ],
      routes: (app) => app.get('/slow', (_request, response) => response.end(String(reached.push('slow')))),
    })
    await seed({ ageMs: 2 * HOUR_MS })
    shopify.faults.next(shop, kind === 'slow' ? { kind, ms: 0 } : { kind })
    const refresh = shopify.hold('token')
    const server = app.listen(0)

    const answer = request(server).get('/slow').then()
    await refresh.arrived()
    waiting[0]!.status(504).send('timed out')
    expect((await answer).status).toBe(504)
    refresh.release()
    await request(server).get('/token')
    server.close()

    expect({ reached, errors }).toEqual({ reached: [], errors: [] })
  })
})
