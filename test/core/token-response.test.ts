import { parseTokenResponse } from '../../packages/core/src/oauth/token-response.js'
import type { Grant } from '@shopify-tokens/core'

const CENTURY_MS = 100 * 365 * 86_400_000
const PAIR = {
  access_token: 'shpat_1',
  expires_in: 3600,
  refresh_token: 'shprt_1',
  refresh_token_expires_in: 7_776_000,
  scope: 'read_products,write_orders',
}
const GRANTS: readonly Grant[] = ['refresh', 'id-token', 'code', 'migration']
const ACQUISITIONS = GRANTS.filter((grant) => grant !== 'refresh')

describe.each(GRANTS)('an answer to the grant %s', (grant) => {
  it('with everything in it is a pair, in milliseconds', () => {
    expect(parseTokenResponse(grant, PAIR)).toEqual({
      kind: 'expiring',
      accessToken: 'shpat_1',
      refreshToken: 'shprt_1',
      lifetimeMs: 3_600_000,
      refreshLifetimeMs: 7_776_000_000,
      scopes: ['read_products', 'write_orders'],
    })
  })

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a list', [PAIR]],
    ['an empty list', []],
    ['a string', JSON.stringify(PAIR)],
    ['a number', 3600],
    ['true', true],
    ['an empty object', {}],
    ['a pair one level down', { data: PAIR }],
    ['a pair as the prototype', JSON.parse(`{"__proto__":${JSON.stringify(PAIR)}}`)],
    ['a pair under constructor', { constructor: { prototype: PAIR } }],
    ['no access token', { ...PAIR, access_token: undefined }],
    ['an empty access token', { ...PAIR, access_token: '' }],
    ['null as access token', { ...PAIR, access_token: null }],
    ['a number as access token', { ...PAIR, access_token: 42 }],
    ['a list as access token', { ...PAIR, access_token: ['shpat_1'] }],
    ['an access token with a line break, which no header takes', { ...PAIR, access_token: 'shpat_1\r\nx-evil: 1' }],
    ['an access token with a zero byte', { ...PAIR, access_token: 'shpat_1\0' }],
    ['an access token with a space', { ...PAIR, access_token: 'shpat_1 ' }],
    ['an access token beyond ASCII', { ...PAIR, access_token: 'shpat_\u20AC' }],
  ])('with %s brings no tokens', (_what, body) => {
    expect(parseTokenResponse(grant, body)).toBeNull()
  })
})

describe('a pair whose refresh token is missing', () => {
  it.each([undefined, null, '', 7, {}])('is none after a refresh: %p', (refreshToken) => {
    expect(parseTokenResponse('refresh', { ...PAIR, refresh_token: refreshToken })).toBeNull()
  })

  it('is none after a refresh although nothing says that it expires', () => {
    expect(parseTokenResponse('refresh', { access_token: 'shpat_1', scope: 'read_products' })).toBeNull()
  })

  it.each(ACQUISITIONS)('is none after %s, because it would end without a successor', (grant) => {
    expect(parseTokenResponse(grant, { access_token: 'shpat_1', expires_in: 3600 })).toBeNull()
    expect(parseTokenResponse(grant, { access_token: 'shpat_1', expires_in: 0 })).toBeNull()
    expect(parseTokenResponse(grant, { access_token: 'shpat_1', expires_in: 'soon' })).toBeNull()
  })

  it.each(ACQUISITIONS)('and whose lifetime is missing too is a non-expiring token after %s', (grant) => {
    const token = { kind: 'non-expiring', accessToken: 'shpat_1', scopes: ['read_products'] }

    expect(parseTokenResponse(grant, { access_token: 'shpat_1', scope: 'read_products' })).toEqual(token)
    expect(parseTokenResponse(grant, { access_token: 'shpat_1', scope: 'read_products', expires_in: null })).toEqual(
      token,
    )
  })
})

describe('an answer to client credentials', () => {
  const ANSWER = { access_token: 'shpat_1', scope: 'read_products', expires_in: 86_399 }
  const TOKEN = {
    kind: 'client-credentials',
    accessToken: 'shpat_1',
    lifetimeMs: 86_399_000,
    scopes: ['read_products'],
  }

  it('is a token that ends', () => {
    expect(parseTokenResponse('client-credentials', ANSWER)).toEqual(TOKEN)
  })

  it('is one without a refresh token, whatever the answer has beside it', () => {
    expect(parseTokenResponse('client-credentials', { ...PAIR, ...ANSWER })).toEqual(TOKEN)
  })

  it('is one although nothing says for how long, or with which scopes', () => {
    expect(parseTokenResponse('client-credentials', { access_token: 'shpat_1' })).toEqual({
      ...TOKEN,
      lifetimeMs: null,
      scopes: null,
    })
  })

  it.each([{}, { ...ANSWER, access_token: '' }, { ...ANSWER, access_token: 'shpat 1' }, null])(
    'without a token that can be sent is none: %p',
    (body) => {
      expect(parseTokenResponse('client-credentials', body)).toBeNull()
    },
  )
})

describe('a lifetime', () => {
  it.each<[value: unknown, ms: number | null]>([
    [3600, 3_600_000],
    [3599.9995, 3_599_999],
    ['3600', 3_600_000],
    [' 3600.5 ', 3_600_500],
    [0, 0],
    ['0', 0],
    [-5, 0],
    ['-5', 0],
    [-1e300, 0],
    [1e300, CENTURY_MS],
    [Number.MAX_SAFE_INTEGER, CENTURY_MS],
    ['1e400', null],
    [NaN, null],
    ['soon', null],
    ['', null],
    ['  ', null],
    [null, null],
    [undefined, null],
    [true, null],
    [[3600], null],
    [{ seconds: 3600 }, null],
  ])('of %p is read as %p milliseconds, and never costs the pair', (value, ms) => {
    const tokens = parseTokenResponse('refresh', { ...PAIR, expires_in: value, refresh_token_expires_in: value })

    expect(tokens).toMatchObject({ refreshToken: 'shprt_1', lifetimeMs: ms, refreshLifetimeMs: ms })
  })
})

describe('scopes', () => {
  it.each<[value: unknown, scopes: readonly string[] | null]>([
    ['read_products', ['read_products']],
    [' read_products , write_orders,', ['read_products', 'write_orders']],
    ['', []],
    [',,', []],
    [undefined, null],
    [null, null],
    [['read_products'], null],
    [42, null],
  ])('%p are read as %p', (value, scopes) => {
    expect(parseTokenResponse('refresh', { ...PAIR, scope: value })).toMatchObject({ scopes })
    expect(parseTokenResponse('code', { access_token: 'shpat_1', scope: value })).toMatchObject({ scopes })
  })
})
