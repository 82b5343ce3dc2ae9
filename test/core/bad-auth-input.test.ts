import { createHmac } from 'node:crypto'
import { parse } from 'node:querystring'
import {
  AuthFlow,
  type AuthRequest,
  createTokenManager,
  errorReply,
  type HttpReply,
  InvalidSessionTokenError,
  MemoryTokenStore,
  openRequest,
  parseShop,
  ReauthorizationRequiredError,
  type TokenManager,
} from '@shopify-tokens/core'
import { FAKE_EPOCH, FakeClock } from '@shopify-tokens/testing'
import * as fc from 'fast-check'
import { locationOf } from './auth-browser.js'
import { CALLBACK, signedCallback } from './signed-callback.js'

const SEED = 20_261_120
const CLIENT_ID = 'client-id'
const SECRET = 'shpss_current'
const APP = 'https://app.example.com'
const SHOP = parseShop(CALLBACK.shop)
const WANTED = 7_000

let cases = 0
let outgoing: number
let tokens: TokenManager
let embedded: AuthFlow
let standalone: AuthFlow

beforeEach(() => {
  outgoing = 0
  tokens = createTokenManager({
    ...{ clientId: CLIENT_ID, clientSecret: SECRET, previousClientSecret: 'shpss_previous' },
    ...{ store: new MemoryTokenStore(), sealing: 'unsealed-tokens-readable-in-store', clock: new FakeClock() },
    fetch: () => {
      outgoing += 1
      const pair = { access_token: 'shpat_x', expires_in: 3600, refresh_token: `shprt_x`, scope: 'read_products' }
      return Promise.resolve(Response.json({ ...pair, refresh_token_expires_in: 7_776_000 }))
    },
  })
  embedded = new AuthFlow(tokens, { appUrl: APP }, {})
  standalone = new AuthFlow(tokens, { appUrl: APP, embedded: false }, {})
})

afterAll(() => {
  process.stdout.write(`${String(cases)} cases of bad input to the OAuth routes and verifiers\n`)
})

/** Text of all kinds: other alphabets, control characters, and what breaks out of headers, pages, paths and cookies. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom(
    '',
    ' ',
    '\0',
    '\r\nset-cookie: a=b',
    '"><script>alert(1)</script>',
    'x'.repeat(10_000),
    '[object Object]',
  ),
  fc.constantFrom(
    '%',
    '%2',
    '%ff',
    '%2e%2e',
    '&',
    '=',
    '+',
    ';',
    ',',
    '__proto__',
    'constructor',
    'NaN',
    '1e999',
    '-1',
  ),
)
const shops = fc.oneof(
  text,
  fc.constantFrom(
    SHOP,
    'ACME.myshopify.com',
    'other.myshopify.com',
    'evil.com',
    `${SHOP}.evil.com`,
    `evil.com/${SHOP}`,
  ),
  fc.constantFrom(
    `${SHOP}.`,
    `${SHOP}:443`,
    `user@${SHOP}`,
    `https://${SHOP}`,
    '\u212Aiosk.myshopify.com',
    `${SHOP}\n`,
  ),
)
/** Ways out of the app, in every spelling, and some that stay. */
const ways = fc.oneof(
  text,
  fc.webUrl(),
  fc
    .tuple(
      fc.constantFrom(
        '',
        '/',
        '//',
        '/\\',
        '\\',
        '/%2f',
        '/%5C',
        '/%09/',
        '/\t/',
        '/./',
        '/../',
        '/.//',
        'https:',
        'https:/',
        APP,
        `${APP}.`,
        `${APP}@`,
        `${APP}/`,
        `${APP}//`,
      ),
      fc.constantFrom(
        '',
        'evil.com',
        'evil.com/%FF',
        '@evil.com',
        '/evil.com',
        '\\evil.com',
        '%2fevil.com',
        ':80',
        'products',
        '..',
        '?id_token=x',
      ),
    )
    .map((parts) => parts.join('')),
)
/** What a framework may make of one parameter. */
const parsed = (values: fc.Arbitrary<string>): fc.Arbitrary<unknown> =>
  fc.oneof(
    { weight: 5, arbitrary: values },
    { weight: 1, arbitrary: fc.array(values, { maxLength: 3 }) },
    { weight: 1, arbitrary: fc.dictionary(fc.string({ maxLength: 5 }), values, { maxKeys: 2 }) },
    { weight: 1, arbitrary: fc.constantFrom(undefined, null, 0, true, { toString: 'x' }, Object.create(null)) },
  )
const state = fc.oneof(text, fc.uuid())
const query = fc.record(
  {
    shop: parsed(shops),
    code: parsed(text),
    state: parsed(state),
    hmac: parsed(fc.oneof(text, fc.stringMatching(/^[0-9a-f]{64}$/))),
    host: parsed(fc.oneof(text, fc.base64String())),
    timestamp: parsed(fc.oneof(text, fc.constant(CALLBACK.timestamp))),
    scope: parsed(fc.oneof(text, fc.constantFrom('read_products', 'read_products,write_orders', 'READ', 'a b'))),
    return_to: parsed(ways),
    'shopify-reload': parsed(ways),
    embedded: parsed(fc.constantFrom('1', '0', 'true')),
    error: parsed(fc.constantFrom('access_denied', 'x')),
    id_token: parsed(text),
    signature: parsed(text),
  },
  { requiredKeys: [] },
)
const cookies = fc.oneof(
  fc.constant(undefined),
  text,
  fc.tuple(fc.uuid(), text).map(([name, value]) => `shopify_tokens_auth_${name}=${value}`),
  fc
    .array(
      fc.uuid().map((name) => `shopify_tokens_auth_${name}=x.y.z`),
      { maxLength: 12 },
    )
    .map((all) => all.join('; ')),
)

const request = (path: string, changed: Partial<AuthRequest>): AuthRequest => ({
  ...{ method: 'GET', path, query: {}, cookies: undefined, fetchDest: 'document' },
  ...changed,
})

/** A 4xx with a code, which leads nowhere, holds no script and made nobody call Shopify. */
function expectRefusal(reply: HttpReply | null): void {
  expect(reply?.status).toBeGreaterThanOrEqual(400)
  expect(reply?.status).toBeLessThan(500)
  expect(reply?.body).toMatch(/<code>ERR_[A-Z_]+<\/code>/)
  expect(reply?.body).not.toContain('<script')
  expect(reply?.headers).not.toHaveProperty('location')
  expect(outgoing).toBe(0)
}

/** No header that would be two, or none that Node would send. */
function expectSendable(reply: HttpReply | null): void {
  for (const value of Object.values(reply?.headers ?? {}).flat()) expect(value).toMatch(/^[\x20-\x7e]*$/)
}

/** Runs the check that often; counts what has run. */
async function each<Value>(runs: number, values: fc.Arbitrary<Value>, check: (value: Value) => unknown): Promise<void> {
  const property = fc.asyncProperty(values, async (value) => {
    await check(value)
    cases += 1
  })
  await fc.assert(property, { numRuns: runs, seed: SEED })
}

/** One character of it another one. */
function mutated(whole: string, at: number, character: string): string {
  const index = at % whole.length
  const other = whole[index] === character ? (character === 'a' ? 'b' : 'a') : character
  return `${whole.slice(0, index)}${other}${whole.slice(index + 1)}`
}

/** An authorization that has been begun in a browser with this cookie, and the query that Shopify would end it with. */
async function begun(
  flow = embedded,
  more: Readonly<Record<string, unknown>> = {},
): Promise<{
  readonly state: string
  readonly cookie: string
}> {
  const reply = await flow.handle(request('/auth', { query: { shop: SHOP, ...more } }))
  const [cookie = ''] = reply?.headers['set-cookie'] ?? []
  return {
    state: new URL(locationOf(reply)).searchParams.get('state') ?? '',
    cookie: cookie.split(';')[0] ?? '',
  }
}

describe('a callback', () => {
  it('that Shopify has not signed is refused, whatever it says', async () => {
    await each(1_400, fc.tuple(query, cookies), async ([said, cookie]) => {
      expectRefusal(await embedded.handle(request('/auth/callback', { query: said, cookies: cookie })))
    })
  })

  it('that Shopify has signed for somebody else is refused', async () => {
    const secrets = fc.constantFrom('', 'shpss_other', `${SECRET}x`, SECRET.slice(1), CLIENT_ID)
    await each(300, fc.tuple(secrets, text), async ([secret, note]) => {
      const { state: given, cookie } = await begun()
      const said = signedCallback({ state: given, note }, secret === '' ? 'x' : secret)

      expectRefusal(await embedded.handle(request('/auth/callback', { query: said, cookies: cookie })))
    })
  })

  it('that is good but for one character is refused', async () => {
    const { state: given, cookie } = await begun()
    const good = signedCallback({ state: given, note: 'a b' }, SECRET)
    const change = fc.tuple(
      fc.constantFrom(...Object.keys(good)),
      fc.nat(200),
      fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }),
    )

    await each(700, change, async ([name, at, character]) => {
      const said = { ...good, [name]: mutated(good[name] ?? '', at, character) }
      expectRefusal(await embedded.handle(request('/auth/callback', { query: said, cookies: cookie })))
    })

    expect((await embedded.handle(request('/auth/callback', { query: good, cookies: cookie })))?.status).toBe(302)
  })

  it('that is good but for a name, or for a parameter more or less, is refused', async () => {
    const { state: given, cookie } = await begun()
    const good = signedCallback({ state: given }, SECRET)
    const change = fc.tuple(
      fc.constantFrom(...Object.keys(good)),
      text.filter((name) => !Object.hasOwn(good, name) && name !== 'signature'),
      text,
    )

    await each(400, change, async ([name, other, value]) => {
      const { [name]: moved, ...less } = good
      for (const said of [less, { ...less, [other]: moved }, { ...good, [other]: value }]) {
        expectRefusal(await embedded.handle(request('/auth/callback', { query: said, cookies: cookie })))
      }
    })
  })

  it('of a browser whose cookie is not the one that it was given is refused', async () => {
    const { state: given, cookie } = await begun()
    const other = await begun()
    const good = signedCallback({ state: given }, SECRET)
    const bad = fc.oneof(
      cookies,
      fc.constantFrom(other.cookie, other.cookie.replace(other.state, given), cookie.replace(given, other.state)),
      fc
        .tuple(fc.nat(2_000), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))
        .map(([at, by]) => mutated(cookie, at, by)),
    )

    await each(
      700,
      bad.filter((each) => each !== cookie),
      async (cookie) => {
        expectRefusal(await embedded.handle(request('/auth/callback', { query: good, cookies: cookie })))
      },
    )
  })

  it('with a good signature and anything else in it is a refusal or a way into the app', async () => {
    const said = fc.record(
      { shop: shops, code: text, host: fc.oneof(text, fc.base64String()), note: text, error: text },
      { requiredKeys: [] },
    )

    await each(500, said, async (changed) => {
      const { state: given, cookie } = await begun()
      const reply = await embedded.handle(
        request('/auth/callback', { query: signedCallback({ ...changed, state: given }, SECRET), cookies: cookie }),
      )
      if (reply?.status === 302) expect(locationOf(reply)).toMatch(INTO_THE_ADMIN)
      else expect(reply?.status).toBeGreaterThanOrEqual(400)
      expect(reply?.status).toBeLessThan(500)
      expectSendable(reply)
    })
  })
})

const INTO_THE_ADMIN =
  /^https:\/\/(?:admin\.shopify\.com\/store\/acme|acme\.myshopify\.com\/admin)\/apps\/client-id(?:$|\/(?!\/))/

describe('the begin of authorization', () => {
  it("leads to a shop's authorize page, to a page of ours that leads there, or nowhere", async () => {
    const how = fc.tuple(query, cookies, fc.constantFrom('document', 'iframe', undefined, 'empty'))

    await each(1_000, how, async ([said, cookie, fetchDest]) => {
      const reply = await embedded.handle(request('/auth', { query: said, cookies: cookie, fetchDest }))
      expectSendable(reply)
      expect(outgoing).toBe(0)
      if (reply?.status === 302) {
        const { origin, pathname, searchParams } = new URL(locationOf(reply))
        expect(origin).toMatch(/^https:\/\/[a-z0-9-]+\.myshopify\.com$/)
        expect(pathname).toBe('/admin/oauth/authorize')
        expect(searchParams.get('redirect_uri')).toBe(`${APP}/auth/callback`)
      } else if (reply?.status === 200) {
        const opened = /window\.open\(("[^"]*"), '_top'\)/.exec(reply.body)?.[1] ?? ''
        expect(JSON.parse(opened)).toMatch(/^https:\/\/app\.example\.com\/auth\?shop=[a-z0-9-]+\.myshopify\.com(?:&|$)/)
      } else expectRefusal(reply)
    })
  })

  it.each([
    ['in the admin', () => embedded, INTO_THE_ADMIN],
    ['at its own address', () => standalone, /^https:\/\/app\.example\.com\/(?!\/)/],
  ])('ends inside the app, %s, wherever the way back leads', async (_where, flow, inside) => {
    await each(300, ways, async (returnTo) => {
      const begin = await flow().handle(request('/auth', { query: { shop: SHOP, return_to: returnTo } }))
      if (begin?.status !== 302) {
        expectRefusal(begin)
        return
      }
      const { state: given, cookie } = await begun(flow(), { return_to: returnTo })
      const said = signedCallback({ state: given, code: `code-${given}` }, SECRET)
      const reply = await flow().handle(request('/auth/callback', { query: said, cookies: cookie }))

      expect(locationOf(reply)).toMatch(inside)
      expect(new URL(locationOf(reply)).searchParams.has('id_token')).toBe(false)
      expectSendable(reply)
      outgoing = 0
    })
  })
})

/** A framework that leaves a value as it is when it cannot be decoded, as the `qs` of Express does. */
function parseLeniently(search: string): Record<string, string> {
  const decode = (encoded: string): string => {
    const spaced = encoded.replaceAll('+', ' ')
    try {
      return decodeURIComponent(spaced)
    } catch {
      return spaced
    }
  }
  const pairs = search.split('&').map((pair) => pair.split(/=(.*)/s))
  return Object.fromEntries(pairs.map(([name = '', value = '']) => [decode(name), decode(value)]))
}

/** Browsers put the replacement character in place of half a pair; `encodeURIComponent` throws. */
function encoded(text: string): string {
  return encodeURIComponent(Buffer.from(text).toString())
}

describe('the bounce page', () => {
  it('makes App Bridge load nothing from elsewhere, whichever way the address was read', async () => {
    // Raw, and spoiled for decoders that give up.
    const encodings = fc.tuple(
      fc.constantFrom('/%5C', '/%2f', '/%09/', '/%0A/', '/%0d%09%5c', '/%255c', '%2F%2F', '/a/..%2f'),
      fc.constantFrom('evil.com', 'evil.com/%FF', 'evil.com%FF', 'evil.com/%E0%A4%A', 'evil.com/%', 'products'),
    )
    const raw = fc.oneof(
      ways.map((way) => encoded(way)),
      ways.map((way) => `${encoded(way)}%FF`),
      encodings.map((parts) => parts.join('')),
      fc.tuple(ways, fc.nat(60), text).map(([way, at, noise]) => `${way.slice(0, at)}${noise}${way.slice(at)}`),
      fc.stringMatching(/^[/%\\a-f0-9.?#:@]{0,24}$/),
    )
    await each(1_200, fc.tuple(raw, fc.boolean()), async ([target, leniently]) => {
      const address = new URL(`${APP}/auth/bounce?shop=${SHOP}&shopify-reload=x`)
      address.search = `?shop=${SHOP}&shopify-reload=${target.replaceAll(/[#&]/g, '')}`
      const read = (leniently ? parseLeniently : parse)(address.search.slice(1))
      const reply = await embedded.handle(request('/auth/bounce', { query: read }))

      if (reply?.status === 200) {
        const loaded = address.searchParams.get('shopify-reload') ?? ''
        expect(new URL(loaded, address).origin).toBe(APP)
      } else expectRefusal(reply)
      expect(outgoing).toBe(0)
    })
  })

  it('is shown in no frame but the admin', async () => {
    await each(300, query, async (said) => {
      const reply = await embedded.handle(request('/auth/bounce', { query: said }))
      if (reply?.status === 200) {
        expect(reply.headers['content-security-policy']).toMatch(
          /^frame-ancestors (?:https:\/\/[a-z0-9-]+\.myshopify\.com )?https:\/\/admin\.shopify\.com$/,
        )
      } else expectRefusal(reply)
      expectSendable(reply)
    })
  })
})

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A session token as Shopify makes it. */
function sessionToken(): string {
  const now = FAKE_EPOCH / 1000
  const times = { exp: now + 60, nbf: now, iat: now }
  const claims = { iss: `https://${SHOP}/admin`, dest: `https://${SHOP}`, aud: CLIENT_ID, sub: '42', ...times }
  const signed = `${base64url({ alg: 'HS256', typ: 'JWT' })}.${base64url(claims)}`
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`
}

describe('a session token', () => {
  it('that is none is refused, wherever it stands, and the document goes nowhere but to pages of ours', async () => {
    const facts = fc.record({
      authorization: fc.option(
        fc.oneof(
          text,
          text.map((token) => `Bearer ${token}`),
        ),
        { nil: undefined },
      ),
      idToken: parsed(text),
      method: fc.constantFrom('GET', 'HEAD', 'POST', undefined),
      url: fc.option(ways, { nil: undefined }),
      accept: fc.constantFrom('text/html', '*/*', undefined),
      fetchDest: fc.constantFrom('document', 'iframe', 'empty', undefined),
    })
    await each(600, facts, async (said) => {
      const error: unknown = await openRequest(tokens, said, { shop: undefined, lazy: false }).catch(
        (refusal: unknown) => refusal,
      )
      expect(error).toBeInstanceOf(InvalidSessionTokenError)
      const dead = new ReauthorizationRequiredError('removed', { shop: SHOP })
      for (const met of [error, dead]) {
        const reply = errorReply(met, said, { authPath: '/auth', documents: true })
        if (reply?.status === 302) expect(locationOf(reply)).toMatch(/^\/auth(?:\/bounce)?\?/)
        else expect(JSON.parse(reply?.body ?? '')).toMatchObject({ status: reply?.status })
        expectSendable(reply)
      }
      expect(outgoing).toBe(0)
    })
  })

  it('that is good but for one character is refused', async () => {
    const good = sessionToken()
    await expect(tokens.verifySessionToken(good)).resolves.toMatchObject({ shop: SHOP })
    // Not the last one, of which two bits mean nothing.
    const change = fc.tuple(fc.nat(good.length - 2), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))

    await each(600, change, async ([at, character]) => {
      const error: unknown = await tokens
        .verifySessionToken(mutated(good, at, character))
        .catch((refusal: unknown) => refusal)
      expect(error).toBeInstanceOf(InvalidSessionTokenError)
    })
  })
})

describe('what only this app can have sealed or Shopify signed', () => {
  it('is nothing else', async () => {
    const { signatures } = tokens
    const sealed = signatures.seal('test', { a: 1 }, 60_000)
    const body = Buffer.from('{"id":1}')
    const hmac = createHmac('sha256', SECRET).update(body).digest('base64')
    const change = fc.tuple(text, fc.nat(200), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }))

    await each(600, change, ([anything, at, character]) => {
      expect(signatures.open('test', anything)).toBeNull()
      expect(signatures.open('test', mutated(sealed, at, character))).toBeNull()
      expect(signatures.verifyWebhook(body, anything)).toBe(false)
      expect(signatures.verifyWebhook(body, mutated(hmac, at, character))).toBe(false)
      expect(signatures.verifyWebhook(Buffer.from(anything), hmac)).toBe(false)
    })

    expect(signatures.open('test', sealed)).toEqual({ a: 1 })
    expect(signatures.verifyWebhook(body, hmac)).toBe(true)
  })
})

it(`were ${String(WANTED)} cases at least`, () => {
  expect(cases).toBeGreaterThanOrEqual(WANTED)
})
