import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'
import { FakeClock } from '../../packages/testing/src/fake-clock.js'
import type { Parameters } from './fake-shopify-client.js'
import {
  admin,
  APP,
  byClientCredentials,
  byCode,
  byIdToken,
  byMigration,
  byRefresh,
  CLIENT,
  failure,
  SHOP,
  TERMINAL,
  token,
} from './fake-shopify-client.js'

const clock = new FakeClock()
let shopify: FakeShopify

beforeEach(async () => {
  shopify = await FakeShopify.start({ ...APP, clock })
})
afterEach(async () => {
  await shopify.close()
})

/** The parameters of every grant that brings a pair, for a shop that can be granted one. */
const waysToAPair: [string, () => Parameters][] = [
  ['code', () => byCode(shopify.issueCode(SHOP))],
  ['id-token', () => byIdToken(shopify.sessionToken(SHOP))],
  ['refresh', () => byRefresh(shopify.mintPair(SHOP).refreshToken)],
  ['migration', () => byMigration(shopify.mintNonExpiring(SHOP))],
]

describe('the token endpoint', () => {
  it.each(waysToAPair)('answers %s with an expiring pair', async (_grant, parameters) => {
    shopify.installShop(SHOP, { scopes: ['read_orders', 'write_products'] })
    const { status, body } = await token(shopify, parameters())
    expect(status).toBe(200)
    expect(Object.keys(body ?? {})).toEqual([
      'access_token',
      'expires_in',
      'refresh_token',
      'refresh_token_expires_in',
      'scope',
    ])
    expect(body).toMatchObject({
      expires_in: 3600,
      refresh_token_expires_in: 7_776_000,
      scope: 'read_orders,write_products',
    })
    expect(body?.access_token).toMatch(/^shpat_[0-9a-f]{32}$/)
    expect(body?.refresh_token).toMatch(/^shprt_[0-9a-f]{32}$/)
    expect((await admin(shopify, String(body?.access_token))).status).toBe(200)
  })

  it.each(waysToAPair)('takes %s as JSON as well', async (_grant, parameters) => {
    shopify.installShop(SHOP)
    const { status } = await token(
      shopify,
      {},
      {
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        body: JSON.stringify({ ...parameters(), expiring: 1 }),
      },
    )
    expect(status).toBe(200)
  })

  it('answers client credentials without a refresh token', async () => {
    shopify.installShop(SHOP)
    const { body } = await token(shopify, byClientCredentials())
    expect(Object.keys(body ?? {})).toEqual(['access_token', 'expires_in', 'scope'])
    expect(body).toMatchObject({ expires_in: 86_399 })
  })

  it.each(['code', 'id-token'])('answers %s without expiring=1 with a non-expiring token', async (grant) => {
    shopify.installShop(SHOP)
    const request = grant === 'id-token' ? byIdToken(shopify.sessionToken(SHOP)) : byCode(shopify.issueCode(SHOP))
    const { body } = await token(shopify, { ...request, expiring: '0' })
    expect(Object.keys(body ?? {})).toEqual(['access_token', 'scope'])
  })

  it('installs the app by a code, with the scopes of the consent, and takes the code once', async () => {
    const code = shopify.issueCode(SHOP, { scopes: ['read_customers'] })
    expect((await token(shopify, byCode(code))).body).toMatchObject({ scope: 'read_customers' })
    expect(await token(shopify, byCode(code))).toMatchObject({
      status: 400,
      body: { error: 'invalid_request', error_description: 'The authorization code was not found or was already used' },
    })
  })

  it('takes a code in its own shop only', async () => {
    const code = shopify.issueCode(SHOP)
    expect((await token(shopify, byCode(code), { shop: 'b.myshopify.com' })).status).toBe(400)
    expect((await token(shopify, byCode(code))).status).toBe(200)
  })

  it('kills the refresh token by an acquisition over HTTP', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    await token(shopify, byIdToken(shopify.sessionToken(SHOP)))
    expect(await token(shopify, byRefresh(refreshToken))).toMatchObject({ status: 401, body: TERMINAL })
  })

  it.each([
    [
      'expired',
      () => {
        clock.jump(91 * 86_400_000)
      },
    ],
    [
      'revoked',
      (refresh: string) => {
        shopify.revokeToken(SHOP, refresh)
      },
    ],
    ['replaced', () => shopify.mintPair(SHOP)],
    [
      'of an uninstalled app',
      () => {
        shopify.uninstall(SHOP)
      },
    ],
  ] as [string, (refresh: string) => unknown][])(
    'has one terminal answer for a refresh token that is %s',
    async (_why, end) => {
      const { refreshToken } = shopify.mintPair(SHOP)
      end(refreshToken)
      expect(await token(shopify, byRefresh(refreshToken))).toMatchObject({ status: 401, body: TERMINAL })
    },
  )

  it('answers an unknown refresh token terminally and does not count it as retired', async () => {
    expect(await token(shopify, byRefresh('shprt_never'))).toMatchObject({ status: 401, body: TERMINAL })
    expect(shopify.counters(SHOP).retiredTokensPresented).toBe(0)
  })

  it.each([
    'wrong-audience',
    'expired',
    'not-yet-valid',
    'alg-none',
    'bad-signature',
    'tampered',
    'foreign-shop',
    'foreign-host',
    'iss-dest-mismatch',
  ] as const)('refuses a session token with the defect %s', async (defect) => {
    shopify.installShop(SHOP)
    expect(await token(shopify, byIdToken(shopify.sessionToken(SHOP, { defect })))).toMatchObject({
      status: 400,
      body: { error: 'invalid_subject_token' },
    })
  })

  it('refuses a session token that has become stale', async () => {
    shopify.installShop(SHOP)
    const idToken = shopify.sessionToken(SHOP)
    await clock.advance(60_000)
    expect((await token(shopify, byIdToken(idToken))).status).toBe(400)
  })

  it('answers app_not_installed to an ID token, a migration and client credentials of a shop without the app', async () => {
    const original = shopify.mintNonExpiring(SHOP)
    shopify.uninstall(SHOP)
    for (const request of [byIdToken(shopify.sessionToken(SHOP)), byMigration(original), byClientCredentials()]) {
      expect(await token(shopify, request)).toMatchObject({ status: 400, body: { error: 'app_not_installed' } })
    }
  })

  it('answers invalid_subject_token to a migration that is no longer possible', async () => {
    const original = shopify.mintNonExpiring(SHOP)
    const { body } = await token(shopify, byMigration(original))
    await token(shopify, byRefresh(String(body?.refresh_token)))
    expect(await token(shopify, byMigration(original))).toMatchObject({
      status: 400,
      body: { error: 'invalid_subject_token' },
    })
  })

  it.each([
    ['an unknown client id', { client_id: 'other' }, 400, 'invalid_request'],
    ['a wrong client secret', { client_secret: 'other' }, 401, 'invalid_client'],
    ['an unknown grant', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
  ])('refuses %s as a wrong configuration and uses nothing up', async (_what, wrong, status, error) => {
    await shopify.close()
    shopify = await FakeShopify.start({ ...APP, clock, grace: 'none' })
    const { refreshToken } = shopify.mintPair(SHOP)
    expect(await token(shopify, { ...byRefresh(refreshToken), ...wrong })).toMatchObject({ status, body: { error } })
    expect(shopify.hasLiveCredential(SHOP, [refreshToken])).toBe(true)
  })

  it('names the application that it cannot find as Shopify does', async () => {
    const { body } = await token(shopify, { ...byRefresh('x'), client_id: 'other' })
    expect(body?.error_description).toMatch(/^Could not find Shopify API application/)
  })

  it('sends errors as HTML to a client that does not ask for JSON', async () => {
    const { status, headers, body } = await token(shopify, byRefresh('shprt_never'), { headers: {} })
    expect(status).toBe(401)
    expect(headers.get('content-type')).toMatch(/^text\/html/)
    expect(body).toBeUndefined()
  })

  it('sends x-request-id and Date with every answer', async () => {
    const answers = [
      await token(shopify, byRefresh('shprt_never')),
      await admin(shopify, 'shpat_never'),
      await token(shopify, byCode(shopify.issueCode(SHOP))),
    ]
    const ids = answers.map(({ headers }) => headers.get('x-request-id'))
    expect(new Set(ids).size).toBe(3)
    expect(shopify.log().map(({ requestId }) => requestId)).toEqual(ids)
    for (const { headers } of answers) {
      expect(headers.get('date')).toBe(new Date(Math.floor(clock.now() / 1000) * 1000).toUTCString())
    }
  })

  it('offsets the Date header alone, or leaves it out', async () => {
    shopify.configure({ dateOffsetMs: -600_000 })
    const { accessToken } = shopify.mintPair(SHOP)
    const { headers, status } = await admin(shopify, accessToken)
    expect(status).toBe(200)
    expect(headers.get('date')).toBe(new Date(clock.now() - 600_000).toUTCString())
    shopify.configure({ sendDate: false })
    expect((await admin(shopify, accessToken)).headers.get('date')).toBeNull()
  })

  it('survives a body that is no form and no JSON', async () => {
    const headers = { accept: 'application/json', 'content-type': 'application/json' }
    for (const body of ['{', 'null', '[]', '"text"', '']) {
      expect((await token(shopify, {}, { headers, body })).status).toBe(400)
    }
  })
})

describe('client secrets', () => {
  it('work side by side until the old one is revoked, and the refreshed shop outlives it', async () => {
    const stays = shopify.mintPair(SHOP)
    const moves = shopify.mintPair('b.myshopify.com')
    shopify.addClientSecret('new-secret')
    const moved = await token(
      shopify,
      { ...byRefresh(moves.refreshToken), client_secret: 'new-secret' },
      { shop: moves.shop },
    )
    expect(moved.status).toBe(200)
    shopify.revokeClientSecret(CLIENT.client_secret)
    expect((await admin(shopify, String(moved.body?.access_token), { shop: moves.shop })).status).toBe(200)
    expect((await admin(shopify, moves.accessToken, { shop: moves.shop })).status).toBe(401)
    expect((await token(shopify, byRefresh(stays.refreshToken))).body).toMatchObject({ error: 'invalid_client' })
    const withNew = { ...byRefresh(stays.refreshToken), client_secret: 'new-secret' }
    expect(await token(shopify, withNew)).toMatchObject({ status: 401, body: TERMINAL })
  })

  it('sign session tokens with the oldest, and the endpoint accepts either', async () => {
    shopify.installShop(SHOP)
    shopify.addClientSecret('new-secret')
    for (const idToken of [shopify.sessionToken(SHOP), shopify.sessionToken(SHOP, { secret: 'new-secret' })]) {
      expect((await token(shopify, { ...byIdToken(idToken), client_secret: 'new-secret' })).status).toBe(200)
    }
  })
})

describe('a seeded pair', () => {
  it('says what a store needs to know', () => {
    const pair = shopify.mintPair(SHOP)
    expect(pair).toMatchObject({
      shop: SHOP,
      issuedAt: clock.now(),
      accessTokenExpiresAt: clock.now() + 3_600_000,
      refreshTokenExpiresAt: clock.now() + 90 * 86_400_000,
      scopes: ['read_products'],
    })
  })

  it('can be so old that only its refresh token lives', async () => {
    const { accessToken, refreshToken } = shopify.mintPair(SHOP, { ageMs: 3_700_000 })
    expect((await admin(shopify, accessToken)).status).toBe(401)
    expect(shopify.accessTokenState(SHOP, accessToken)).toBe('expired')
    expect((await token(shopify, byRefresh(refreshToken))).status).toBe(200)
  })
})

describe('options', () => {
  it.each([
    ['clientId', { clientId: '' }],
    ['clientSecret', { clientSecret: [] }],
    ['replay', { replay: 'sometimes' as 'same-pair' }],
    ['grace', { grace: '61-minutes' as 'none' }],
    ['speed', { speed: 0 }],
    ['speed', { speed: Number.NaN }],
    ['accessTokenLifetimeMs', { accessTokenLifetimeMs: 0.5 }],
    ['refreshTokenLifetimeMs', { refreshTokenLifetimeMs: -1 }],
    ['logLimit', { logLimit: 0 }],
    ['dateOffsetMs', { dateOffsetMs: Number.NaN }],
    ['grase', { grase: 'none' }],
  ])('are refused by name: %s', async (name, wrong) => {
    await expect(FakeShopify.start({ ...APP, ...wrong })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
      message: expect.stringContaining(name) as string,
    })
  })

  it('refuse a shop that is no shop', () => {
    for (const shop of ['evil.com', 'A.myshopify.com', 'a.myshopify.com.', 'a.myshopify.com:443', '']) {
      expect(() => shopify.mintPair(shop)).toThrow(TypeError)
    }
  })

  it('refuse to revoke a token that was never issued', () => {
    expect(() => {
      shopify.revokeToken(SHOP, 'shpat_never')
    }).toThrow(/never issued/)
  })
})

describe('the life of the server', () => {
  it('closes with open connections, held requests and hanging answers', async () => {
    const { refreshToken, accessToken } = shopify.mintPair(SHOP)
    shopify.faults.next(SHOP, { kind: 'hang', when: 'after' }, { endpoint: 'admin' })
    const held = shopify.hold('token')
    const calls = [failure(token(shopify, byRefresh(refreshToken))), failure(admin(shopify, accessToken))]
    await held.arrived(1)
    const waiting = held.arrived(2)
    await shopify.close()
    await expect(waiting).rejects.toThrow('closed')
    expect(await Promise.all(calls)).not.toContain('answered')
    await shopify.close()
  })

  it('refuses connections while offline and comes back at the same address with its state', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    const { url } = shopify
    await shopify.goOffline()
    expect(await failure(admin(shopify, accessToken))).toBe('ECONNREFUSED')
    await shopify.goOnline()
    expect(shopify.url).toBe(url)
    expect((await admin(shopify, accessToken)).status).toBe(200)
  })

  it('stays closed', async () => {
    await shopify.close()
    await expect(shopify.goOnline()).rejects.toThrow('closed')
  })

  it('rejects when its port is taken', async () => {
    const port = Number(new URL(shopify.url).port)
    await expect(FakeShopify.start({ ...APP, port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
