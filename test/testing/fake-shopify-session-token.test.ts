import { createHmac } from 'node:crypto'
import type { SessionTokenClaims, SessionTokenOptions } from '../../packages/testing/src/fake-shopify/session-token.js'
import { acceptsSessionToken, mintSessionToken } from '../../packages/testing/src/fake-shopify/session-token.js'

const SHOP = 'a.myshopify.com'
const NOW = Date.UTC(2026, 10, 20)

const mint = (options: SessionTokenOptions = {}, secret = 'secret'): string =>
  mintSessionToken(SHOP, 'client-id', secret, NOW, options)
const accepts = (token: string, { now = NOW, secrets = ['secret'] } = {}): boolean =>
  acceptsSessionToken(token, SHOP, 'client-id', secrets, now)
const claimsOf = (token: string): SessionTokenClaims =>
  JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as SessionTokenClaims

describe('a session token', () => {
  it('has the claims of App Bridge', () => {
    const { jti, sid, ...claims } = claimsOf(mint())
    const seconds = NOW / 1000
    expect(claims).toEqual({
      iss: `https://${SHOP}/admin`,
      dest: `https://${SHOP}`,
      aud: 'client-id',
      sub: '42',
      exp: seconds + 60,
      nbf: seconds,
      iat: seconds,
    })
    expect(jti).not.toBe(sid)
  })

  it('lives 60 seconds, or as long as it is told', () => {
    expect(accepts(mint(), { now: NOW + 59_999 })).toBe(true)
    expect(accepts(mint(), { now: NOW + 60_000 })).toBe(false)
    expect(accepts(mint({ lifetimeMs: 5000 }), { now: NOW + 5000 })).toBe(false)
    expect(accepts(mint(), { now: NOW - 1000 })).toBe(false)
  })

  it('is accepted with any active secret, and with no other', () => {
    expect(accepts(mint({}, 'new'), { secrets: ['old', 'new'] })).toBe(true)
    expect(accepts(mint(), { secrets: ['old', 'new'] })).toBe(false)
  })

  it.each<Partial<SessionTokenClaims>>([
    { dest: 'https://b.myshopify.com' },
    { iss: 'https://b.myshopify.com/admin' },
    { aud: 'other' },
    { exp: NOW / 1000 },
    { nbf: NOW / 1000 + 1 },
  ])('is refused with %j alone', (overrides) => {
    expect(accepts(mint({ overrides }))).toBe(false)
  })

  it('is refused with another algorithm in its head, though the signature fits', () => {
    const [, payload = ''] = mint().split('.')
    const head = Buffer.from('{"alg":"HS512","typ":"JWT"}').toString('base64url')
    const signature = createHmac('sha256', 'secret').update(`${head}.${payload}`).digest('base64url')
    expect(accepts(`${head}.${payload}.${signature}`)).toBe(false)
  })

  it.each(['', '.', '..', 'a.b', 'a.b.c', 'e30.e30.', 'bnVsbA.bnVsbA.AA'])('is refused when it reads %p', (token) => {
    expect(accepts(token)).toBe(false)
  })
})
