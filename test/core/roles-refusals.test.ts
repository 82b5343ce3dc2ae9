import type { TokenManager } from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'
import { CLIENT_ID, closeAll, HOUR_MS, managedApp, shop } from './managed-app.js'
import { aReader, deedsOf, NOTHING_DONE } from './reader.js'
import { received } from './received.js'

afterEach(closeAll)

const KEY = { clientId: CLIENT_ID, shop }

describe('a process that only reads', () => {
  it.each([
    ['acquire', (tokens) => tokens.acquire(shop, { code: 'a-code' })],
    ['force', (tokens) => tokens.force(shop)],
    ['migrate', (tokens) => tokens.migrate(shop)],
    ['renewIfDue', (tokens) => tokens.renewIfDue(shop)],
    ['repinAll', (tokens) => tokens.repinAll()],
    ['sweep', (tokens) => tokens.sweep()],
    [
      'startKeepAlive',
      (tokens) =>
        Promise.resolve().then(() => {
          tokens.startKeepAlive()
        }),
    ],
  ] satisfies [string, (tokens: TokenManager) => Promise<unknown>][])('refuses %s, by name', async (_verb, call) => {
    const app = await managedApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    const reader = aReader(app)

    await expect(call(reader.tokens)).rejects.toMatchObject({
      ...{
        code: 'ERR_INVALID_OPTION',
        options: ['renewal'],
        message: expect.stringMatching(/^Option renewal /) as string,
      },
    })
    expect(reader.store.count()).toBe(0)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('tells how shops stand', async () => {
    const app = await managedApp()
    await app.seed()
    const { tokens } = aReader(app)
    const seen: string[] = []

    for await (const state of tokens.shops()) seen.push(state.shop)

    expect(seen).toEqual([shop])
  })

  it('has no tokens of a merchant who is there, and none with more scopes', async () => {
    const app = await managedApp()
    await app.seed()
    const reader = aReader(app)
    const idToken = app.shopify.sessionToken(shop)

    await expect(reader.tokens.token(shop, { idToken, scopes: ['write_products'] })).rejects.toMatchObject({
      ...{ code: 'ERR_SCOPE_MISSING', missing: ['write_products'] },
    })
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('has no tokens of an app that asks with its own credentials, but those that another process has brought', async () => {
    const app = await managedApp({ grant: 'client-credentials' })
    app.shopify.installShop(shop)
    const reader = aReader(app)
    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED' })

    const { value } = await app.tokens.token(shop)

    expect((await reader.tokens.token(shop)).value).toBe(value)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('leaves a token that Shopify takes no longer, because it never expires, to be migrated elsewhere', async () => {
    const app = await managedApp()
    const accessToken = app.shopify.mintNonExpiring(shop)
    await app.put(aRecord.nonExpiring({ accessToken }))
    const reader = aReader(app)

    const { value } = await reader.tokens.token(shop, { rejected: accessToken, rejectedAs: 'non-expiring' })

    expect(value).toBe(accessToken)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('is told of a refused token by every one of its clients, and calls Shopify for none', async () => {
    const app = await managedApp()
    const { accessToken } = await app.seed()
    const reader = aReader(app)
    app.shopify.revokeToken(shop, accessToken)

    const { status } = await reader.tokens.forShop(shop).fetch('/admin/api/2026-10/shop.json')

    expect(status).toBe(401)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('waits shorter than a lease lasts, or is not built', async () => {
    const app = await managedApp()

    expect(() => aReader(app, { waitMs: 15_000 })).toThrow(/waitMs.*leaseMs/)
    expect(() => app.anotherProcess({ waitMs: 15_000 })).not.toThrow()
  })

  it.each(['never ', 'none', null, true])('is not called %p', async (renewal) => {
    const app = await managedApp()

    expect(() => app.anotherProcess({ renewal: renewal as never })).toThrow(/^Option renewal must be one of 'hybrid'/)
  })
})

describe('the word of an uninstall', () => {
  it('has a process that only reads remove the tokens of the shop', async () => {
    const app = await managedApp()
    await app.seed({ confirmedAt: app.clock.now() - HOUR_MS })
    const reader = aReader(app)

    expect(await received(reader.tokens, app.shopify.webhook('app/uninstalled', shop))).toMatchObject({ status: 200 })

    expect(await app.record()).toMatchObject({ kind: 'removed' })
    expect(reader.tokenCalls()).toBe(0)
  })

  it('that only Shopify could confirm has it keep them, for the next renewal to find out', async () => {
    const app = await managedApp()
    await app.seed({ confirmedAt: app.clock.now() })
    const reader = aReader(app)
    app.shopify.uninstall(shop)
    const before = await app.store.get(KEY)

    expect(await received(reader.tokens, app.shopify.webhook('app/uninstalled', shop))).toMatchObject({ status: 200 })

    expect(await app.store.get(KEY)).toEqual(before)
    expect(deedsOf(reader)).toEqual(NOTHING_DONE)
  })

  it('may be given by hand', async () => {
    const app = await managedApp()
    await app.seed()
    const reader = aReader(app)
    await reader.tokens.token(shop)

    expect(await reader.tokens.remove(shop)).toBe(true)
    await expect(reader.tokens.token(shop)).rejects.toMatchObject({ reason: 'removed' })
  })
})

it('the word of other scopes is done with where nothing is renewed: the next renewal brings them', async () => {
  const app = await managedApp()
  await app.seed()
  const reader = aReader(app)
  const payload = { current: ['read_products', 'write_orders'] }

  expect(await received(reader.tokens, app.shopify.webhook('app/scopes_update', shop, { payload }))).toMatchObject({
    ...{ status: 200 },
  })
  expect(deedsOf(reader)).toEqual(NOTHING_DONE)
})
