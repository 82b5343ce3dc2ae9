import { createHmac, createSign, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { InvalidSessionTokenError, Secret, type SessionTokenFlaw, SessionTokenVerifier } from '@shopify-tokens/core'
import { FAKE_EPOCH, FakeClock, FakeShopify, type SessionTokenDefect } from '@shopify-tokens/testing'

const SHOP = 'acme.myshopify.com'
const CLIENT_ID = 'client-id'
const SECRET = 'shpss_current'
const PREVIOUS = 'shpss_previous'
const NOW = FAKE_EPOCH / 1000

const CLAIMS = {
  iss: `https://${SHOP}/admin`,
  dest: `https://${SHOP}`,
  aud: CLIENT_ID as unknown,
  sub: '42' as unknown,
  exp: (NOW + 60) as unknown,
  nbf: NOW as unknown,
  iat: NOW as unknown,
  jti: 'jti-1',
  sid: 'sid-1' as unknown,
}
type Claims = Partial<Record<keyof typeof CLAIMS, unknown>>

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const hmac = (signed: string, secret = SECRET, hash = 'sha256'): string =>
  createHmac(hash, secret).update(signed).digest('base64url')

/** Signs any payload under any header, with the client secret and HS256 unless `sign` says otherwise. */
function jwt(payload: unknown, header: object = { alg: 'HS256', typ: 'JWT' }, sign = hmac): string {
  const signed = `${base64url(header)}.${base64url(payload)}`
  return `${signed}.${sign(signed)}`
}
const tokenWith = (claims: Claims): string => jwt({ ...CLAIMS, ...claims })

let clock: FakeClock
let verifier: SessionTokenVerifier

beforeEach(() => {
  clock = new FakeClock()
  verifier = new SessionTokenVerifier({
    clientId: CLIENT_ID,
    clientSecrets: [new Secret(SECRET), new Secret(PREVIOUS)],
    now: () => clock.now(),
  })
})

async function flawOf(token: string): Promise<SessionTokenFlaw> {
  const error = await verifier.verify(token).then(
    () => new Error('was accepted'),
    (refusal: unknown) => refusal,
  )
  if (error instanceof InvalidSessionTokenError) return error.flaw
  throw error
}

describe('a session token', () => {
  it('proves the shop, the user, the session and its own end', async () => {
    await expect(verifier.verify(jwt(CLAIMS))).resolves.toEqual({
      shop: SHOP,
      userId: '42',
      sessionId: 'sid-1',
      expiresAt: FAKE_EPOCH + 60_000,
    })
  })

  it.each([
    { sub: undefined, sid: undefined },
    { sub: 42, sid: ['sid-1'] },
    { sub: null, sid: {} },
  ])('may come without a user and a session: %j', async (claims) => {
    await expect(verifier.verify(tokenWith(claims))).resolves.toMatchObject({
      userId: undefined,
      sessionId: undefined,
    })
  })

  it('as Shopify mints it is accepted', async () => {
    const shopify = await FakeShopify.start({ clientId: CLIENT_ID, clientSecret: SECRET, clock })
    try {
      await expect(verifier.verify(shopify.sessionToken(SHOP))).resolves.toMatchObject({ shop: SHOP })
    } finally {
      await shopify.close()
    }
  })

  it.each<[defect: SessionTokenDefect, flaw: SessionTokenFlaw]>([
    ['wrong-audience', 'audience'],
    ['expired', 'expired'],
    ['not-yet-valid', 'not-yet-valid'],
    ['alg-none', 'signature'],
    ['bad-signature', 'signature'],
    ['tampered', 'signature'],
    ['foreign-host', 'shop'],
    ['iss-dest-mismatch', 'shop'],
  ])('that is %s is refused for its %s', async (defect, flaw) => {
    const shopify = await FakeShopify.start({ clientId: CLIENT_ID, clientSecret: SECRET, clock })
    try {
      expect(await flawOf(shopify.sessionToken(SHOP, { defect }))).toBe(flaw)
    } finally {
      await shopify.close()
    }
  })

  it('of another shop proves that shop, whatever the request says', async () => {
    const claims = { iss: 'https://other.myshopify.com/admin', dest: 'https://other.myshopify.com' }

    await expect(verifier.verify(tokenWith(claims))).resolves.toMatchObject({ shop: 'other.myshopify.com' })
  })
})

describe('the signature', () => {
  it('of the previous secret is accepted while secrets are rotated', async () => {
    const token = jwt(CLAIMS, undefined, (signed) => hmac(signed, PREVIOUS))

    await expect(verifier.verify(token)).resolves.toMatchObject({ shop: SHOP })
  })

  it('of the previous secret does not excuse anything else', async () => {
    const token = jwt({ ...CLAIMS, exp: NOW - 60 }, undefined, (signed) => hmac(signed, PREVIOUS))

    expect(await flawOf(token)).toBe('expired')
  })

  it('of a secret that is neither is refused', async () => {
    expect(await flawOf(jwt(CLAIMS, undefined, (signed) => hmac(signed, 'shpss_other')))).toBe('signature')
  })

  it('is refused when no secret is known', async () => {
    verifier = new SessionTokenVerifier({ clientId: CLIENT_ID, clientSecrets: [], now: () => clock.now() })

    expect(await flawOf(jwt(CLAIMS))).toBe('malformed')
  })

  it.each(['none', 'None', 'NONE', 'nOnE'])('cannot be left out by alg %s', async (alg) => {
    expect(await flawOf(jwt(CLAIMS, { alg, typ: 'JWT' }, () => ''))).toBe('signature')
  })

  it('cannot be left out under the right alg', async () => {
    expect(await flawOf(jwt(CLAIMS, undefined, () => ''))).toBe('signature')
  })

  it.each([
    ['HS384', 'sha384'],
    ['HS512', 'sha512'],
  ])('by %s with the right secret is refused', async (alg, hash) => {
    expect(await flawOf(jwt(CLAIMS, { alg }, (signed) => hmac(signed, SECRET, hash)))).toBe('signature')
  })

  it('by RS256 is refused, whosever key it is', async () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

    expect(await flawOf(jwt(CLAIMS, { alg: 'RS256' }, (signed) => rs256(signed, privateKey)))).toBe('signature')
  })

  it('by HS256 under a header that says RS256 is refused', async () => {
    expect(await flawOf(jwt(CLAIMS, { alg: 'RS256' }))).toBe('signature')
  })

  it('cannot bring its own key', async () => {
    const jwk = { kty: 'oct', k: Buffer.from('evil').toString('base64url') }

    expect(await flawOf(jwt(CLAIMS, { alg: 'HS256', jwk }, (signed) => hmac(signed, 'evil')))).toBe('signature')
  })

  it('under a critical header that we do not know is refused', async () => {
    expect(await flawOf(jwt(CLAIMS, { alg: 'HS256', crit: ['planted'], planted: true }))).toBe('malformed')
  })
})

describe('the time', () => {
  it.each<[what: string, claims: Claims, flaw: SessionTokenFlaw | null]>([
    ['ten seconds past the end', { exp: NOW - 10 }, 'expired'],
    ['nine seconds past the end', { exp: NOW - 9 }, null],
    ['eleven seconds before the beginning', { nbf: NOW + 11 }, 'not-yet-valid'],
    ['ten seconds before the beginning', { nbf: NOW + 10 }, null],
  ])('%s is judged with ten seconds of leeway', async (_what, claims, flaw) => {
    const outcome = await verifier.verify(tokenWith(claims)).then(
      () => null,
      (error: unknown) => (error as InvalidSessionTokenError).flaw,
    )

    expect(outcome).toBe(flaw)
  })

  it.each<[what: string, claims: Claims]>([
    ['no end', { exp: undefined }],
    ['an end that is text', { exp: String(NOW + 60) }],
    ['an end that is null', { exp: null }],
    ['no beginning', { nbf: undefined }],
    ['a beginning that is text', { nbf: 'now' }],
  ])('of a token with %s cannot be judged', async (_what, claims) => {
    expect(await flawOf(tokenWith(claims))).toBe('malformed')
  })

  it("is Shopify's, as the verifier is told it", async () => {
    await clock.advance(10 * 60_000)

    expect(await flawOf(jwt(CLAIMS))).toBe('expired')
  })
})

describe('the audience', () => {
  it.each<[what: string, aud: unknown]>([
    ['another app', 'other-client-id'],
    ['a list of other apps', ['other-client-id', 'third-client-id']],
    ['an empty list', []],
    ['a list in a list', [[CLIENT_ID]]],
    ['our client id in capitals', CLIENT_ID.toUpperCase()],
    ['our client id and more', `${CLIENT_ID} `],
    ['nothing', undefined],
    ['null', null],
    ['an object', { [CLIENT_ID]: true }],
  ])('of %s is refused', async (_what, aud) => {
    expect(await flawOf(tokenWith({ aud }))).toBe('audience')
  })
})

describe('the shop', () => {
  it.each<[what: string, dest: unknown]>([
    ['plain http', `http://${SHOP}`],
    ['another scheme', `ftp://${SHOP}`],
    ['no scheme', SHOP],
    ['a port', `https://${SHOP}:8443`],
    ['the default port', `https://${SHOP}:443`],
    ['a path', `https://${SHOP}/admin`],
    ['a query', `https://${SHOP}?x`],
    ['a fragment', `https://${SHOP}#x`],
    ['a user name', `https://user@${SHOP}`],
    ['a user name that looks like the shop', `https://${SHOP}@evil.com`],
    ['another domain', 'https://evil.com'],
    ['a domain that begins alike', `https://${SHOP}.evil.com`],
    ['a trailing dot', `https://${SHOP}.`],
    ['full-width dots, which URL repairs', 'https://acme\uFF0Emyshopify\uFF0Ecom'],
    ['a Kelvin sign, which URL repairs', 'https://\u212Aiosk.myshopify.com'],
    ['a tab, which URL drops', 'https://ac\tme.myshopify.com'],
    ['a line break', `https://${SHOP}\n`],
    ['a backslash', `https:\\\\${SHOP}`],
    ['a space in front', ` https://${SHOP}`],
    ['nothing', undefined],
    ['null', null],
    ['a number', 42],
    ['a list of one', [`https://${SHOP}`]],
    ['an object', { host: SHOP }],
    ['10 kB less the rest', `https://${'a'.repeat(5_000)}.myshopify.com`],
  ])('with %s in dest is refused', async (_what, dest) => {
    const refused = await flawOf(tokenWith({ dest }))

    expect(refused).toBe(dest === undefined ? 'malformed' : 'shop')
  })

  it.each<[what: string, iss: unknown]>([
    ['another shop', 'https://other.myshopify.com/admin'],
    ['plain http', `http://${SHOP}/admin`],
    ['a domain that begins alike', `https://${SHOP}.evil.com/admin`],
    ['a user name', `https://${SHOP}@evil.com/admin`],
    ['a port', `https://${SHOP}:8443/admin`],
    ['a number', 42],
    ['something in front', `evil https://${SHOP}/admin`],
    ['a second line', `https://${SHOP}/admin\nevil`],
  ])('with %s in iss is refused', async (_what, iss) => {
    expect(await flawOf(tokenWith({ iss }))).toBe('shop')
  })

  it('is the same in iss and dest although one has capitals', async () => {
    const iss = 'https://ACME.myshopify.com/admin'

    await expect(verifier.verify(tokenWith({ iss }))).resolves.toMatchObject({ shop: SHOP })
  })

  it.each([`https://${SHOP}`, `https://${SHOP}/`, `https://${SHOP}/admin/`])('may be issued by %s', async (iss) => {
    await expect(verifier.verify(tokenWith({ iss }))).resolves.toMatchObject({ shop: SHOP })
  })
})

describe('something that is no session token', () => {
  it.each<[what: string, token: string, flaw: SessionTokenFlaw]>([
    ['nothing', '', 'missing'],
    ['a word', 'planted', 'malformed'],
    ['two parts', 'a.b', 'malformed'],
    ['three empty parts', '..', 'malformed'],
    ['four parts', `${jwt(CLAIMS)}.x`, 'malformed'],
    ['five parts, as of a JWE', 'a.b.c.d.e', 'malformed'],
    ['characters outside base64url', `${jwt(CLAIMS).slice(0, -1)}!`, 'malformed'],
    ['a header that is no JSON', `${Buffer.from('x').toString('base64url')}.${base64url(CLAIMS)}.x`, 'malformed'],
    ['a header that is a list', jwt(CLAIMS, ['HS256']), 'malformed'],
    ['a header without alg', jwt(CLAIMS, {}), 'malformed'],
    ['9 kB', tokenWith({ sid: 'x'.repeat(9 * 1024) }), 'malformed'],
    ['a payload that is a list', jwt([CLAIMS]), 'malformed'],
    ['a payload that is null', jwt(null), 'malformed'],
    ['a payload that is text', jwt('acme.myshopify.com'), 'malformed'],
    ['a payload that is a number', jwt(42), 'malformed'],
    ['an empty payload', jwt({}), 'audience'],
  ])('such as %s is refused', async (_what, token, flaw) => {
    expect(await flawOf(token)).toBe(flaw)
  })

  it('is what a token of more than 8 kB is taken for, unlooked', async () => {
    await expect(verifier.verify(tokenOfLength(8_192))).resolves.toMatchObject({ shop: SHOP })
    expect(await flawOf(tokenOfLength(8_193))).toBe('malformed')
  })
})

describe('a refusal', () => {
  it('holds nothing of the token', async () => {
    const token = tokenWith({ aud: 'planted-audience' })

    const error = (await verifier.verify(token).catch((refusal: unknown) => refusal)) as Error

    expect(error.cause).toBeUndefined()
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('planted')
    expect(error.message).not.toContain(token)
  })
})

describe('a verified token', () => {
  it('is remembered: its signature is not checked again', async () => {
    const token = jwt(CLAIMS)

    const first = await verifier.verify(token)

    expect(await verifier.verify(token)).toBe(first)
  })

  it('is refused when its time is over although it is remembered', async () => {
    const token = jwt(CLAIMS)
    await verifier.verify(token)

    await clock.advance(69_999)
    await expect(verifier.verify(token)).resolves.toBeDefined()
    await clock.advance(1)

    expect(await flawOf(token)).toBe('expired')
    expect(await flawOf(token)).toBe('expired')
  })

  it('does not vouch for the same token with another signature', async () => {
    const token = jwt(CLAIMS)
    await verifier.verify(token)

    expect(await flawOf(`${token.slice(0, token.lastIndexOf('.'))}.${hmac('other')}`)).toBe('signature')
  })

  it('is not remembered when it was refused', async () => {
    const token = tokenWith({ nbf: NOW + 30 })
    expect(await flawOf(token)).toBe('not-yet-valid')

    await clock.advance(30_000)

    await expect(verifier.verify(token)).resolves.toMatchObject({ shop: SHOP })
  })
})

/** A good token of exactly this many characters. Base64 leaves gaps, which a longer header fills. */
function tokenOfLength(length: number): string {
  for (const kid of ['', 'x', 'xx', 'xxx']) {
    const token = (sid: string): string => jwt({ ...CLAIMS, sid }, { alg: 'HS256', kid })
    const room = Math.floor(((length - token('').length) * 3) / 4)
    const fitting = [-2, -1, 0, 1, 2].map((by) => token('x'.repeat(room + by))).find((each) => each.length === length)
    if (fitting !== undefined) return fitting
  }
  throw new Error('no such length')
}

function rs256(signed: string, key: KeyObject): string {
  return createSign('RSA-SHA256').update(signed).sign(key, 'base64url')
}
