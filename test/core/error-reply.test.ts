import {
  CoolingDownError,
  errorAnswer,
  errorReply,
  type ErrorReplyOptions,
  type HttpReply,
  InvalidSessionTokenError,
  InvalidShopError,
  ReauthorizationRequiredError,
  type RequestFacts,
  ScopeMissingError,
  type SessionTokenFlaw,
} from '@shopify-tokens/core'

const SHOP = 'acme.myshopify.com'
const HOST = 'YWRtaW4uc2hvcGlmeS5jb20vc3RvcmUvYWNtZQ'
const OPTIONS: ErrorReplyOptions = { authPath: '/auth', documents: true }
/** As the admin loads an app into its frame. */
const DOCUMENT: RequestFacts = {
  authorization: undefined,
  idToken: 'secret',
  method: 'GET',
  url: `/products?page=2&embedded=1&hmac=0123&host=${HOST}&id_token=secret&locale=en&session=s&shop=${SHOP}&timestamp=1`,
  accept: 'text/html,application/xhtml+xml,*/*;q=0.8',
  fetchDest: 'iframe',
}
const BAD_TOKEN = new InvalidSessionTokenError('expired')
const DEAD = new ReauthorizationRequiredError('removed', { shop: SHOP })

const reply = (
  error: unknown,
  facts: Partial<RequestFacts> = {},
  options: Partial<ErrorReplyOptions> = {},
): HttpReply | null => errorReply(error, { ...DOCUMENT, ...facts }, { ...OPTIONS, ...options })

/** Where a reply leads, its query apart. */
function destinationOf(answer: HttpReply | null): { readonly path: string; readonly query: Record<string, string> } {
  expect(answer).toMatchObject({ status: 302, body: '' })
  expect(answer?.headers['cache-control']).toBe('no-store')
  const { origin, pathname, searchParams } = new URL(String(answer?.headers.location), 'https://app.example.com')
  expect(origin).toBe('https://app.example.com')
  return { path: pathname, query: Object.fromEntries(searchParams) }
}

describe('the visit with which Shopify installs the app', () => {
  const MISSING = new InvalidSessionTokenError('missing')
  const VISIT = {
    url: `/plans?hmac=0123&host=${HOST}&plan=2&shop=${SHOP}&timestamp=1`,
    idToken: undefined,
    fetchDest: 'document',
  }

  it.each([true, false])('begins authorization, and comes back to where it was; embedded: %p', (embedded) => {
    expect(destinationOf(reply(MISSING, VISIT, { embedded }))).toEqual({
      path: '/auth',
      query: { shop: SHOP, host: HOST, return_to: '/plans?plan=2' },
    })
  })

  it.each([
    ['in a frame', { ...VISIT, fetchDest: 'iframe' }],
    ['as the admin embeds it', { ...VISIT, url: `${VISIT.url}&embedded=1` }],
    ['without a signature', { ...VISIT, url: VISIT.url.replace('hmac', 'other') }],
    ['without a shop', { ...VISIT, url: VISIT.url.replace(SHOP, 'evil.com') }],
  ])('is none %s', (_what, facts) => {
    expect(destinationOf(reply(MISSING, facts)).path).toBe('/auth/bounce')
  })

  it('is none with a session token, whatever that is worth', () => {
    expect(destinationOf(reply(BAD_TOKEN, VISIT)).path).toBe('/auth/bounce')
  })
})

describe('a document without a valid session token', () => {
  it('goes to the bounce page, with all that it was told but the token', () => {
    const told = `page=2&embedded=1&hmac=0123&host=${HOST}&locale=en&session=s&shop=${SHOP}&timestamp=1`

    expect(destinationOf(reply(BAD_TOKEN))).toEqual({
      path: '/auth/bounce',
      query: { ...Object.fromEntries(new URLSearchParams(told)), 'shopify-reload': `/products?${told}` },
    })
  })

  it.each<SessionTokenFlaw>(['missing', 'malformed', 'expired'])('goes there when the token is %s', (flaw) => {
    expect(destinationOf(reply(new InvalidSessionTokenError(flaw))).path).toBe('/auth/bounce')
  })

  it.each<SessionTokenFlaw>(['signature', 'audience', 'shop', 'not-yet-valid', 'refused'])(
    'goes nowhere when the next token would fail as well: %s',
    (flaw) => {
      expect(reply(new InvalidSessionTokenError(flaw))?.status).toBe(401)
    },
  )

  it('is loaded again from where it was, not from where it says', () => {
    const { query } = destinationOf(reply(BAD_TOKEN, { url: '/a?shopify-reload=//evil.com&b=c' }))

    expect(query).toEqual({ b: 'c', 'shopify-reload': '/a?b=c' })
  })

  it.each(['shop=12', 'shop=', `shop=${SHOP}&shop=${SHOP}`])(
    'is loaded again with what it calls a shop, of which the bounce page hears nothing: %s',
    (own) => {
      const { query } = destinationOf(reply(BAD_TOKEN, { url: `/stores?${own}&b=c` }))

      expect(query).toEqual({ b: 'c', 'shopify-reload': `/stores?${own}&b=c` })
    },
  )

  it.each(['//evil.com/', '/\\evil.com', 'https://evil.com/', '/%09/evil.com', '*', '', undefined])(
    'goes nowhere from an address that is no path: %p',
    (url) => {
      expect(reply(BAD_TOKEN, { url })?.status).toBe(401)
    },
  )

  it('goes nowhere outside the admin, where no App Bridge is', () => {
    expect(reply(BAD_TOKEN, {}, { embedded: false })?.status).toBe(401)
  })
})

describe('a document for a shop that needs its merchant', () => {
  it('goes to the begin of authorization, and will come back', () => {
    expect(destinationOf(reply(DEAD))).toEqual({
      path: '/auth',
      query: { shop: SHOP, embedded: '1', host: HOST, return_to: '/products?page=2' },
    })
  })

  it('goes there with the scopes that are missing', () => {
    const error = new ScopeMissingError(['write_products', 'read_orders'], { shop: SHOP })

    expect(destinationOf(reply(error, { url: '/' }))).toEqual({
      path: '/auth',
      query: { shop: SHOP, scope: 'write_products,read_orders', embedded: '1' },
    })
  })

  it.each<[what: string, facts: Partial<RequestFacts>, embedded: string | undefined]>([
    ['the admin says so', { url: '/?embedded=1', fetchDest: undefined }, '1'],
    ['the browser says so', { url: '/', fetchDest: 'iframe' }, '1'],
    ['nobody says so', { url: '/?embedded=0', fetchDest: 'document' }, undefined],
  ])('is taken to be in a frame when %s', (_what, facts, embedded) => {
    expect(destinationOf(reply(DEAD, facts)).query.embedded).toBe(embedded)
  })

  it('goes there outside the admin as well', () => {
    expect(destinationOf(reply(DEAD, { url: '/', fetchDest: 'document' }, { embedded: false }))).toEqual({
      path: '/auth',
      query: { shop: SHOP },
    })
  })

  it('comes back to the beginning when its address is too long to keep', () => {
    expect(destinationOf(reply(DEAD, { url: `/${'x'.repeat(1_024)}` })).query).not.toHaveProperty('return_to')
  })

  it('goes nowhere when the error names no shop', () => {
    expect(reply(new ReauthorizationRequiredError('not-installed', {}))?.status).toBe(403)
  })

  it('goes nowhere from an address that is no path', () => {
    expect(reply(DEAD, { url: '//evil.com/' })?.status).toBe(403)
  })
})

describe('a document is', () => {
  it.each<[what: string, facts: Partial<RequestFacts>]>([
    ['what a browser shows in its window', { fetchDest: 'document' }],
    ['what a browser shows in a frame', { fetchDest: 'iframe' }],
    ['what an older browser wants as HTML', { fetchDest: undefined }],
    ['what somebody looks at with HEAD', { method: 'HEAD' }],
  ])('%s', (_what, facts) => {
    expect(reply(BAD_TOKEN, facts)?.status).toBe(302)
  })

  it.each<[what: string, facts: Partial<RequestFacts>]>([
    ['what a script fetches', { fetchDest: 'empty' }],
    ['a picture', { fetchDest: 'image' }],
    ['what comes with a session token in its header', { authorization: 'Bearer x' }],
    ['what an older browser does not want as HTML', { fetchDest: undefined, accept: 'application/json' }],
    ['what says nothing of what it wants', { fetchDest: undefined, accept: undefined }],
    ['what a form posts: it would be lost', { method: 'POST' }],
    ['no request of HTTP', { method: undefined, url: undefined }],
  ])('not %s', (_what, facts) => {
    expect(reply(BAD_TOKEN, facts)).toMatchObject({
      status: 401,
      headers: { 'x-shopify-retry-invalid-session-request': '1', 'content-type': 'application/problem+json' },
    })
  })

  it('nothing without the routes', () => {
    expect(reply(BAD_TOKEN, {}, { documents: false })?.status).toBe(401)
    expect(reply(DEAD, {}, { documents: false })?.status).toBe(403)
  })
})

describe('every other answer', () => {
  it.each([BAD_TOKEN, DEAD, new InvalidShopError(), new CoolingDownError('Pausing.', { retryAfterMs: 2_000 })])(
    'is the problem as errorAnswer tells it, with names in small letters: %p',
    (error) => {
      const told = errorAnswer(error, { authPath: '/auth' })
      const answer = reply(error, { fetchDest: 'empty' })

      expect(answer?.status).toBe(told?.status)
      expect(JSON.parse(answer?.body ?? '')).toEqual(told?.body)
      expect(answer?.headers).toEqual({
        ...Object.fromEntries(
          Object.entries(told?.headers ?? {}).map(([name, value]) => [name.toLowerCase(), value] as const),
        ),
        'content-type': 'application/problem+json',
      })
    },
  )

  it('to a document is the same when no page helps', () => {
    const error = new CoolingDownError('Pausing.', { shop: SHOP })

    expect(reply(error)).toEqual(reply(error, { fetchDest: 'empty' }))
    expect(reply(error)?.headers['retry-after']).toBe('1')
  })

  it('is left to the app when the error is not ours', () => {
    expect(reply(new Error('planted'))).toBeNull()
  })

  it('holds no session token', () => {
    for (const error of [BAD_TOKEN, DEAD, new InvalidSessionTokenError('signature'), new InvalidShopError()]) {
      expect(JSON.stringify(reply(error))).not.toContain('secret')
    }
  })
})
