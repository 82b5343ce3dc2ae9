import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto'

/** The claims of an App Bridge session token (an ID token). @see Shopify page "Session tokens" */
export interface SessionTokenClaims {
  readonly iss: string
  readonly dest: string
  readonly aud: string
  readonly sub: string
  readonly exp: number
  readonly nbf: number
  readonly iat: number
  readonly jti: string
  readonly sid: string
}

/**
 * Ways in which a session token can be bad: for another app, past its end, not valid yet, unsigned, signed with a key
 * that is not the client secret, changed after signing, issued for another shop, for a host outside Shopify, or with
 * `iss` and `dest` that disagree.
 */
export type SessionTokenDefect =
  | 'wrong-audience'
  | 'expired'
  | 'not-yet-valid'
  | 'alg-none'
  | 'bad-signature'
  | 'tampered'
  | 'foreign-shop'
  | 'foreign-host'
  | 'iss-dest-mismatch'

/** Options of {@link FakeShopify.sessionToken}. */
export interface SessionTokenOptions {
  /** Makes a token that a careful app refuses. */
  readonly defect?: SessionTokenDefect | undefined
  /** Replaces single claims, after the defect. */
  readonly overrides?: Partial<SessionTokenClaims> | undefined
  /** Life in milliseconds, counted from issue. Default 60 000, as App Bridge's. */
  readonly lifetimeMs?: number | undefined
  /** The client secret that signs. Default: the oldest active one. */
  readonly secret?: string | undefined
}

const LIFETIME_MS = 60_000
const FOREIGN_SHOP = 'some-other-shop.myshopify.com'

/** Makes a session token as App Bridge would hand it to the app's frontend at `now`, HS256 with the client secret. */
export function mintSessionToken(
  shop: string,
  clientId: string,
  secret: string,
  now: number,
  { defect, overrides, lifetimeMs = LIFETIME_MS }: Omit<SessionTokenOptions, 'secret'>,
): string {
  const age = defect === 'expired' ? lifetimeMs + 60_000 : defect === 'not-yet-valid' ? -120_000 : 0
  const iat = Math.floor((now - age) / 1000)
  const host = defect === 'foreign-shop' ? FOREIGN_SHOP : defect === 'foreign-host' ? 'shop.example.com' : shop
  const claims: SessionTokenClaims = {
    iss: `https://${defect === 'iss-dest-mismatch' ? FOREIGN_SHOP : host}/admin`,
    dest: `https://${host}`,
    aud: defect === 'wrong-audience' ? `not-${clientId}` : clientId,
    sub: '42',
    exp: iat + Math.ceil(lifetimeMs / 1000),
    nbf: iat,
    iat,
    jti: randomUUID(),
    sid: randomUUID(),
    ...overrides,
  }
  const head = encode({ alg: defect === 'alg-none' ? 'none' : 'HS256', typ: 'JWT' })
  const signed = `${head}.${encode(claims)}`
  if (defect === 'alg-none') return `${signed}.`
  const signature = sign(signed, defect === 'bad-signature' ? `not-${secret}` : secret).toString('base64url')
  return defect === 'tampered' ? `${head}.${encode({ ...claims, sub: '43' })}.${signature}` : `${signed}.${signature}`
}

/**
 * Whether the token endpoint of `shop` accepts a session token: HS256 with one of the active secrets, for this app and
 * this shop, within its lifetime. Shopify and the token share a clock, so there is no leeway.
 */
export function acceptsSessionToken(
  token: string,
  shop: string,
  clientId: string,
  secrets: readonly string[],
  now: number,
): boolean {
  const [head, payload, signature, ...rest] = token.split('.')
  if (head === undefined || payload === undefined || signature === undefined || rest.length > 0) return false
  if (decode(head)?.alg !== 'HS256') return false
  const given = Buffer.from(signature, 'base64url')
  const genuine = secrets.some((secret) => {
    const due = sign(`${head}.${payload}`, secret)
    return due.length === given.length && timingSafeEqual(due, given)
  })
  const claims = decode(payload)
  if (!genuine || claims === undefined) return false
  const { aud, iss, dest, exp, nbf } = claims
  if (aud !== clientId || dest !== `https://${shop}` || iss !== `https://${shop}/admin`) return false
  return typeof exp === 'number' && typeof nbf === 'number' && now < exp * 1000 && now >= nbf * 1000
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
    return typeof value === 'object' && value !== null ? { ...value } : undefined
  } catch {
    return undefined
  }
}

function sign(text: string, secret: string): Buffer {
  return createHmac('sha256', secret).update(text).digest()
}
