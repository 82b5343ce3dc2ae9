import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'

const SHOP = 'a.myshopify.com'

describe('FakeShopify', () => {
  let shopify: FakeShopify

  beforeEach(async () => {
    shopify = await FakeShopify.start({ clientId: 'id', clientSecret: 'secret' })
  })
  afterEach(async () => {
    await shopify.close()
  })

  const refresh = async (refresh_token: string): Promise<Response> =>
    shopify.fetch(`https://${SHOP}/admin/oauth/access_token`, {
      method: 'POST',
      headers: { accept: 'application/json' },
      body: new URLSearchParams({
        client_id: 'id',
        client_secret: 'secret',
        grant_type: 'refresh_token',
        refresh_token,
      }),
    })

  it('rotates a pair over real HTTP', async () => {
    const seed = shopify.mintPair(SHOP)
    const response = await refresh(seed.refreshToken)
    expect(response.status).toBe(200)
    expect(response.headers.get('x-request-id')).toMatch(/.+/)
    const pair = (await response.json()) as Record<string, unknown>
    expect(pair).toMatchObject({ expires_in: 3600, refresh_token_expires_in: 7_776_000, scope: 'read_products' })
    expect(pair.access_token).toMatch(/^shpat_[0-9a-f]{32}$/)
    expect(pair.refresh_token).toMatch(/^shprt_[0-9a-f]{32}$/)
    expect(shopify.counters(SHOP)).toMatchObject({ tokenCalls: 1, pairsMinted: 2, retiredTokensPresented: 0 })
  })

  it('answers the Admin API for a live token', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    const response = await shopify.fetch(`https://${SHOP}/admin/api/2026-10/graphql.json`, {
      method: 'POST',
      headers: { 'X-Shopify-Access-Token': accessToken, 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ shop { name } }' }),
    })
    expect(await response.json()).toEqual({ data: { shop: { name: 'a', myshopifyDomain: SHOP } } })
  })

  it('holds refreshes until they are released', async () => {
    const seed = shopify.mintPair(SHOP)
    const held = shopify.hold('token', { shop: SHOP })
    const answers = [refresh(seed.refreshToken), refresh(seed.refreshToken)]
    await held.arrived(2)
    expect(shopify.counters(SHOP).pairsMinted).toBe(1)
    held.release()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200])
  })
})
