import { createHmac } from 'node:crypto'
import { FakeClock } from '../../packages/testing/src/fake-clock.js'
import { connectFakeShopify } from '../../packages/testing/src/fake-shopify/connect.js'
import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'
import { type Answer, APP, byCode, read, SHOP, token } from './fake-shopify-client.js'

const CALLBACK = 'https://app.example/auth/callback'
const clock = new FakeClock()
let shopify: FakeShopify

beforeEach(async () => {
  shopify = await FakeShopify.start({ ...APP, clock, appUrl: 'https://app.example', redirectUris: [CALLBACK] })
})
afterEach(async () => {
  await shopify.close()
})

interface Asked {
  readonly shop?: string
  readonly client_id?: string
  readonly scope?: string
  readonly redirect_uri?: string
  readonly state?: string
}

function authorizeUrl({ shop = SHOP, ...changed }: Asked = {}): string {
  const asked = {
    client_id: APP.clientId,
    scope: 'read_products',
    redirect_uri: CALLBACK,
    state: 'a state',
    ...changed,
  }
  return `https://${shop}/admin/oauth/authorize?${new URLSearchParams(asked).toString()}`
}

/** What a browser does with a page of the fake, but for following where it is sent. */
async function visit(url: string, init: RequestInit = {}): Promise<Answer> {
  return read(await shopify.fetch(url, { redirect: 'manual', ...init }))
}

/** Presses a button: the page's form, with everything hidden in it. */
async function press(answer: Answer, button: string): Promise<Answer> {
  const fields = [...answer.text.matchAll(/name="([^"]+)" value="([^"]*)"(?: class="primary")?>(?:([A-Z]\w+)<)?/g)]
  const sent = fields.filter(([, , , label]) => label === undefined || label === button)
  const body = new URLSearchParams(
    Object.fromEntries(sent.map(([, name = '', value = '']) => [name, unescaped(value)])),
  )
  return visit(`https://${SHOP}/admin/oauth/authorize`, { method: 'POST', body })
}

const unescaped = (html: string): string => html.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code)))
const locationOf = ({ headers }: Answer): URL => new URL(headers.get('location') ?? '')

/** Whether an address is signed as the official library demands it, worked out another way than the fake does. */
function isSigned({ searchParams }: URL, secret = APP.clientSecret): boolean {
  const sorted = [...searchParams].filter(([name]) => name !== 'hmac').sort(([a], [b]) => (a < b ? -1 : 1))
  const due = createHmac('sha256', secret).update(new URLSearchParams(sorted).toString()).digest('hex')
  return searchParams.get('hmac') === due
}

describe('the authorize page', () => {
  it('shows what the app asks for, and sends the merchant who agrees back with a code that installs the app', async () => {
    const page = await visit(authorizeUrl({ scope: 'read_orders,write_products' }))
    expect(page.status).toBe(200)
    expect(page.text).toMatch(/<li>read_orders<\/li><li>write_products<\/li>/)
    const answer = await press(page, 'Install')
    expect(answer.status).toBe(302)
    const { origin, pathname, searchParams } = locationOf(answer)
    expect(origin + pathname).toBe(CALLBACK)
    expect(Object.fromEntries(searchParams)).toEqual({
      code: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
      hmac: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      host: Buffer.from('admin.shopify.com/store/a').toString('base64').replace(/=+$/, ''),
      shop: SHOP,
      state: 'a state',
      timestamp: String(Math.floor(clock.now() / 1000)),
    })
    expect(isSigned(locationOf(answer))).toBe(true)
    const granted = await token(shopify, byCode(searchParams.get('code') ?? ''))
    expect(granted.body).toMatchObject({ scope: 'read_orders,write_products', expires_in: 3600 })
  })

  it('sends the merchant who cancels back with access_denied, signed, and installs nothing', async () => {
    const answer = await press(await visit(authorizeUrl()), 'Cancel')
    expect(answer.status).toBe(302)
    const { searchParams } = locationOf(answer)
    expect(searchParams.get('error')).toBe('access_denied')
    expect(searchParams.get('state')).toBe('a state')
    expect(searchParams.has('code')).toBe(false)
    expect(isSigned(locationOf(answer))).toBe(true)
    expect((await visit(`https://${SHOP}/admin/apps/${APP.clientId}`)).status).toBe(302)
  })

  it.each([
    ['another client id', { client_id: 'other' }, 'Could not find Shopify API application with api_key'],
    ['an address not on the list', { redirect_uri: `${CALLBACK}/x` }, 'The redirect_uri is not whitelisted'],
    ['no address', { redirect_uri: '' }, 'The redirect_uri is not whitelisted'],
  ])('shows an error for %s, to whoever presses a button too', async (_what, changed, text) => {
    const page = await visit(authorizeUrl(changed))
    expect(page.status).toBe(400)
    expect(page.text).toContain(`Oauth error invalid_request: ${text}`)
    expect(page.headers.get('location')).toBeNull()
    const forged = new URLSearchParams({
      ...Object.fromEntries(new URL(authorizeUrl(changed)).searchParams),
      answer: 'agreed',
    })
    const answer = await visit(`https://${SHOP}/admin/oauth/authorize`, { method: 'POST', body: forged })
    expect([answer.status, answer.headers.get('location')]).toEqual([400, null])
    expect(() => shopify.authorize(SHOP, authorizeUrl(changed))).toThrow(text)
  })

  it('sends back who has granted every scope already, unless it is to ask always', async () => {
    shopify.installShop(SHOP, { scopes: ['write_products'] })
    expect((await visit(authorizeUrl({ scope: 'read_products' }))).status).toBe(302)
    const more = await visit(authorizeUrl({ scope: 'read_products,read_orders' }))
    expect([more.status, /<button[^>]+primary">(\w+)/.exec(more.text)?.[1]]).toEqual([200, 'Update'])
    shopify.configure({ consent: 'always' })
    expect((await visit(authorizeUrl())).status).toBe(200)
    shopify.configure({ consent: 'once' })
    shopify.uninstall(SHOP)
    expect((await visit(authorizeUrl())).status).toBe(200)
  })

  it('grants no scope by name that another implies, and its own list when none is asked for', async () => {
    const granted = async (scope: string): Promise<unknown> => {
      const url = new URL(shopify.authorize(SHOP, authorizeUrl({ scope })))
      return (await token(shopify, byCode(url.searchParams.get('code') ?? ''))).body?.scope
    }
    expect(await granted('read_products,write_products,unauthenticated_read_x,read_x')).toBe(
      'write_products,unauthenticated_read_x,read_x',
    )
    shopify.uninstall(SHOP)
    expect(await granted('')).toBe('read_products')
  })

  it('lets no page frame it, and shows nothing that could be a tag', async () => {
    const { headers, text } = await visit(authorizeUrl({ scope: '<b>', state: '"><script>' }))
    expect(headers.get('x-frame-options')).toBe('DENY')
    expect(headers.get('content-security-policy')).toBe("frame-ancestors 'none'")
    expect(text).toContain('<li>&#60;b&#62;</li>')
    expect(text).not.toMatch(/<b>(?!a\.)|<script/)
  })

  it('signs with the oldest active secret', () => {
    shopify.addClientSecret('newer')
    expect(isSigned(new URL(shopify.authorize(SHOP, authorizeUrl())))).toBe(true)
    shopify.revokeClientSecret(APP.clientSecret)
    expect(isSigned(new URL(shopify.authorize(SHOP, authorizeUrl())), 'newer')).toBe(true)
  })

  it('counts who comes, and is no call of the Admin API', async () => {
    await press(await visit(authorizeUrl()), 'Install')
    shopify.authorize(SHOP, authorizeUrl())
    expect(shopify.counters(SHOP)).toMatchObject({ authorizeVisits: 2, adminCalls: 0, tokenCalls: 0 })
    expect(shopify.log(SHOP)).toEqual([])
  })
})

describe('authorize()', () => {
  it('goes through the page without a browser, from another process too', async () => {
    const remote = connectFakeShopify(shopify.url)
    const url = new URL(await remote.authorize(SHOP, authorizeUrl()))
    expect(isSigned(url)).toBe(true)
    expect(await remote.authorize(SHOP, authorizeUrl(), { cancel: true })).toContain('error=access_denied')
    await expect(remote.authorize(SHOP, authorizeUrl({ client_id: 'other' }))).rejects.toThrow('Could not find')
  })

  it.each([
    authorizeUrl({ shop: 'b.myshopify.com' }),
    authorizeUrl().replace('https:', 'http:'),
    authorizeUrl().replace('/authorize', '/install'),
    authorizeUrl().replace(SHOP, 'admin.shopify.com'),
  ])('refuses %s, which is not the authorize page of the shop', (url) => {
    expect(() => shopify.authorize(SHOP, url)).toThrow(TypeError)
  })
})

describe('the begin of an installation', () => {
  it("opens the app's address with the shop, signed", async () => {
    const answer = await visit(`https://${SHOP}/admin/oauth/install?client_id=${APP.clientId}`)
    expect(answer.status).toBe(302)
    const { origin, searchParams } = locationOf(answer)
    expect(origin).toBe('https://app.example')
    expect([...searchParams.keys()].sort()).toEqual(['hmac', 'host', 'shop', 'timestamp'])
    expect(isSigned(locationOf(answer))).toBe(true)
  })

  it('shows an error for another client id, and says when the app has no address', async () => {
    expect((await visit(`https://${SHOP}/admin/oauth/install?client_id=other`)).status).toBe(400)
    const homeless = await FakeShopify.start(APP)
    const url = `https://${SHOP}/admin/oauth/install?client_id=${APP.clientId}`
    const { status, text } = await read(await homeless.fetch(url))
    await homeless.close()
    expect([status, text.includes('FakeShopify has no appUrl')]).toEqual([500, true])
  })
})

describe('options of the pages', () => {
  it.each([
    ['appUrl', 'app.example'],
    ['appUrl', 'javascript:alert(1)'],
    ['redirectUris', CALLBACK],
    ['redirectUris', ['/callback']],
    ['consent', 'never'],
    ['appBridgeReload', 'never'],
  ])('are checked: %s = %j', async (name, value) => {
    const wrong = { ...APP, [name]: value } as Parameters<typeof FakeShopify.start>[0]
    await expect(FakeShopify.start(wrong)).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining(name) as string,
    })
  })
})
