import { fingerprint, staticTokens, type TokenSource } from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, managedApp, type ManagedApp, shop } from '../core/managed-app.js'
import { MarkdownDocument } from './markdown.js'

// The table of docs/token-kinds.md: each kind is served by what the table names, and lasts as long as it says.

afterEach(closeAll)

interface Kind {
  readonly lasts: RegExp
  readonly servedBy: RegExp
  /** `null`: nothing here serves it. */
  readonly lifetimeMs: number | null
  readonly source?: () => Promise<ManagedApp & { readonly source: TokenSource }>
}

const KINDS: Readonly<Record<string, Kind>> = {
  'expiring offline token': {
    lasts: /^60 minutes/,
    servedBy: /^`createTokenManager\(\)`$/,
    lifetimeMs: 3_600_000,
    source: async () => {
      const app = await managedApp()
      app.shopify.installShop(shop)
      await app.tokens.token(shop, { idToken: app.shopify.sessionToken(shop) })
      return { ...app, source: app.tokens }
    },
  },
  'non-expiring offline token': {
    lasts: /2027-01-01$/,
    servedBy: /^`createTokenManager\(\)`$/,
    lifetimeMs: Infinity,
    source: async () => {
      const app = await managedApp()
      const accessToken = app.shopify.mintNonExpiring(shop)
      await app.put(aRecord.nonExpiring({ accessToken, secretId: fingerprint(CLIENT_SECRET) }))
      return { ...app, source: app.tokens }
    },
  },
  'static custom-app token': {
    lasts: /^until the app is uninstalled$/,
    servedBy: /^`staticTokens\(\)`$/,
    lifetimeMs: Infinity,
    source: async () => {
      const app = await managedApp()
      return { ...app, source: staticTokens({ [shop]: app.shopify.mintNonExpiring(shop) }) }
    },
  },
  'client credentials': {
    lasts: /^24 hours$/,
    servedBy: /^`createTokenManager\(\)` with the option `grant`$/,
    lifetimeMs: 86_399_000,
    source: async () => {
      const app = await managedApp({ grant: 'client-credentials' })
      app.shopify.installShop(shop)
      return { ...app, source: app.tokens }
    },
  },
  'application-only token': { lasts: /^up to an hour$/, servedBy: /^nothing here$/, lifetimeMs: null },
  'online token': { lasts: /^24 hours/, servedBy: /^nothing here$/, lifetimeMs: null },
}

const { rows } = new MarkdownDocument('docs/token-kinds.md').table('Which there are')

it('names every kind, in a section of its own', () => {
  expect(rows.map(([name]) => /^\[(.+)\]\(#.+\)$/.exec(name ?? '')?.[1])).toEqual(Object.keys(KINDS))
})

it.each(Object.entries(KINDS))('says how long it lasts and what serves it: %s', async (_name, kind) => {
  const [, lasts, , , servedBy] = rows[Object.values(KINDS).indexOf(kind)] ?? []
  expect(lasts).toMatch(kind.lasts)
  expect(servedBy).toMatch(kind.servedBy)
  if (kind.source === undefined) {
    expect(kind.lifetimeMs).toBeNull()
    return
  }

  const { clock, shopify, source } = await kind.source()
  const { expiresAt, value } = await source.token(shop)
  expect(expiresAt - clock.now()).toBe(kind.lifetimeMs)
  expect(shopify.accessTokenState(shop, value)).toBe('live')
})
