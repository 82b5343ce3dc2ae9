import { inspect } from 'node:util'
import {
  AccessToken,
  createShopClient,
  parseShop,
  RequestAccess,
  type SessionToken,
  type ShopClient,
} from '@shopify-tokens/core'
import { aRecord, FAKE_EPOCH } from '@shopify-tokens/testing'
import { prints } from './prints.js'

const SHOP = parseShop('acme.myshopify.com')
const SESSION: SessionToken = { shop: SHOP, userId: '42', sessionId: 'sid-1', expiresAt: FAKE_EPOCH + 60_000 }
const record = aRecord.expiring({ scopes: ['read_products'] })
const token = new AccessToken(SHOP, record)

const answer = new Response('{"data":{}}')
const fetch = jest.fn(async () => answer.clone())
const client: ShopClient = createShopClient({ token: async () => token }, SHOP, { fetch, apiVersion: '2026-10' })

describe('the access of a request', () => {
  const access = new RequestAccess(client, SESSION, token)

  it('gives the shop, the session and the token with its scopes and its end', () => {
    expect(access).toMatchObject({ shop: SHOP, session: SESSION, client })
    expect(access.accessToken).toBe(record.accessToken)
    expect(access.scopes).toEqual(['read_products'])
    expect(access.expiresAt).toBe(record.expiresAt)
  })

  it("reaches the shop's Admin API", async () => {
    expect((await access.fetch('/admin/x')).status).toBe(200)
    expect(await access.graphql('{ x }')).toEqual({ data: {} })
    expect((await access.token()).value).toBe(record.accessToken)
  })

  it('has the token that a check of scopes has brought, also for handlers behind it', async () => {
    const grown = aRecord.expiring({ scopes: ['write_products'], accessToken: 'shpat_grown' })
    const source = { token: async () => new AccessToken(SHOP, grown) }
    const behind = new RequestAccess(createShopClient(source, SHOP, { fetch, apiVersion: null }), SESSION, token)

    const { requireScopes } = behind
    await requireScopes('write_products')

    expect({ value: behind.accessToken, scopes: behind.scopes }).toEqual({
      ...{ value: 'shpat_grown', scopes: ['write_products'] },
    })
  })

  it.each(Object.entries(prints(access)))('does not show the token by %s', (_way, printed) => {
    expect(printed).not.toContain(record.accessToken)
    expect(printed).not.toContain(record.refreshToken)
  })

  it('serialises as its shop', () => {
    expect(JSON.stringify(access)).toBe('{"shop":"acme.myshopify.com"}')
  })

  it('prints its shop and what may be known of the token', () => {
    expect(inspect(access)).toContain(SHOP)
    expect(inspect(access)).toContain('[redacted]')
  })

  it('does not survive a structured clone with a token', () => {
    const clone = structuredClone(access)

    expect(inspect(clone, { showHidden: true, depth: Infinity })).not.toContain(record.accessToken)
  })
})

describe('the access of a request that resolves tokens lazily', () => {
  const access = new RequestAccess(client, null, null)

  it.each(['accessToken', 'scopes', 'expiresAt'] as const)('says how to get a token instead of %s', (name) => {
    expect(() => access[name]).toThrow(TypeError)
    expect(() => access[name]).toThrow('use await token() instead of accessToken')
  })

  it('prints that there is none yet', () => {
    expect(inspect(access)).toContain('[not resolved yet]')
    expect(access.session).toBeNull()
  })
})
