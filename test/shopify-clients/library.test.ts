import { setAbstractFetchFunc } from '@shopify/shopify-api/runtime'
import { adminFetch } from '@shopify-tokens/core'
import { closeAll, HOUR_MS, managedApp, shop, someShops } from '../core/managed-app.js'
import { aLibrary, giveBackFetch, sessionOf } from './clients.js'

afterEach(async () => {
  giveBackFetch()
  await closeAll()
})

describe("Shopify's library over one fetch", () => {
  it('serves many shops at once, each with its own tokens', async () => {
    const { clock, seed, shopify, tokens } = await managedApp()
    const shops = someShops(10)
    await Promise.all(shops.map((each) => seed({ shop: each })))
    setAbstractFetchFunc(adminFetch(tokens))
    const { clients } = aLibrary()
    const kept = shops.map((each) => new clients.Graphql({ session: sessionOf(each) }))

    for (let round = 0; round < 3; round++) {
      await Promise.all(kept.map((client) => client.request('{ shop { name } }')))
      await clock.advance(HOUR_MS)
    }

    for (const each of shops) {
      const { adminCallsByStatus, tokenCalls } = shopify.counters(each)
      expect([adminCallsByStatus, tokenCalls]).toEqual([{ 200: 3 }, 2])
    }
  })

  it('keeps the fetch that it had when a client was built: it is to be set before', async () => {
    const { seed, shopify, tokens } = await managedApp()
    await seed()
    setAbstractFetchFunc(shopify.fetch)
    const { clients } = aLibrary()
    const early = new clients.Graphql({ session: sessionOf(shop) })
    setAbstractFetchFunc(adminFetch(tokens))
    const late = new clients.Graphql({ session: sessionOf(shop) })

    await expect(early.request('{ shop { name } }')).rejects.toMatchObject({ response: { code: 401 } })
    await expect(late.request('{ shop { name } }')).resolves.toHaveProperty('data')
  })

  it('logs its requests without our tokens, which are put in behind it', async () => {
    const { seed, tokens } = await managedApp()
    const { accessToken } = await seed()
    const logged: string[] = []
    setAbstractFetchFunc(adminFetch(tokens))
    const { clients } = aLibrary(logged)

    await new clients.Graphql({ session: sessionOf(shop) }).request('{ shop { name } }')

    expect(logged.join('\n')).toContain('Received response for HTTP request')
    expect(logged.join('\n')).not.toContain(accessToken)
  })

  it('reaches the token endpoint as ever, with no access token of ours', async () => {
    const { record, seed, shopify, tokenCalls, tokens } = await managedApp()
    const { refreshToken } = await seed()
    const ask = jest.spyOn(tokens, 'token')
    setAbstractFetchFunc(adminFetch(tokens, { fetch: shopify.fetch }))

    const { session } = await aLibrary().auth.refreshToken({ shop, refreshToken })

    expect(session.accessToken).toBeDefined()
    expect(tokenCalls()).toBe(1)
    expect(ask).not.toHaveBeenCalled()
    // And the manager knows nothing of that pair: two that renew one shop end each other's tokens.
    expect(await record()).toMatchObject({ refreshToken })
  })
})
