import request from 'supertest'
import { HOUR_MS, type ManagedApp, shop } from '../core/managed-app.js'

/** An app whose `GET /token` answers with the token of a session token's shop. */
export interface VisitedApp extends ManagedApp {
  readonly http: Parameters<typeof request>[0]
}

/** What merchants get of an app that only reads, whichever framework serves it. */
export function describeReader(serve: (managed: { readonly renewal: 'never' }) => Promise<VisitedApp>): void {
  const visited = (): Promise<VisitedApp> => serve({ renewal: 'never' })
  const visit = ({ http, shopify }: VisitedApp): request.Test =>
    request(http)
      .get('/token')
      .set('Authorization', `Bearer ${shopify.sessionToken(shop)}`)

  describe('a visit to an app that only reads', () => {
    it('is answered with 503 and when to come back, where nobody renews a token that is over', async () => {
      const app = await visited()
      await app.seed({ ageMs: 2 * HOUR_MS })

      const answer = await visit(app).expect(503)

      expect(answer.headers).toMatchObject({ 'retry-after': '2', 'cache-control': 'no-store' })
      expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
      expect(answer.body).toMatchObject({ status: 503, code: 'ERR_RENEWAL_ELSEWHERE' })
      expect(app.tokenCalls()).toBe(0)
    })

    it('gets the token that another process brings meanwhile', async () => {
      const app = await visited()
      await app.seed({ ageMs: 2 * HOUR_MS })
      const renewer = app.anotherProcess({ renewal: 'hybrid' })
      renewer.startKeepAlive({ askedEveryMs: 500 })

      const answer = await visit(app).expect(200)

      expect(answer.body).toEqual({ shop, value: (await renewer.token(shop)).value })
      expect(app.tokenCalls()).toBe(1)
      await renewer.close()
    })

    it('does not bring the first pair: the merchant is sent to authorization', async () => {
      const app = await visited()
      app.shopify.installShop(shop)

      const answer = await visit(app).expect(403)

      expect(answer.body).toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })
      expect(answer.headers).toHaveProperty('x-shopify-api-request-failure-reauthorize')
      expect(app.tokenCalls()).toBe(0)
    })
  })
}
