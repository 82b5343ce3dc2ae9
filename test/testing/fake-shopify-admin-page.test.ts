import { Script } from 'node:vm'
import { FakeClock } from '../../packages/testing/src/fake-clock.js'
import { SHOP_HEADER } from '../../packages/testing/src/fake-shopify/addresses.js'
import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'
import { acceptsSessionToken } from '../../packages/testing/src/fake-shopify/session-token.js'
import { type Answer, APP, read, SHOP } from './fake-shopify-client.js'

const clock = new FakeClock()
let shopify: FakeShopify

beforeEach(async () => {
  shopify = await FakeShopify.start({ ...APP, clock, appUrl: 'https://app.example/base/' })
})
afterEach(async () => {
  await shopify.close()
})

/** A browser's request to any of Shopify's hosts. */
async function at(host: string, path: string, init: RequestInit = {}): Promise<Answer> {
  const headers = { [SHOP_HEADER]: host }
  return read(await fetch(shopify.url + path, { redirect: 'manual', headers, ...init }))
}

function frameOf({ text }: Answer): URL {
  const source = /<iframe[^>]+src="([^"]+)"/.exec(text)?.[1] ?? ''
  return new URL(source.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))))
}

const accepted = (token: string | null): boolean =>
  acceptsSessionToken(token ?? '', SHOP, APP.clientId, [APP.clientSecret], clock.now())

describe('the admin page', () => {
  it.each([
    ['the shop', SHOP, `/admin/apps/${APP.clientId}`],
    ['admin.shopify.com', 'admin.shopify.com', `/store/a/apps/${APP.clientId}`],
  ])('on %s loads the app into a frame, with an ID token and everything signed', async (_where, host, path) => {
    shopify.installShop(SHOP)
    const page = await at(host, `${path}/products/1?tab=2`)
    expect(page.status).toBe(200)
    const { origin, pathname, searchParams } = frameOf(page)
    expect(origin + pathname).toBe('https://app.example/base/products/1')
    expect([...searchParams.keys()]).toEqual([
      'embedded',
      'host',
      'id_token',
      'locale',
      'session',
      'shop',
      'tab',
      'timestamp',
      'hmac',
    ])
    expect(searchParams.get('embedded')).toBe('1')
    expect(searchParams.get('shop')).toBe(SHOP)
    expect(accepted(searchParams.get('id_token'))).toBe(true)
    expect(page.headers.get('x-frame-options')).toBe('DENY')
  })

  it('sends a merchant without the app to the begin of its installation', async () => {
    const answer = await at('admin.shopify.com', `/store/a/apps/${APP.clientId}/products`)
    expect([answer.status, answer.headers.get('location')]).toEqual([
      302,
      `/store/a/oauth/install?client_id=${APP.clientId}`,
    ])
  })

  it('gives ID tokens to itself, as long as the app is installed', async () => {
    shopify.installShop(SHOP)
    const { status, text } = await at(SHOP, '/admin/internal/id-token', { method: 'POST' })
    expect([status, accepted(text)]).toEqual([200, true])
    shopify.uninstall(SHOP)
    expect((await at(SHOP, '/admin/internal/id-token', { method: 'POST' })).status).toBe(403)
  })

  it.each([
    ['another app', SHOP, '/admin/apps/other'],
    ['an app whose id begins alike', SHOP, `/admin/apps/${APP.clientId}-2`],
  ])('is not shown for %s', async (_what, host, path) => {
    shopify.installShop(SHOP)
    expect((await at(host, path)).text).not.toContain('<iframe')
  })

  it('is not there for a store without a name', async () => {
    expect((await at('admin.shopify.com', `/store/-/apps/${APP.clientId}`)).status).toBe(404)
    expect((await at('admin.shopify.com', `/admin/apps/${APP.clientId}`)).status).toBe(404)
  })
})

describe('the stand-in for App Bridge', () => {
  it('is served where pages expect App Bridge, and nowhere else', async () => {
    const { status, headers, text } = await at('cdn.shopify.com', '/shopifycloud/app-bridge.js')
    expect([status, headers.get('content-type')]).toEqual([200, 'text/javascript; charset=utf-8'])
    expect(() => new Script(text)).not.toThrow()
    expect((await at('cdn.shopify.com', '/shopifycloud/other.js')).status).toBe(404)
  })
})
