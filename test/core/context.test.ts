import {
  AccessToken,
  createShopClient,
  currentAccess,
  currentShop,
  NoContextError,
  parseShop,
  RequestAccess,
  runInRequest,
  runInShop,
  type ShopClient,
  type TokenSource,
} from '@shopify-tokens/core'
import { aRecord } from '@shopify-tokens/testing'

const source: TokenSource = { token: async (shop) => new AccessToken(shop, aRecord.expiring()) }
const clientOf = (name: string): ShopClient =>
  createShopClient(source, parseShop(`${name}.myshopify.com`), { fetch, apiVersion: null })

describe('the shop of the work at hand', () => {
  it('is the one that the work runs in, and the answer is the answer of the work', () => {
    const client = clientOf('a')

    expect(runInShop(client, () => [currentShop(), 42])).toEqual([client, 42])
  })

  it('reaches through everything that is awaited', async () => {
    const shop = await runInShop(clientOf('a'), async () => {
      await Promise.resolve()
      await new Promise((resolve) => setImmediate(resolve))
      return currentShop().shop
    })

    expect(shop).toBe('a.myshopify.com')
  })

  it('is kept apart between pieces of work that run at the same time', async () => {
    const names = Array.from({ length: 20 }, (_, index) => `shop-${String(index)}`)

    const shops = await Promise.all(
      names.map((name) =>
        runInShop(clientOf(name), async () => {
          await new Promise((resolve) => setImmediate(resolve))
          return currentShop().shop
        }),
      ),
    )

    expect(shops).toEqual(names.map((name) => `${name}.myshopify.com`))
  })

  it('is the inner one in nested work, and the outer one behind it', () => {
    const shops = runInShop(clientOf('outer'), () => [
      runInShop(clientOf('inner'), () => currentShop().shop),
      currentShop().shop,
    ])

    expect(shops).toEqual(['inner.myshopify.com', 'outer.myshopify.com'])
  })

  it('is none outside', () => {
    runInShop(clientOf('a'), () => undefined)

    expect(() => currentShop()).toThrow(NoContextError)
  })

  it('passes on what the work throws', () => {
    expect(() =>
      runInShop(clientOf('a'), () => {
        throw new RangeError('of the work')
      }),
    ).toThrow('of the work')
  })
})

describe('the request at hand', () => {
  const accessOf = (name: string): RequestAccess => new RequestAccess(clientOf(name), null, null)

  it('is the one that the work runs in, with its shop, through everything that is awaited', async () => {
    const access = accessOf('a')

    const found = await runInRequest(access, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      return [currentAccess(), currentShop()]
    })

    expect(found).toEqual([access, access.client])
  })

  it('is none inside work of a shop, which may be another, and the outer one behind it', () => {
    runInRequest(accessOf('a'), () => {
      clientOf('b').run(() => {
        expect(() => currentAccess()).toThrow(NoContextError)
      })
      expect(currentAccess().shop).toBe('a.myshopify.com')
    })
  })

  it('is none outside', () => {
    expect(() => currentAccess()).toThrow(/No request is bound/)
  })
})
