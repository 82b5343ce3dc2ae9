import { type StaticTokensOptions, Secret, staticTokens, type Shop } from '@shopify-tokens/core'
import type { FakeShopify } from '@shopify-tokens/testing'
import { closeAll, managedApp, shop } from './managed-app.js'
import { prints } from './prints.js'

const TOKEN = 'shpat_of_a_custom_app'
const OTHER = 'other.myshopify.com' as Shop
const QUERY = '{ shop { name } }'

afterEach(closeAll)

/** A custom app's token that Shopify knows. */
async function customApp(): Promise<{ readonly shopify: FakeShopify; readonly token: string }> {
  const { shopify } = await managedApp()
  return { shopify, token: shopify.mintNonExpiring(shop) }
}

describe('static tokens', () => {
  it('are served as they are, for ever', async () => {
    const tokens = staticTokens({ [shop]: TOKEN, [OTHER]: new Secret('shpat_of_another') })

    expect(await tokens.token(shop)).toMatchObject({ shop, value: TOKEN, scopes: [], expiresAt: Infinity })
    expect((await tokens.token(OTHER)).value).toBe('shpat_of_another')
  })

  it('open the Admin API', async () => {
    const { shopify, token } = await customApp()
    const client = staticTokens({ [shop]: token }, { apiVersion: '2026-10', fetch: shopify.fetch }).forShop(shop)

    expect(await client.graphql(QUERY)).toMatchObject({ data: { shop: { myshopifyDomain: shop } } })
    expect(shopify.counters(shop)).toMatchObject({ tokenCalls: 0, adminCallsByStatus: { 200: 1 } })
  })

  it('that Shopify refuses are not sent twice, and need somebody', async () => {
    const { shopify, token } = await customApp()
    const tokens = staticTokens({ [shop]: token }, { apiVersion: '2026-10', fetch: shopify.fetch })
    shopify.revokeToken(shop, token)

    await expect(tokens.forShop(shop).graphql(QUERY)).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      reason: 'access-token-rejected',
      shop,
      url: undefined,
    })
    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 401: 1 })
    // A refusal of another token than this one says nothing of it.
    expect((await tokens.token(shop, { rejected: 'shpat_of_yesterday' })).value).toBe(token)
  })

  it('are not there for a shop that nobody has named', async () => {
    const tokens = staticTokens({ [shop]: TOKEN })

    await expect(tokens.token(OTHER)).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      reason: 'not-installed',
      shop: OTHER,
    })
    await expect(tokens.token('constructor' as Shop)).rejects.toMatchObject({ code: 'ERR_INVALID_SHOP' })
  })

  it('have the scopes that a call asks for, because nothing tells which they have', async () => {
    const tokens = staticTokens({ [shop]: TOKEN })

    expect((await tokens.token(shop, { scopes: ['write_products'] })).scopes).toEqual(['write_products'])
    expect((await tokens.forShop(shop).requireScopes('write_products')).value).toBe(TOKEN)
    await expect(tokens.token(shop, { scopes: 'write_products' as never })).rejects.toMatchObject({
      code: 'ERR_INVALID_OPTION',
    })
  })

  it('end a wait like any other source', async () => {
    const reason = new Error('the client has gone')

    await expect(staticTokens({ [shop]: TOKEN }).token(shop, { signal: AbortSignal.abort(reason) })).rejects.toBe(
      reason,
    )
  })

  it('are found however the shop is spelt', async () => {
    const tokens = staticTokens({ 'ACME.myshopify.com': TOKEN })

    expect((await tokens.token(shop)).value).toBe(TOKEN)
    expect((await tokens.token('Acme.MyShopify.com' as Shop)).value).toBe(TOKEN)
  })

  it('print nowhere', () => {
    for (const print of Object.values(prints(staticTokens({ [shop]: TOKEN })))) expect(print).not.toContain(TOKEN)
  })
})

describe('a wrong configuration is refused when it is read, and shows no token', () => {
  it.each<[string, unknown]>([
    ['none', undefined],
    ['null', null],
    ['a token', TOKEN],
    ['a list', [TOKEN]],
    ['a shop and a token on the wrong sides', { [TOKEN]: shop }],
    ['a shop with its scheme', { [`https://${shop}`]: TOKEN }],
    ['a look-alike', { 'acme.myſhopify.com': TOKEN }],
    ['one shop in two spellings', { [shop]: TOKEN, 'ACME.myshopify.com': TOKEN }],
    ['an empty token', { [shop]: '' }],
    ['a token that is missing', { [shop]: undefined }],
    ['a token that is a number', { [shop]: 42 }],
    ['a token in an object', { [shop]: { token: TOKEN } }],
    ['a token with a line break', { [shop]: `${TOKEN}\n` }],
    ['an empty secret', { [shop]: new Secret('') }],
  ])('%s', (_what, tokens) => {
    const build = (): unknown => staticTokens(tokens as never)

    expect(build).toThrow(expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: ['tokens'] }) as Error)
    expect(build).not.toThrow(new RegExp(TOKEN))
  })

  it.each<[string, unknown, string]>([
    ['an unknown option', { apiVersions: '2026-10' }, 'apiVersions'],
    ['a version that is none', { apiVersion: 'latest' }, 'apiVersion'],
    ['a number for a version', { apiVersion: 2026 }, 'apiVersion'],
    ['an address for fetch', { fetch: 'https://proxy.example' }, 'fetch'],
  ])('%s', (_what, options, name) => {
    expect(() => staticTokens({ [shop]: TOKEN }, options as StaticTokensOptions)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: [name] }) as Error,
    )
  })

  it('names the shop whose token is at fault', () => {
    expect(() => staticTokens({ [shop]: TOKEN, [OTHER]: '' })).toThrow(/the token of other\.myshopify\.com/)
  })
})
