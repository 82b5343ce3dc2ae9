import {
  AccessToken,
  createShopClient,
  InvalidSessionTokenError,
  InvalidShopError,
  openRequest,
  type OpenRequestOptions,
  parseShop,
  type RequestFacts,
  type RequestTokenSource,
  type SessionToken,
  type Shop,
  type ShopClient,
  type TokenOptions,
} from '@shopify-tokens/core'
import { aRecord, FAKE_EPOCH } from '@shopify-tokens/testing'

const SHOP = parseShop('acme.myshopify.com')
const SESSION: SessionToken = { shop: SHOP, userId: '42', sessionId: 'sid-1', expiresAt: FAKE_EPOCH + 60_000 }
const NOTHING: RequestFacts = {
  ...{ authorization: undefined, idToken: undefined },
  ...{ method: 'GET', url: '/', accept: undefined, fetchDest: undefined },
}

/** Accepts the session token `good` and has a token for every shop; notes what it was asked. */
class NotedTokens implements RequestTokenSource {
  readonly verified: string[] = []
  readonly asked: (readonly [Shop, TokenOptions | undefined])[] = []

  async verifySessionToken(token: string): Promise<SessionToken> {
    this.verified.push(token)
    if (token !== 'good') throw new InvalidSessionTokenError('signature')
    return SESSION
  }

  async token(shop: Shop, options?: TokenOptions): Promise<AccessToken> {
    this.asked.push([shop, options])
    return new AccessToken(shop, aRecord.expiring({ accessToken: 'shpat_1', scopes: ['read_products'] }))
  }
}

const open = (tokens: RequestTokenSource, facts: Partial<RequestFacts>, options: Partial<OpenRequestOptions> = {}) =>
  openRequest(tokens, { ...NOTHING, ...facts }, { shop: undefined, lazy: false, ...options })

describe('the shop of a request', () => {
  it.each<[what: string, facts: Partial<RequestFacts>]>([
    ['the Authorization header', { authorization: 'Bearer good' }],
    ['the Authorization header in small letters', { authorization: 'bearer good' }],
    ['the Authorization header with spaces', { authorization: 'Bearer   good' }],
    ['the query', { idToken: 'good' }],
    ['the query beside another kind of authorization', { authorization: 'Basic dTpw', idToken: 'good' }],
    ['the query beside an empty header', { authorization: '', idToken: 'good' }],
  ])('is proved by a session token in %s', async (_what, facts) => {
    const tokens = new NotedTokens()

    const access = await open(tokens, facts)

    expect(access.shop).toBe(SHOP)
    expect(access.session).toBe(SESSION)
    expect(access.accessToken).toBe('shpat_1')
    expect(tokens.asked).toEqual([[SHOP, { idToken: 'good', signal: undefined }]])
  })

  it('is proved by the header when header and query disagree', async () => {
    const tokens = new NotedTokens()

    await open(tokens, { authorization: 'Bearer good', idToken: 'other' })

    expect(tokens.verified).toEqual(['good'])
  })

  it('is not looked for in the query when the token in the header is bad', async () => {
    await expect(open(new NotedTokens(), { authorization: 'Bearer bad', idToken: 'good' })).rejects.toMatchObject({
      flaw: 'signature',
    })
  })

  it.each<[what: string, facts: Partial<RequestFacts>]>([
    ['nothing', {}],
    ['an empty header', { authorization: '' }],
    ['a header without a token', { authorization: 'Bearer ' }],
    ['another kind of authorization', { authorization: 'Basic good' }],
    ['two tokens in the header', { authorization: 'Bearer good good' }],
    ['two headers in one', { authorization: 'Bearer good, Bearer good' }],
    ['a word that begins alike', { authorization: 'Bearergood' }],
    ['an empty query parameter', { idToken: '' }],
    ['a repeated query parameter', { idToken: ['good', 'good'] }],
    ['an object as query parameter', { idToken: { toString: () => 'good' } }],
    ['a number as query parameter', { idToken: 42 }],
    ['null as query parameter', { idToken: null }],
  ])('is not found with %s, and nothing is asked', async (_what, facts) => {
    const tokens = new NotedTokens()

    await expect(open(tokens, facts)).rejects.toMatchObject({
      code: 'ERR_INVALID_SESSION_TOKEN',
      flaw: 'missing',
    })

    expect(tokens.verified).toEqual([])
    expect(tokens.asked).toEqual([])
  })

  it('is not looked for in a header of 100 kB of spaces for long', async () => {
    await expect(open(new NotedTokens(), { authorization: `Bearer ${' '.repeat(100_000)}` })).rejects.toBeInstanceOf(
      InvalidSessionTokenError,
    )
  })

  it('ends with a bad session token, and no access token is asked for', async () => {
    const tokens = new NotedTokens()

    await expect(open(tokens, { authorization: 'Bearer bad' })).rejects.toMatchObject({ flaw: 'signature' })

    expect(tokens.asked).toEqual([])
  })

  it('cannot be proved to a source that verifies no session tokens', async () => {
    const { token } = new NotedTokens()
    const source: RequestTokenSource = { token: (shop, options) => token.call(new NotedTokens(), shop, options) }

    await expect(open(source, { authorization: 'Bearer good' })).rejects.toMatchObject({ flaw: 'missing' })
  })
})

describe('a shop that the app names', () => {
  it('needs no session token, and does not look at one', async () => {
    const tokens = new NotedTokens()

    const access = await open(tokens, { authorization: 'Bearer bad' }, { shop: 'Acme.myshopify.com' })

    expect(access.shop).toBe(SHOP)
    expect(access.session).toBeNull()
    expect(tokens.verified).toEqual([])
    expect(tokens.asked).toEqual([[SHOP, { idToken: undefined, signal: undefined }]])
  })

  it.each(['', 'evil.com', 'acme.myshopify.com.evil.com', 'acme.myshopify.com/x'])(
    'is refused before any I/O when it is %j',
    async (shop) => {
      const tokens = new NotedTokens()

      await expect(open(tokens, { authorization: 'Bearer good' }, { shop })).rejects.toBeInstanceOf(InvalidShopError)

      expect(tokens.verified).toEqual([])
      expect(tokens.asked).toEqual([])
    },
  )
})

describe('the access of a request', () => {
  it('asks for no token before it is used when it is lazy', async () => {
    const tokens = new NotedTokens()

    const access = await open(tokens, { idToken: 'good' }, { lazy: true })

    expect(tokens.asked).toEqual([])
    expect((await access.token()).value).toBe('shpat_1')
    expect(tokens.asked).toEqual([[SHOP, { idToken: 'good', signal: undefined }]])
  })

  it('hands the signal of the request on', async () => {
    const tokens = new NotedTokens()
    const { signal } = new AbortController()

    await open(tokens, { idToken: 'good' }, { signal })

    expect(tokens.asked).toEqual([[SHOP, { idToken: 'good', signal }]])
  })

  it("uses the source's own client, which gets the session token", async () => {
    const tokens = new NotedTokens()
    const client = createShopClient(tokens, SHOP, { fetch, apiVersion: '2026-10' })
    const forShop = jest.fn<ShopClient, [Shop, { readonly idToken?: string | undefined }?]>(() => client)

    const access = await open(Object.assign(tokens, { forShop }), { idToken: 'good' })

    expect(access.client).toBe(client)
    expect(forShop.mock.calls).toEqual([[SHOP, { idToken: 'good' }]])
  })

  it('makes a client over the given fetch when the source has none', async () => {
    const sent = jest.fn<Promise<Response>, [string, RequestInit]>(async () => new Response('{}'))

    const access = await open(new NotedTokens(), { idToken: 'good' }, { fetch: sent })
    await access.fetch('/admin/x')

    expect(sent.mock.calls.map(([url]) => url)).toEqual(['https://acme.myshopify.com/admin/x'])
  })

  it('rejects with what the source rejects with', async () => {
    const failure = new Error('away')
    const tokens = Object.assign(new NotedTokens(), { token: () => Promise.reject(failure) })

    await expect(open(tokens, { idToken: 'good' })).rejects.toBe(failure)
  })
})
