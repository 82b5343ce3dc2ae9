import { fingerprint } from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'
import { CLIENT_SECRET, closeAll, HOUR_MS, managedApp, shop } from '../core/managed-app.js'
import { CLIENTS, giveBackFetch } from './clients.js'

// Shopify's own clients, as they are published, with the manager's tokens in all that they send.

afterEach(async () => {
  giveBackFetch()
  await closeAll()
})

describe.each(CLIENTS)('$name', ({ build }) => {
  it('built once and kept for two days works past every end of a token', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    const call = build(tokens, shop)

    for (let hour = 0; hour < 48; hour++) {
      await clock.advance(HOUR_MS)
      expect(await call()).toEqual({ status: 200, message: null })
    }

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 48 })
    expect(tokenCalls()).toBe(48)
  })

  it('does not notice a token that is refused: it is renewed, and the call repeated, once', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed()
    const call = build(tokens, shop)
    expect((await call()).status).toBe(200)
    shopify.revokeToken(shop, accessToken)

    expect(await call()).toEqual({ status: 200, message: null })

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 2, 401: 1 })
    expect(tokenCalls()).toBe(1)
  })

  it('gets the 401 that no new token cures, and its retries cost no further renewal', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    const call = build(tokens, shop)
    shopify.faults.next(shop, { kind: 'status', status: 401 }, { endpoint: 'admin', times: Infinity })

    for (let n = 0; n < 5; n++) expect((await call(3)).status).toBe(401)

    expect(shopify.counters(shop).adminCalls).toBe(6)
    expect(tokenCalls()).toBe(1)
  })

  it('does not notice that Shopify takes expiring tokens only', async () => {
    const { put, record, shopify, tokenCalls, tokens } = await managedApp({
      shopifyOptions: { refuseNonExpiring: true },
    })
    shopify.installShop(shop)
    const accessToken = shopify.mintNonExpiring(shop)
    await put(aRecord.nonExpiring({ accessToken, secretId: fingerprint(CLIENT_SECRET) }))

    expect(await build(tokens, shop)()).toEqual({ status: 200, message: null })

    expect(await record()).toMatchObject({ kind: 'expiring' })
    expect(tokenCalls()).toBe(1)
  })

  it('gets any other 403 as it is', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    shopify.requireScope(shop, 'write_orders')

    expect((await build(tokens, shop)(3)).status).toBe(403)

    expect(shopify.counters(shop).adminCalls).toBe(1)
    expect(tokenCalls()).toBe(0)
  })

  it('tries again what is throttled, each time with the token at hand', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    // The clients wait for so many milliseconds, where Shopify means seconds.
    const throttled = { kind: 'throttled', retryAfter: 1 } as const
    shopify.faults.next(shop, throttled, { endpoint: 'admin', times: 2 })

    expect(await build(tokens, shop)(3)).toEqual({ status: 200, message: null })

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 1, 429: 2 })
    expect(tokenCalls()).toBe(0)
  })

  it('of a shop that needs its merchant sends nothing and says so; the manager says it with its code', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    shopify.uninstall(shop)
    await clock.advance(HOUR_MS)

    const { message, status } = await build(tokens, shop)(1)

    expect(status).toBeUndefined()
    expect(message).toContain('the merchant must open the app once')
    expect(shopify.counters(shop).adminCalls).toBe(0)
    expect(tokenCalls()).toBe(1)
    await expect(tokens.token(shop)).rejects.toMatchObject({ code: 'ERR_REAUTHORIZATION_REQUIRED', shop })
    expect(tokenCalls()).toBe(1)
  })
})
