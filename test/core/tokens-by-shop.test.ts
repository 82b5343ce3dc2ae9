import {
  createTokenManager,
  type RequestTokenSource,
  type Shop,
  staticTokens,
  type TokenManager,
  tokensByShop,
} from '@shopify-tokens/core'
import { FakeShopify } from '@shopify-tokens/testing'
import { CLIENT_ID, closeAll, managedApp, type ManagedApp, shop } from './managed-app.js'

const OTHER = 'other.myshopify.com' as Shop
const NOBODYS = 'nobodys.myshopify.com' as Shop
const QUERY = '{ shop { name } }'

const others: FakeShopify[] = []

afterEach(async () => {
  await Promise.all(others.splice(0).map((shopify) => shopify.close()))
  await closeAll()
})

interface TwoApps extends ManagedApp {
  /** The second app: Shopify's side of it, and its manager over the same store. */
  readonly second: { readonly shopify: FakeShopify; readonly tokens: TokenManager }
}

async function twoApps(): Promise<TwoApps> {
  const first = await managedApp()
  const { clock, store } = first
  const credentials = { clientId: 'second-app', clientSecret: 'secret of the second app' }
  const shopify = await FakeShopify.start({ ...credentials, clock })
  others.push(shopify)
  const tokens = createTokenManager({
    ...{ ...credentials, clock, store, sealing: 'unsealed-tokens-readable-in-store', apiVersion: '2026-10' },
    fetch: clock.watch((input, init) => shopify.fetch(input, init)),
  })
  return { ...first, second: { shopify, tokens } }
}

describe('tokens by shop', () => {
  it.each<[string, (first: RequestTokenSource, second: RequestTokenSource) => RequestTokenSource]>([
    ['by a map', (first, second) => tokensByShop({ [shop]: first, [OTHER.toUpperCase()]: second })],
    ['by a function', (first, second) => tokensByShop((at) => (at === shop ? first : second))],
  ])('come from the source that is chosen %s', async (_how, choose) => {
    const { seed, second, tokens: first } = await twoApps()
    const { accessToken } = await seed()
    second.shopify.installShop(OTHER)
    await second.tokens.token(OTHER, { idToken: second.shopify.sessionToken(OTHER) })
    const tokens = choose(first, second.tokens)

    expect((await tokens.token(shop)).value).toBe(accessToken)
    expect((await tokens.token(OTHER)).value).toBe((await second.tokens.token(OTHER)).value)
  })

  it('are asked for with everything that the caller has said', async () => {
    const asked: unknown[] = []
    const source = (name: string): RequestTokenSource => ({
      token: (...args) => {
        asked.push([name, ...args])
        return Promise.reject(new Error('never mind'))
      },
    })
    const tokens = tokensByShop({ [shop]: source('first'), [OTHER]: source('second') })
    const options = { rejected: 'shpat_1', idToken: 'jwt', scopes: ['read_products'] }

    await expect(tokens.token('OTHER.myshopify.com' as Shop, options)).rejects.toThrow('never mind')

    expect(asked).toEqual([['second', OTHER, options]])
  })

  it('are not there for a shop that no source has', async () => {
    const tokens = tokensByShop({ [shop]: staticTokens({ [shop]: 'shpat_1' }) })

    for (const asking of [tokens.token(NOBODYS), tokens.forShop(NOBODYS).accessToken()]) {
      await expect(asking).rejects.toMatchObject({
        code: 'ERR_REAUTHORIZATION_REQUIRED',
        reason: 'not-installed',
        shop: NOBODYS,
      })
    }
    await expect(tokens.token('nobody' as Shop)).rejects.toMatchObject({ code: 'ERR_INVALID_SHOP' })
  })

  it('open the Admin API through the client that the source makes', async () => {
    const { seed, shopify, tokens: first } = await managedApp()
    await seed()
    const tokens = tokensByShop({ [shop]: first })

    expect(await tokens.forShop(shop).graphql(QUERY)).toMatchObject({ data: { shop: { myshopifyDomain: shop } } })
    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1 })
  })

  it('open it through a client of their own when the source makes none', async () => {
    const { seed, tokens: first } = await managedApp()
    const { accessToken } = await seed()
    const tokens = tokensByShop({ [shop]: { token: (at, options) => first.token(at, options) } })

    expect((await tokens.forShop(shop).accessToken()).value).toBe(accessToken)
  })
})

describe('a session token', () => {
  it('is verified by the source of the shop that it names, and brings that shop its first token', async () => {
    const { second, shopify, tokens: first } = await twoApps()
    const tokens = tokensByShop({ [shop]: first, [OTHER]: second.tokens })
    shopify.installShop(shop)
    second.shopify.installShop(OTHER)

    for (const [at, idToken] of [
      [shop, shopify.sessionToken(shop)],
      [OTHER, second.shopify.sessionToken(OTHER)],
    ] as const) {
      expect(await tokens.verifySessionToken(idToken)).toMatchObject({ shop: at })
      await tokens.forShop(at, { idToken }).accessToken()
    }

    expect(shopify.counters().tokenCallsByGrant['id-token'].granted).toBe(1)
    expect(second.shopify.counters().tokenCallsByGrant['id-token'].granted).toBe(1)
  })

  it('of one app opens no shop of another’s', async () => {
    const { second, shopify, tokens: first } = await twoApps()
    const tokens = tokensByShop({ [shop]: first, [OTHER]: second.tokens })
    const refused = { code: 'ERR_INVALID_SESSION_TOKEN' }

    // Signed by the first app's secret, for a shop whose tokens the second app has; and the other way round.
    await expect(tokens.verifySessionToken(shopify.sessionToken(OTHER))).rejects.toMatchObject(refused)
    await expect(tokens.verifySessionToken(second.shopify.sessionToken(shop))).rejects.toMatchObject(refused)
    expect(shopify.counters().tokenCalls + second.shopify.counters().tokenCalls).toBe(0)
  })

  it('opens no shop whose source has no session tokens', async () => {
    const { shopify, tokens: first } = await managedApp()
    const tokens = tokensByShop((at) => (at === OTHER ? staticTokens({ [OTHER]: 'shpat_of_another_app' }) : first))

    await expect(tokens.verifySessionToken(shopify.sessionToken(OTHER))).rejects.toMatchObject({ flaw: 'audience' })
    expect(await tokens.verifySessionToken(shopify.sessionToken(shop))).toMatchObject({ shop })
  })

  it('must name the shop that its verifier has found', async () => {
    const { shopify } = await managedApp()
    const deceived: RequestTokenSource = {
      token: () => Promise.reject(new Error('not to be asked')),
      verifySessionToken: () =>
        Promise.resolve({ shop: OTHER, userId: undefined, sessionId: undefined, expiresAt: Infinity }),
    }

    await expect(tokensByShop(() => deceived).verifySessionToken(shopify.sessionToken(shop))).rejects.toMatchObject({
      flaw: 'shop',
    })
  })

  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const encoded = (payload: unknown): string => `${part({ alg: 'HS256' })}.${part(payload)}.${part('signature')}`

  it.each<[string, string, string]>([
    ['nothing', '', 'missing'],
    ['no JWT', 'Bearer', 'malformed'],
    ['a JWT without an object in it', encoded([1]), 'malformed'],
    ['a JWT of text', encoded('text'), 'malformed'],
    ['9 kB', 'a'.repeat(9_000), 'malformed'],
    ['one without a shop', encoded({}), 'shop'],
    ['one for another host', encoded({ dest: 'https://evil.example' }), 'shop'],
    ['one for a shop with a port', encoded({ dest: `https://${shop}:8443` }), 'shop'],
    ['one for a list', encoded({ dest: [`https://${shop}`] }), 'shop'],
    ['one for a shop that no source has', encoded({ dest: `https://${NOBODYS}` }), 'shop'],
    ['one that nobody has signed', encoded({ dest: `https://${shop}`, aud: CLIENT_ID }), 'signature'],
  ])('that is none is refused: %s', async (_what, token, flaw) => {
    const { tokens: first } = await managedApp()
    const tokens = tokensByShop({ [shop]: first })

    await expect(tokens.verifySessionToken(token)).rejects.toMatchObject({ code: 'ERR_INVALID_SESSION_TOKEN', flaw })
  })
})

describe('a wrong configuration is refused when it is read', () => {
  const source = staticTokens({ [shop]: 'shpat_1' })

  it.each<[string, unknown]>([
    ['none', undefined],
    ['a source instead of sources', [source]],
    ['a text', 'acme.myshopify.com'],
    ['a name that is no shop', { acme: source }],
    ['one shop in two spellings', { [shop]: source, [shop.toUpperCase()]: source }],
    ['a token instead of a source', { [shop]: 'shpat_1' }],
    ['nothing for a shop', { [shop]: undefined }],
    ['a source without token()', { [shop]: {} }],
  ])('%s', (_what, sources) => {
    expect(() => tokensByShop(sources as never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: ['sources'] }) as Error,
    )
  })
})
