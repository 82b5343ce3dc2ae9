import { Readable } from 'node:stream'
import { createShopClient, currentAccess, currentShop, parseShop } from '@shopify-tokens/core'
import { closeAll, HOUR_MS, managedApp, shop, someShops } from './managed-app.js'

// A shop's client in a job: over the manager, for as long as the job lasts.

const PATH = '/admin/api/2026-10/shop.json'

afterEach(closeAll)

describe('a client that is kept', () => {
  it('works for a week, with one renewal for each end of a token and no failed call', async () => {
    const { clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    const client = tokens.forShop(shop)

    for (let call = 0; call < 7 * 24; call++) {
      expect((await client.fetch(PATH)).status).toBe(200)
      await clock.advance(HOUR_MS)
    }

    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 7 * 24 })
    expect(tokenCalls()).toBe(7 * 24 - 1)
  })

  it('has a new token after another process has renewed, and none of its calls fails', async () => {
    const { anotherProcess, clock, seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    const client = tokens.forShop(shop)
    await client.fetch(PATH)

    await anotherProcess().force(shop)
    await clock.advance(HOUR_MS / 2)
    const { value } = await client.accessToken()

    expect(shopify.accessTokenState(shop, value)).toBe('live')
    expect((await client.fetch(PATH)).status).toBe(200)
    expect(tokenCalls()).toBe(1)
  })

  it('renews once when a hundred of its calls are refused at once, and repeats each of them', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    const { accessToken } = await seed()
    const client = tokens.forShop(shop)
    shopify.revokeToken(shop, accessToken)
    shopify.barrier(100, 'admin')

    const answers = await Promise.all(Array.from({ length: 100 }, () => client.fetch(PATH)))

    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]))
    expect(shopify.counters(shop).adminCallsByStatus).toEqual({ 200: 100, 401: 100 })
    expect(tokenCalls()).toBe(1)
  })

  it('does not send a stream twice; the call after it has the new token', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed()
    const client = tokens.forShop(shop)
    shopify.faults.next(shop, { kind: 'status', status: 401 }, { endpoint: 'admin' })
    const upload = (): RequestInit => ({
      method: 'POST',
      body: Readable.from([Buffer.from('{"a":1}')]),
      duplex: 'half',
    })

    expect((await client.fetch(PATH, upload())).status).toBe(401)
    expect((await client.fetch(PATH, upload())).status).toBe(200)

    expect(shopify.counters(shop).adminCalls).toBe(2)
    expect(tokenCalls()).toBe(1)
  })

  it('rejects with where to send the merchant when the app was uninstalled in the middle', async () => {
    const { clock, seed, shopify, tokens } = await managedApp()
    await seed()
    const client = tokens.forShop(shop)
    await client.fetch(PATH)

    shopify.uninstall(shop)
    await clock.advance(HOUR_MS)

    await expect(client.fetch(PATH)).rejects.toMatchObject({
      code: 'ERR_REAUTHORIZATION_REQUIRED',
      shop,
      url: expect.stringContaining('acme') as string,
    })
  })

  it('stops to wait when its signal aborts, and leaves the renewal to the others', async () => {
    const { seed, shopify, tokenCalls, tokens } = await managedApp()
    await seed({ ageMs: 2 * HOUR_MS })
    const hold = shopify.hold('token', { shop })
    const controller = new AbortController()
    const given = tokens.forShop(shop).fetch(PATH, { signal: controller.signal })
    const other = tokens.forShop(shop).fetch(PATH)
    await hold.arrived()

    controller.abort('drained')

    await expect(given).rejects.toBe('drained')
    hold.release()
    expect((await other).status).toBe(200)
    expect(tokenCalls()).toBe(1)
  })
})

describe('work that runs in a shop', () => {
  it('finds its own shop in nested code, however many run at one time', async () => {
    const { seed, shopify, tokens } = await managedApp()
    const shops = someShops(20)
    await Promise.all(shops.map((each) => seed({ shop: each })))
    const nested = async (): Promise<string> => {
      await currentShop().fetch(PATH)
      return currentShop().shop
    }

    const found = await Promise.all(shops.map((each) => tokens.forShop(each).run(nested)))

    expect(found).toEqual(shops)
    for (const each of shops) expect(shopify.counters(each).adminCallsByStatus).toEqual({ 200: 1 })
  })

  it('may turn to another shop in between, and is back afterwards', async () => {
    const { tokens } = await managedApp()
    const other = parseShop('other.myshopify.com')

    const seen = await tokens.forShop(shop).run(async () => {
      const first = currentShop().shop
      const second = await tokens.forShop(other).run(async () => currentShop().shop)
      return [first, second, currentShop().shop]
    })

    expect(seen).toEqual([shop, other, shop])
  })

  it('keeps its shop in what it leaves behind, and none is at hand outside', async () => {
    const { tokens } = await managedApp()
    let later: Promise<string> | undefined

    tokens.forShop(shop).run(() => {
      later = new Promise((resolve) =>
        setImmediate(() => {
          resolve(currentShop().shop)
        }),
      )
    })

    expect(() => currentShop()).toThrow(expect.objectContaining({ code: 'ERR_NO_CONTEXT' }) as Error)
    expect(await later).toBe(shop)
  })

  it('has no request, though it was begun in one', () => {
    const client = createShopClient({ token: () => Promise.reject(new Error('no')) }, shop, {
      fetch: () => Promise.reject(new Error('no')),
      apiVersion: null,
    })

    expect(() => client.run(() => currentAccess())).toThrow(
      expect.objectContaining({ code: 'ERR_NO_CONTEXT' }) as Error,
    )
  })

  it('hands on what it throws', async () => {
    const { tokens } = await managedApp()
    const failure = new Error('the disk is full')

    await expect(tokens.forShop(shop).run(() => Promise.reject(failure))).rejects.toBe(failure)
  })
})
