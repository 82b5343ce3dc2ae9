import { get } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ReauthorizationRequiredError } from '@shopify-tokens/core'
import { ShopifyTokenInterceptor, ShopifyTokensExceptionFilter } from '@shopify-tokens/nestjs'
import { fault, type SessionTokenDefect } from '@shopify-tokens/testing'
import { Controller, Get, Res, UseFilters, UseInterceptors } from '@nestjs/common'
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js'
import request, { type Response } from 'supertest'
import { closeAll, HOUR_MS, PLATFORMS, servedApp, shop, ShopController } from './served-app.js'

afterEach(closeAll)

/** A problem of ours: its code, and nothing of the request, no stack, no secret. */
function expectProblem(response: Response, status: number, code: string, ...never: readonly string[]): void {
  expect(response.status).toBe(status)
  expect(response.type).toBe('application/problem+json')
  expect(JSON.parse(response.text)).toEqual({
    type: `urn:shopify-tokens:${code}`,
    title: expect.any(String) as string,
    status,
    code,
  })
  expect(response.headers['cache-control']).toBe('no-store')
  const everything = JSON.stringify([response.headers, response.text])
  for (const text of [...never, 'Error:', 'node_modules', '.ts:', 'test-client-secret']) {
    expect(everything).not.toContain(text)
  }
}

@Controller()
class Unprotected {
  @Get('removed')
  removed(): never {
    throw new ReauthorizationRequiredError('removed', { shop })
  }

  @Get('foreign')
  foreign(): never {
    throw new Error('a secret detail')
  }

  @Get('begun')
  begun(@Res() response: { raw?: BegunResponse } & BegunResponse): never {
    response.hijack?.()
    const raw = response.raw ?? response
    raw.writeHead(200, { 'content-type': 'text/plain' })
    raw.write('begun')
    throw new ReauthorizationRequiredError('removed', { shop })
  }
}

interface BegunResponse {
  /** Fastify: the handler writes by itself. */
  hijack?(): void
  writeHead(status: number, headers: object): void
  write(text: string): void
}

@Controller()
@UseFilters(ShopifyTokensExceptionFilter)
@UseInterceptors(ShopifyTokenInterceptor)
class Filtered extends ShopController {}

describe.each(PLATFORMS)('on platform-%s', (platform) => {
  const named = { platform, shopOf: () => shop }

  describe('a session token that proves nothing', () => {
    const defects: readonly SessionTokenDefect[] = [
      'expired',
      'not-yet-valid',
      'wrong-audience',
      'alg-none',
      'bad-signature',
      'tampered',
      'foreign-host',
      'iss-dest-mismatch',
    ]

    it.each(defects)('because it is %s, is answered with 401 and a call for a new one', async (defect) => {
      const { server, shopify, store } = await servedApp({ platform })
      const token = shopify.sessionToken(shop, { defect })

      for (const get of [
        request(server).get('/token').set('Authorization', `Bearer ${token}`),
        request(server).get('/token').query({ id_token: token }),
      ]) {
        const response = await get
        expectProblem(response, 401, 'ERR_INVALID_SESSION_TOKEN', token, token.slice(-20))
        expect(response.headers['x-shopify-retry-invalid-session-request']).toBe('1')
      }
      expect(store.count()).toBe(0)
    })

    it.each([
      ['is missing', {}, ''],
      ['is not a JWT', { Authorization: 'Bearer not.a.jwt' }, ''],
      ['is longer than any real one', { Authorization: `Bearer ${'x'.repeat(9_000)}` }, ''],
      ['is given twice', {}, '?id_token=a&id_token=b'],
    ])('because it %s, is answered with 401', async (_flaw, headers, query) => {
      const { server, store } = await servedApp({ platform })

      expectProblem(await request(server).get(`/token${query}`).set(headers), 401, 'ERR_INVALID_SESSION_TOKEN', 'xxxx')
      expect(store.count()).toBe(0)
    })
  })

  describe('the shop of a request', () => {
    it('is the one that the session token proves, whatever the request itself names', async () => {
      const { server, seed, shopify } = await servedApp({ platform })
      const { accessToken } = await seed()

      await request(server)
        .get('/token?shop=victim.myshopify.com')
        .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)
        .set('X-Shopify-Shop-Domain', 'victim.myshopify.com')
        .set('X-Forwarded-Host', 'victim.myshopify.com')
        .expect(200, { shop, value: accessToken })
    })

    it.each([
      'evil.com',
      'a.myshopify.com.evil.com',
      'аcme.myshopify.com',
      'acme.myshopify.com.',
      'acme.myshopify.com:443',
      'acme.myshopify.com/admin',
      'x'.repeat(10_000),
    ])('is refused before any I/O when the app names %p', async (hostile) => {
      let fetches = 0
      const { server, store } = await servedApp({
        platform,
        shopOf: () => Promise.resolve(hostile),
        managed: { fetch: () => Promise.reject(new Error(`fetch ${String(++fetches)}`)) },
      })

      expectProblem(await request(server).get('/token'), 400, 'ERR_INVALID_SHOP', hostile)
      expect({ store: store.count(), fetches }).toEqual({ store: 0, fetches: 0 })
    })
  })

  describe('a shop that only its merchant can help', () => {
    it('is answered with 403 and the reauthorization headers, beside what CORS settings expose', async () => {
      const { server } = await servedApp({ ...named, authPath: '/begin', cors: { exposedHeaders: 'X-Total' } })

      const response = await request(server).get('/token').set('Origin', 'https://app.example')

      expectProblem(response, 403, 'ERR_REAUTHORIZATION_REQUIRED')
      expect(response.headers).toMatchObject({
        'x-shopify-api-request-failure-reauthorize': '1',
        'x-shopify-api-request-failure-reauthorize-url': `/begin?shop=${shop}`,
        'access-control-expose-headers':
          'X-Total, X-Shopify-API-Request-Failure-Reauthorize, X-Shopify-API-Request-Failure-Reauthorize-Url',
      })
    })

    it('is answered alike when the handler finds it out', async () => {
      const { server } = await servedApp({ ...named, controllers: [Unprotected] })

      expectProblem(await request(server).get('/removed'), 403, 'ERR_REAUTHORIZATION_REQUIRED')
    })
  })

  describe('an outage', () => {
    it('of Shopify without a usable token is answered with 503 and the time to come back', async () => {
      const { server, seed, shopify } = await servedApp(named)
      const { accessToken, refreshToken } = await seed({ ageMs: 2 * HOUR_MS })
      shopify.faults.next(shop, { kind: 'html', when: 'before' }, { times: Infinity })

      const response = await request(server).get('/token')

      expectProblem(response, 503, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE', accessToken, refreshToken)
      expect(response.headers['retry-after']).toMatch(/^[1-9]\d*$/)
    })

    it('of the store is answered with 503', async () => {
      const { server, store } = await servedApp(named)
      store.always('get', fault.failBefore())

      expectProblem(await request(server).get('/token'), 503, 'ERR_STORE_UNAVAILABLE')
    })
  })

  describe('the exception filter', () => {
    it('leaves what is not ours to the application', async () => {
      const { server } = await servedApp({ ...named, controllers: [Unprotected] })

      await request(server).get('/foreign').expect(500, { statusCode: 500, message: 'Internal server error' })
    })

    it('ends an answer that has begun', async () => {
      const { server } = await servedApp({ ...named, controllers: [Unprotected] })

      await request(server).get('/begun').expect(200, 'begun')
    })

    it('is not there when the module is told so, and can be put up for one controller', async () => {
      const without = await servedApp({ ...named, exceptionFilter: false })
      await request(without.server).get('/token').expect(500, { statusCode: 500, message: 'Internal server error' })

      const withOne = await servedApp({ ...named, exceptionFilter: false, controllers: [Filtered] })
      expectProblem(await request(withOne.server).get('/token'), 403, 'ERR_REAUTHORIZATION_REQUIRED')
    })
  })

  describe('a client that goes away while its request waits for a renewal', () => {
    it('is sent nothing, and the renewal goes on for the others', async () => {
      const reached: string[] = []
      @Controller()
      class Leaving extends ShopController {
        @Get('leaving')
        @UseInterceptors(ShopifyTokenInterceptor)
        leaving(): void {
          reached.push('leaving')
        }
      }
      const { server, arrived, record, seed, shopify } = await servedApp({ ...named, controllers: [Leaving] })
      const { accessToken } = await seed({ ageMs: 2 * HOUR_MS })
      const refresh = shopify.hold('token')
      const closed = new Promise<void>((resolve) => {
        server.prependListener('request', (_request, response) => response.once('close', resolve))
      })

      const leaving = get({ port: (server.address() as AddressInfo).port, path: '/leaving' })
      leaving.on('error', () => undefined)
      await arrived(1)
      await refresh.arrived()
      leaving.destroy()
      await closed
      const staying = request(server).get('/token').then()
      await arrived(2)
      refresh.release()

      expect((await staying).status).toBe(200)
      expect(reached).toEqual([])
      expect(await record()).not.toMatchObject({ accessToken })
    })
  })
})

describe('over WebSockets the exception filter tells the client', () => {
  const clients: readonly (readonly [string, (sent: unknown[]) => object])[] = [
    ['of socket.io', (sent) => ({ emit: (event: string, data: object) => sent.push({ event, data }) })],
    ['of the platform', (sent) => ({ readyState: 1, send: (text: string) => sent.push(JSON.parse(text)) })],
  ]

  it.each(clients)('%s', async (_kind, client) => {
    const { app } = await servedApp({ platform: 'express' })
    const sent: unknown[] = []
    const host = new ExecutionContextHost([client(sent), {}])
    host.setType('ws')

    app.get(ShopifyTokensExceptionFilter).catch(new ReauthorizationRequiredError('removed', { shop }), host)

    const data = { status: 'error', message: expect.any(String) as string, code: 'ERR_REAUTHORIZATION_REQUIRED' }
    expect(sent).toEqual([{ event: 'exception', data }])
  })
})
