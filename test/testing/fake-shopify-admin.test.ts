import { FakeClock } from '../../packages/testing/src/fake-clock.js'
import type { AdminRequest } from '../../packages/testing/src/fake-shopify/admin-api.js'
import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'
import { admin, APP, byMigration, byRefresh, SHOP, token } from './fake-shopify-client.js'

const UNRECOGNIZED = '[API] Invalid API key or access token (unrecognized login or wrong password)'
const clock = new FakeClock()
let shopify: FakeShopify

beforeEach(async () => {
  shopify = await FakeShopify.start({ ...APP, clock })
})
afterEach(async () => {
  await shopify.close()
})

describe('the Admin API stub', () => {
  it('answers a GraphQL query with the shop', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    expect(await admin(shopify, accessToken)).toMatchObject({
      status: 200,
      body: { data: { shop: { name: 'a', myshopifyDomain: SHOP } } },
    })
  })

  it('answers any other admin path as well', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    const { body } = await admin(shopify, accessToken, {
      path: '/admin/api/2026-10/shop.json',
      method: 'GET',
      body: null,
    })
    expect(body).toEqual({ shop: { name: 'a', myshopify_domain: SHOP } })
  })

  it.each([
    ['no token', () => ''],
    ['a token never issued', () => 'shpat_never'],
    ["another shop's token", () => shopify.mintPair('b.myshopify.com').accessToken],
    [
      'an expired token',
      (live: string) => {
        clock.jump(3_600_000)
        return live
      },
    ],
    [
      'a revoked token',
      (live: string) => {
        shopify.revokeToken(SHOP, live)
        return live
      },
    ],
    [
      'a token of an uninstalled app',
      (live: string) => {
        shopify.uninstall(SHOP)
        return live
      },
    ],
    [
      'a token of an earlier installation',
      (live: string) => {
        shopify.uninstall(SHOP)
        shopify.reinstall(SHOP)
        return live
      },
    ],
  ] as [string, (live: string) => string][])('answers %s with 401 and errors as a string', async (_what, present) => {
    const { accessToken } = shopify.mintPair(SHOP)
    expect(await admin(shopify, present(accessToken))).toMatchObject({ status: 401, body: { errors: UNRECOGNIZED } })
  })

  it('accepts the previous access token after a refresh, and refuses the original one after a migration', async () => {
    const { accessToken, refreshToken } = shopify.mintPair(SHOP)
    await token(shopify, byRefresh(refreshToken))
    expect((await admin(shopify, accessToken)).status).toBe(200)
    const original = shopify.mintNonExpiring(SHOP)
    expect((await admin(shopify, original)).status).toBe(200)
    await token(shopify, byMigration(original))
    expect((await admin(shopify, original)).status).toBe(401)
  })

  it('refuses non-expiring tokens with their own 403 when told so', async () => {
    shopify.configure({ refuseNonExpiring: true })
    const { status, body } = await admin(shopify, shopify.mintNonExpiring(SHOP))
    expect(status).toBe(403)
    expect(body?.errors).toMatch(/^\[API\] Non-expiring access tokens are no longer accepted for the Admin API\./)
    expect((await admin(shopify, shopify.mintPair(SHOP).accessToken)).status).toBe(200)
  })

  it('answers 403 for a scope that the token lacks, until it is granted', async () => {
    shopify.requireScope(SHOP, 'write_products')
    const { accessToken } = shopify.mintPair(SHOP)
    const { status, body } = await admin(shopify, accessToken)
    expect(status).toBe(403)
    expect(body?.errors).toMatch(/requires merchant approval for write_products scope\.$/)
    shopify.installShop(SHOP, { scopes: ['read_products', 'write_products'] })
    expect((await admin(shopify, accessToken)).status).toBe(403)
    expect((await admin(shopify, shopify.mintPair(SHOP).accessToken)).status).toBe(200)
    shopify.requireScope(SHOP)
    expect((await admin(shopify, accessToken)).status).toBe(200)
  })

  it.each([
    ['frozen', 402],
    ['gone', 404],
    ['locked', 423],
    ['throttled', 429],
    ['suspected', 430],
  ] as const)('answers for a %s shop with %d, whatever its tokens, until that ends', async (restriction, status) => {
    const { accessToken } = shopify.mintPair(SHOP)
    shopify.restrict(SHOP, restriction)
    const answer = await admin(shopify, accessToken)
    expect(answer.status).toBe(status)
    expect(typeof answer.body?.errors).toBe('string')
    expect(answer.headers.has('retry-after')).toBe(status === 429)
    shopify.restrict(SHOP)
    expect((await admin(shopify, accessToken)).status).toBe(200)
    expect(shopify.counters(SHOP).adminCallsByStatus).toEqual({ [status]: 1, 200: 1 })
  })
})

describe("a test's own Admin answers", () => {
  it('see the request and decide body and status', async () => {
    const seen: AdminRequest[] = []
    await shopify.close()
    shopify = await FakeShopify.start({
      ...APP,
      scopes: ['read_orders'],
      admin: (request) => {
        seen.push(request)
        return { status: 202, body: { data: { orders: [] } } }
      },
    })
    const { accessToken } = shopify.mintPair(SHOP)
    const path = '/admin/api/2026-10/graphql.json?debug=1'
    expect(await admin(shopify, accessToken, { path })).toMatchObject({ status: 202, body: { data: { orders: [] } } })
    expect(seen).toEqual([
      {
        shop: SHOP,
        method: 'POST',
        path,
        apiVersion: '2026-10',
        body: { query: '{ shop { name } }' },
        scopes: ['read_orders'],
      },
    ])
    await admin(shopify, 'shpat_never')
    expect(seen).toHaveLength(1)
  })

  it('turn into a 500 when they throw', async () => {
    await shopify.close()
    shopify = await FakeShopify.start({
      ...APP,
      admin: () => {
        throw new Error('oops')
      },
    })
    expect(await admin(shopify, shopify.mintPair(SHOP).accessToken)).toMatchObject({
      status: 500,
      body: { errors: 'The admin handler threw: Error: oops' },
    })
  })
})
