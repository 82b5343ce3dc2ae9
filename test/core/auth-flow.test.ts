import {
  AuthFlow,
  type AuthOptions,
  type AuthRequest,
  type HttpReply,
  type Installed,
  ReauthorizationRequiredError,
  SecretOutdatedError,
  StoreUnavailableError,
} from '@shopify-tokens/core'
import { AuthBrowser, cookiesOf, locationOf } from './auth-browser.js'
import { CLIENT_ID, CLIENT_SECRET, closeAll, type ManagedApp, managedApp, shop } from './managed-app.js'
import { signedCallback } from './signed-callback.js'

const APP = 'https://app.example.com'
const BEGIN = `/auth?shop=${shop}`

let app: ManagedApp
let browser: AuthBrowser

const flowWith = (options: AuthOptions = {}): AuthFlow =>
  new AuthFlow(app.tokens, { appUrl: APP, scopes: ['read_products', 'write_orders'], ...options }, {})

beforeEach(async () => {
  app = await managedApp({ shopifyOptions: { scopes: ['read_products', 'write_orders'] } })
  browser = new AuthBrowser(flowWith())
})

afterEach(closeAll)

/** From the begin of authorization to the callback, which is not opened yet. */
async function authorize(from = BEGIN, by = browser): Promise<string> {
  return app.shopify.authorize(shop, locationOf(await by.open(from)))
}

/** What the page says, and that it is a page. */
function pageOf(reply: HttpReply | null): { readonly status: number | undefined; readonly text: string } {
  expect(reply?.headers['content-type']).toBe('text/html; charset=utf-8')
  return { status: reply?.status, text: reply?.body.replace(/<[^>]*>/g, '\n') ?? '' }
}

function expectRefusal(reply: HttpReply | null, status: number, code: string): void {
  const page = pageOf(reply)
  expect(page.status).toBe(status)
  expect(page.text).toContain(code)
}

describe('the begin of authorization', () => {
  it("leads to the shop's authorize page with the scopes, our callback and a state", async () => {
    const reply = await browser.open(BEGIN)
    const location = new URL(locationOf(reply))

    expect(reply?.status).toBe(302)
    expect(`${location.origin}${location.pathname}`).toBe(`https://${shop}/admin/oauth/authorize`)
    expect(Object.fromEntries(location.searchParams)).toEqual({
      client_id: CLIENT_ID,
      scope: 'read_products,write_orders',
      redirect_uri: `${APP}/auth/callback`,
      state: expect.stringMatching(/^[0-9a-f-]{36}$/) as unknown,
    })
  })

  it('gives the browser a signed cookie for the OAuth routes alone, for ten minutes', async () => {
    const reply = await browser.open(BEGIN)
    const state = new URL(locationOf(reply)).searchParams.get('state') ?? ''
    const cookies = cookiesOf(reply)

    expect(cookies).toHaveLength(1)
    expect(cookies[0]).toMatch(
      new RegExp(
        `^shopify_tokens_auth_${state}=[A-Za-z0-9_.-]+; Max-Age=600; Path=/auth; HttpOnly; Secure; SameSite=Lax$`,
      ),
    )
  })

  it('asks for scopes beside the app’s own, each once', async () => {
    const reply = await browser.open(`${BEGIN}&scope=write_orders,read_customers,`)

    expect(new URL(locationOf(reply)).searchParams.get('scope')).toBe('read_products,write_orders,read_customers')
  })

  it('asks for no scopes when there are none: Shopify then asks for those of the app’s configuration', async () => {
    const reply = await new AuthBrowser(flowWith({ scopes: [] })).open(BEGIN)

    expect(new URL(locationOf(reply)).searchParams.has('scope')).toBe(false)
  })

  it.each([
    ['no shop', '/auth', 'ERR_INVALID_SHOP'],
    ['another domain', '/auth?shop=evil.com', 'ERR_INVALID_SHOP'],
    ['two shops', `${BEGIN}&shop=${shop}`, 'ERR_INVALID_SHOP'],
    ['a scope that is none', `${BEGIN}&scope=read_products%26x`, 'ERR_INVALID_AUTH_REQUEST'],
    ['scopes that came twice', `${BEGIN}&scope=read_a&scope=read_b`, 'ERR_INVALID_AUTH_REQUEST'],
    ['more scopes than fit', `${BEGIN}&scope=${'read_products,'.repeat(100)}`, 'ERR_INVALID_AUTH_REQUEST'],
    ['a way back to elsewhere', `${BEGIN}&return_to=//evil.com`, 'ERR_INVALID_AUTH_REQUEST'],
    ['an empty way back', `${BEGIN}&return_to=`, 'ERR_INVALID_AUTH_REQUEST'],
    ['a way back that came twice', `${BEGIN}&return_to=/a&return_to=/b`, 'ERR_INVALID_AUTH_REQUEST'],
    ['a way back that does not fit', `${BEGIN}&return_to=/${'x'.repeat(1_024)}`, 'ERR_INVALID_AUTH_REQUEST'],
  ])('with %s is refused, and gives no cookie', async (_what, address, code) => {
    const reply = await browser.open(address)

    expectRefusal(reply, 400, code)
    expect(cookiesOf(reply)).toEqual([])
  })

  it('with as much as is allowed fits into a cookie', async () => {
    const scope = Array.from({ length: 60 }, (_, n) => `read_something_${String(n)}`).join(',')
    await browser.open(`${BEGIN}&scope=${scope.slice(0, 1_020)}&return_to=/${'x'.repeat(1_023)}`)

    expect(browser.cookies.size).toBe(1)
  })

  it('begins with HEAD as well, and with nothing else', async () => {
    expect((await browser.open(BEGIN, { method: 'HEAD' }))?.status).toBe(302)
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS', 'get']) {
      expect(await browser.open(BEGIN, { method })).toBeNull()
    }
  })

  it('sends nothing to Shopify and reads no store', async () => {
    app.store.resetCounts()
    await browser.open(BEGIN)

    expect(app.tokenCalls()).toBe(0)
    expect(app.store.count()).toBe(0)
  })
})

describe('many authorizations that one browser has begun', () => {
  it('do not fight: each ends with its own', async () => {
    const [first, second] = [await authorize(), await authorize()]

    expect((await browser.open(first))?.status).toBe(302)
    expect((await browser.open(second))?.status).toBe(302)
    expect(browser.cookies.size).toBe(0)
  })

  it('are five at most: the oldest is forgotten', async () => {
    const callbacks: string[] = []
    for (let n = 0; n < 6; n++) callbacks.push(await authorize())

    expect(browser.cookies.size).toBe(5)
    expectRefusal(await browser.open(callbacks[0] ?? ''), 400, 'ERR_INVALID_CALLBACK')
    expect((await browser.open(callbacks[1] ?? ''))?.status).toBe(302)
    expect((await browser.open(callbacks[5] ?? ''))?.status).toBe(302)
  })

  it('are fewer when they are long: a server takes no more than 16 kB of headers', async () => {
    // As long as fits into a cookie: JSON doubles a backslash.
    const asked = new URLSearchParams({ return_to: `/?${'\\'.repeat(220)}${'a'.repeat(800)}` })
    asked.set('scope', Array.from({ length: 10 }, (_, n) => `read_${'x'.repeat(94)}${String(n)}`).join(','))
    for (let n = 0; n < 6; n++) await authorize(`${BEGIN}&${asked.toString()}`)
    const last = await authorize()

    const sent = [...browser.cookies].map(([name, { value }]) => `${name}=${value}`)
    expect(sent.join('; ').length).toBeLessThan(8_192)
    expect((await browser.open(last))?.status).toBe(302)
  })
})

describe('the callback', () => {
  it('stores the tokens and sends the merchant into the app in the admin', async () => {
    const reply = await browser.open(await authorize())

    expect(reply?.status).toBe(302)
    expect(locationOf(reply)).toBe(`https://admin.shopify.com/store/acme/apps/${CLIENT_ID}`)
    expect(await app.record()).toMatchObject({ kind: 'expiring', scopes: ['read_products', 'write_orders'] })
    expect(app.eventsOf('token.acquired')).toMatchObject([{ shop, grant: 'code' }])
    expect(app.tokenCalls()).toBe(1)
  })

  it.each<[what: string, options: AuthOptions, from: string, to: string]>([
    [
      'to a page of the app in the admin',
      {},
      `${BEGIN}&return_to=${encodeURIComponent('/products?page=2&id_token=old')}`,
      `https://admin.shopify.com/store/acme/apps/${CLIENT_ID}/products?page=2`,
    ],
    [
      'to the app at its own address',
      { embedded: false },
      BEGIN,
      `${APP}/?shop=${shop}&host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ`,
    ],
    [
      'to a page of the app at its own address',
      { embedded: false },
      `${BEGIN}&return_to=${encodeURIComponent('/products?page=2&shop=other')}`,
      `${APP}/products?page=2&shop=${shop}&host=YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ`,
    ],
  ])('sends the merchant %s', async (_what, options, from, to) => {
    browser = new AuthBrowser(flowWith(options))

    expect(locationOf(await browser.open(await authorize(from)))).toBe(to)
  })

  it('sends the merchant to the shop’s own admin when Shopify tells no host', async () => {
    const state = new URL(locationOf(await browser.open(BEGIN))).searchParams.get('state') ?? ''
    const code = app.shopify.issueCode(shop)
    const timestamp = String(Math.floor(app.clock.now() / 1000))
    const query = new URLSearchParams(signedCallback({ state, code, timestamp, host: undefined }, CLIENT_SECRET))

    const reply = await browser.open(`/auth/callback?${query.toString()}`)

    expect(locationOf(reply)).toBe(`https://${shop}/admin/apps/${CLIENT_ID}`)
  })

  it('takes the cookie away in every answer', async () => {
    const callback = await authorize()
    const state = new URL(callback).searchParams.get('state') ?? ''
    const gone = `shopify_tokens_auth_${state}=; Max-Age=0; Path=/auth; HttpOnly; Secure; SameSite=Lax`

    expect(cookiesOf(await browser.open(`${callback}&forged=1`))).toEqual([gone])
    expect(cookiesOf(await browser.open(callback))).toEqual([gone])
  })

  it('counts once, even if the browser kept its cookie', async () => {
    const callback = await authorize()
    const cookies = new Map(browser.cookies)
    expect((await browser.open(callback))?.status).toBe(302)
    for (const [name, cookie] of cookies) browser.cookies.set(name, cookie)

    const again = await browser.open(callback)

    expectRefusal(again, 400, 'ERR_INVALID_CALLBACK')
    expect(app.tokenCalls()).toBe(1)
    expect(app.eventsOf('callback.refused')).toMatchObject([{ flaw: 'code' }])
  })

  it('counts once in all processes', async () => {
    const callback = await authorize()
    const other = new AuthFlow(app.anotherProcess(), { appUrl: APP, scopes: ['read_products'] }, {})
    const otherBrowser = new AuthBrowser(other)
    for (const [name, cookie] of browser.cookies) otherBrowser.cookies.set(name, cookie)

    const replies = await Promise.all([browser.open(callback), otherBrowser.open(callback)])

    expect(replies.map((reply) => reply?.status).sort()).toEqual([302, 400])
    expect(app.shopify.counters(shop).tokenCalls).toBe(1)
  })

  it.each<[flaw: string, what: string, change: (callback: URL) => void]>([
    [
      'signature',
      'another shop',
      ({ searchParams }) => {
        searchParams.set('shop', 'other.myshopify.com')
      },
    ],
    [
      'signature',
      'another code',
      ({ searchParams }) => {
        searchParams.set('code', 'other')
      },
    ],
    [
      'malformed',
      'two shops',
      ({ searchParams }) => {
        searchParams.append('shop', shop)
      },
    ],
    [
      'malformed',
      'no signature',
      ({ searchParams }) => {
        searchParams.delete('hmac')
      },
    ],
    [
      'state',
      'a browser that has not begun it',
      () => {
        browser.cookies.clear()
      },
    ],
    [
      'state',
      'a cookie of another state',
      () => {
        renameCookie()
      },
    ],
    [
      'state',
      'a cookie that was changed',
      () => {
        changeCookie()
      },
    ],
  ])('is refused for its %s before anything is sent: %s', async (flaw, _what, change) => {
    const callback = new URL(await authorize())
    change(callback)

    const reply = await browser.open(callback.href)

    expectRefusal(reply, 400, 'ERR_INVALID_CALLBACK')
    expect(app.eventsOf('callback.refused')).toMatchObject([{ flaw }])
    expect(app.tokenCalls()).toBe(0)
    expect(await app.record()).toBeNull()
  })

  it('is refused when this browser has begun for another shop', async () => {
    const state = new URL(locationOf(await browser.open('/auth?shop=other.myshopify.com'))).searchParams.get('state')
    const timestamp = String(Math.floor(app.clock.now() / 1000))
    const signed = signedCallback({ state: state ?? '', timestamp, shop }, CLIENT_SECRET)

    const reply = await browser.open(`/auth/callback?${new URLSearchParams(signed).toString()}`)

    expectRefusal(reply, 400, 'ERR_INVALID_CALLBACK')
    expect(app.eventsOf('callback.refused')).toMatchObject([{ flaw: 'state' }])
    expect(app.tokenCalls()).toBe(0)
  })

  it('is refused when it has taken more than ten minutes', async () => {
    const begun = locationOf(await browser.open(BEGIN))
    await app.clock.advance(600_000)

    const reply = await browser.open(app.shopify.authorize(shop, begun))

    expectRefusal(reply, 400, 'ERR_INVALID_CALLBACK')
    expect(app.eventsOf('callback.refused')).toMatchObject([{ flaw: 'state' }])
  })

  it('tells a merchant who declined that nothing was changed, and how to begin anew', async () => {
    const callback = app.shopify.authorize(shop, locationOf(await browser.open(BEGIN)), { cancel: true })

    const reply = await browser.open(callback)

    expectRefusal(reply, 400, 'You have declined what the app asked for.')
    expect(reply?.body).toContain(`href="${BEGIN}"`)
    expect(app.eventsOf('callback.refused')).toMatchObject([{ flaw: 'denied' }])
    expect(app.tokenCalls()).toBe(0)
  })

  it('is no business of HEAD, which would use up the code', async () => {
    const callback = await authorize()

    expect(await browser.open(callback, { method: 'HEAD' })).toBeNull()
    expect((await browser.open(callback))?.status).toBe(302)
  })

  it('asks to come back while Shopify is away', async () => {
    const callback = await authorize()
    app.shopify.faults.next(shop, { kind: 'status', status: 503 })

    const reply = await browser.open(callback)

    expectRefusal(reply, 503, 'ERR_TOKEN_ENDPOINT_UNAVAILABLE')
    expect(reply?.headers['retry-after']).toMatch(/^[1-9][0-9]*$/)
    expect(reply?.body).toContain(`href="${BEGIN}"`)
  })

  it('answers with a page when the store cannot be opened', async () => {
    const callback = await authorize()
    const flow = new AuthFlow(() => Promise.reject(new StoreUnavailableError('Planted.')), { appUrl: APP }, {})

    const reply = await new AuthBrowser(flow).open(callback)

    expectRefusal(reply, 503, 'ERR_STORE_UNAVAILABLE')
    expect(reply?.body).not.toContain('Planted')
  })

  it('does not tell a merchant to try again what only the makers of the app can mend', async () => {
    const flow = new AuthFlow(() => Promise.reject(new SecretOutdatedError('Planted.')), { appUrl: APP }, {})

    expectRefusal(await new AuthBrowser(flow).open('/auth/callback'), 500, 'Please tell the makers of the app')
  })
})

function renameCookie(): void {
  const other = [...browser.cookies].map(
    ([name, cookie]) => [name.replace(/.$/, (last) => (last === '0' ? '1' : '0')), cookie] as const,
  )
  browser.cookies.clear()
  for (const [name, cookie] of other) browser.cookies.set(name, cookie)
}

function changeCookie(): void {
  for (const [name, { value, path }] of browser.cookies) browser.cookies.set(name, { value: `A${value}`, path })
}

/** Authorizes, and has Shopify grant these scopes whatever was asked for, as it does where it manages the installation. */
async function authorizeGranting(granted: readonly string[], from = BEGIN): Promise<HttpReply | null> {
  const state = new URL(locationOf(await browser.open(from))).searchParams.get('state') ?? ''
  const code = app.shopify.issueCode(shop, { scopes: granted })
  const timestamp = String(Math.floor(app.clock.now() / 1000))
  const signed = signedCallback({ state, code, timestamp }, CLIENT_SECRET)
  return browser.open(`/auth/callback?${new URLSearchParams(signed).toString()}`)
}

describe('scopes that were asked for and not granted', () => {
  it('end on a page instead of going round in circles', async () => {
    const reply = await authorizeGranting(['read_products', 'write_orders'], `${BEGIN}&scope=write_products`)

    expectRefusal(reply, 403, 'ERR_SCOPE_MISSING')
    expect(reply?.headers).not.toHaveProperty('location')
    expect(await app.record()).toMatchObject({ kind: 'expiring', scopes: ['read_products', 'write_orders'] })
  })

  it('keep nobody out when they are the app’s own: its configuration at Shopify may not have them yet', async () => {
    expect((await authorizeGranting(['read_products']))?.status).toBe(302)
    expect(await app.record()).toMatchObject({ kind: 'expiring', scopes: ['read_products'] })
  })

  it('are not missed when a greater one was granted', async () => {
    expect((await authorizeGranting(['write_products'], `${BEGIN}&scope=read_products`))?.status).toBe(302)
  })
})

describe('onInstalled', () => {
  it('hears of the shop, its scopes and its token after they are stored and before the merchant goes on', async () => {
    const heard: (Installed & { readonly stored: unknown })[] = []
    const onInstalled = async (installed: Installed): Promise<void> => {
      heard.push({ ...installed, stored: await app.record() })
    }
    browser = new AuthBrowser(flowWith({ onInstalled }))

    await browser.open(await authorize())

    expect(heard).toMatchObject([
      { shop, scopes: ['read_products', 'write_orders'], stored: { kind: 'expiring' }, token: { shop } },
    ])
    expect(heard[0]?.token.value).toMatch(/^shpat_/)
  })

  it('is not called when nothing was installed', async () => {
    const onInstalled = jest.fn()
    browser = new AuthBrowser(flowWith({ onInstalled }))

    await browser.open(`${await authorize()}&forged=1`)

    expect(onInstalled).not.toHaveBeenCalled()
  })

  it('that fails leaves the tokens, and its error to the app', async () => {
    const failure = new Error('The app’s own')
    browser = new AuthBrowser(flowWith({ onInstalled: () => Promise.reject(failure) }))

    await expect(browser.open(await authorize())).rejects.toBe(failure)

    expect(await app.record()).toMatchObject({ kind: 'expiring' })
  })

  it('that meets one of our errors ends on a page: sending the merchant round again would not help', async () => {
    const onInstalled = (): never => {
      throw new ReauthorizationRequiredError('removed', { shop })
    }
    browser = new AuthBrowser(flowWith({ onInstalled }))

    expectRefusal(await browser.open(await authorize()), 403, 'ERR_REAUTHORIZATION_REQUIRED')
  })
})

describe('inside the admin', () => {
  it.each<[how: string, address: string, changed: Partial<AuthRequest>]>([
    ['as the admin says', `${BEGIN}&embedded=1`, {}],
    ['as the browser says', BEGIN, { fetchDest: 'iframe' }],
    ['as a page of the app wants', `/auth/exit-iframe?shop=${shop}`, {}],
  ])('authorization leaves the frame before it begins: %s', async (_how, address, changed) => {
    const reply = await browser.open(address, changed)

    expect(reply?.status).toBe(200)
    expect(reply?.body).toContain(`window.open("${APP}/auth?shop=${shop}", '_top')`)
    expect(cookiesOf(reply)).toEqual([])
  })

  it('what was asked for comes along', async () => {
    const reply = await browser.open(`${BEGIN}&embedded=1&scope=read_customers&return_to=/a?b=c&id_token=secret`)
    const opened = /window\.open\("([^"]*)"/.exec(reply?.body ?? '')?.[1]
    const begun = JSON.parse(`"${opened ?? ''}"`) as string

    expect(begun).toBe(`${APP}/auth?shop=${shop}&scope=read_customers&return_to=%2Fa%3Fb%3Dc`)
    expect((await browser.open(begun))?.status).toBe(302)
  })

  it.each(['/auth?embedded=1', '/auth/exit-iframe', '/auth/exit-iframe?shop=evil.com'])(
    'no frame is left for no shop: %s',
    async (address) => {
      expectRefusal(await browser.open(address), 400, 'ERR_INVALID_SHOP')
    },
  )
})

describe('the bounce page', () => {
  it.each([
    ['/products?page=2', `shop=${shop}`],
    [`${APP}/products?page=2`, `shop=${shop}`],
    [`${APP}/`, `shop=${shop}`],
    ['/', ''],
  ])('loads App Bridge for %s', async (target, query) => {
    const reply = await browser.open(`/auth/bounce?shopify-reload=${encodeURIComponent(target)}&${query}`)

    expect(reply?.status).toBe(200)
    expect(reply?.body).toContain(
      `<script data-api-key="${CLIENT_ID}" src="https://cdn.shopify.com/shopifycloud/app-bridge.js"></script>`,
    )
  })

  it.each([
    'https://evil.com/',
    '//evil.com',
    '/\\evil.com',
    '/%09/evil.com',
    `${APP}.evil.com/`,
    `${APP}@evil.com/`,
    `${APP}//evil.com`,
    `${APP}:444/`,
    APP.replace('https', 'http'),
    'javascript:alert(1)',
    'products',
    '',
  ])('is no way to %s', async (target) => {
    const reply = await browser.open(`/auth/bounce?shop=${shop}&shopify-reload=${encodeURIComponent(target)}`)

    expectRefusal(reply, 400, 'ERR_INVALID_AUTH_REQUEST')
  })

  it('is no way to what becomes another host when a browser decodes it once more', async () => {
    // Where a part cannot be decoded, some frameworks hand on the whole undecoded.
    const query = { shop, 'shopify-reload': '/%5Cevil.com/%FF' }

    expect((await browser.open('/auth/bounce', { query }))?.status).toBe(400)
  })

  it.each([
    ['nothing to load', `/auth/bounce?shop=${shop}`, 'ERR_INVALID_AUTH_REQUEST'],
    ['two things to load', '/auth/bounce?shopify-reload=/a&shopify-reload=/b', 'ERR_INVALID_AUTH_REQUEST'],
    ['a shop that is none', '/auth/bounce?shopify-reload=/a&shop=evil.com', 'ERR_INVALID_SHOP'],
    ['two shops', `/auth/bounce?shopify-reload=/a&shop=${shop}&shop=${shop}`, 'ERR_INVALID_SHOP'],
  ])('with %s is refused', async (_what, address, code) => {
    expectRefusal(await browser.open(address), 400, code)
  })

  it('says what it loads to nobody: App Bridge reads the address', async () => {
    const reply = await browser.open('/auth/bounce?shopify-reload=/planted?a=planted&id_token=planted')

    expect(JSON.stringify(reply)).not.toContain('planted')
  })
})

describe('an app outside the admin', () => {
  it('has no page for App Bridge', async () => {
    browser = new AuthBrowser(flowWith({ embedded: false }))

    expect(await browser.open('/auth/bounce?shopify-reload=/')).toBeNull()
    expect(await browser.open(`/auth/exit-iframe?shop=${shop}`)).toBeNull()
  })
})

describe('what is none of the routes', () => {
  it.each([
    '/',
    '/auth/',
    '/auth/callback/',
    '/auth/other',
    '/authentic',
    '/AUTH',
    '/products/auth',
    '/auth%2Fcallback',
  ])('%s is left to the app, and the manager is not asked for', async (path) => {
    const source = jest.fn(() => app.tokens)
    const flow = new AuthFlow(source, { appUrl: APP }, {})

    expect(await new AuthBrowser(flow).open(path)).toBeNull()
    expect(source).not.toHaveBeenCalled()
  })

  it('are the usual ones when the app has another path for them', async () => {
    const flow = flowWith({ authPath: '/shopify/install' })
    browser = new AuthBrowser(flow)

    expect(flow.authPath).toBe('/shopify/install')
    expect(await browser.open(BEGIN)).toBeNull()
    expect((await browser.open(await authorize(`/shopify/install?shop=${shop}`)))?.status).toBe(302)
  })
})

describe('a query that is no object', () => {
  it.each([undefined, null, 'shop=acme.myshopify.com', 42, []])('is refused: %p', async (query) => {
    expectRefusal(await browser.open('/auth', { query }), 400, 'ERR_INVALID_SHOP')
    expectRefusal(await browser.open('/auth/callback', { query }), 400, 'ERR_INVALID_CALLBACK')
    expectRefusal(await browser.open('/auth/bounce', { query }), 400, 'ERR_INVALID_AUTH_REQUEST')
  })

  it('lends nothing from its prototype', async () => {
    const query = Object.create({ shop }) as unknown

    expectRefusal(await browser.open('/auth', { query }), 400, 'ERR_INVALID_SHOP')
  })
})
