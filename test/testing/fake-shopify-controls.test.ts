import { createServer, request as httpRequest } from 'node:http'
import type { AddressInfo } from 'node:net'
import { isLoopbackHost } from '../../packages/testing/src/fake-shopify/addresses.js'
import type { RemoteFakeShopify } from '../../packages/testing/src/fake-shopify/connect.js'
import { connectFakeShopify } from '../../packages/testing/src/fake-shopify/connect.js'
import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'
import { fingerprint } from '../../packages/testing/src/fake-shopify/request-log.js'
import { fakeShopifyFetch } from '../../packages/testing/src/fake-shopify/route-fetch.js'
import { admin, APP, byIdToken, byRefresh, CLIENT, failure, SHOP, token } from './fake-shopify-client.js'

const OTHER = 'b.myshopify.com'
let shopify: FakeShopify

beforeEach(async () => {
  shopify = await FakeShopify.start({ ...APP })
})
afterEach(async () => {
  await shopify.close()
})

/** Lets everything that can go on go on. */
async function quiet(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve))
}

/** Resolves when the fake has seen what happened to its connections before: a request of our own comes after it. */
async function roundTrip(): Promise<void> {
  await admin(shopify, 'shpat_never', { shop: 'z.myshopify.com' })
}

describe('a hold', () => {
  it('stops matching requests before Shopify acts and lets them go together', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const held = shopify.hold('token', { shop: SHOP, grant: 'refresh' })
    const calls = [token(shopify, byRefresh(refreshToken)), token(shopify, byRefresh(refreshToken))]
    await held.arrived(2)
    expect(shopify.counters(SHOP)).toMatchObject({ tokenCalls: 2, pairsMinted: 1 })
    held.release()
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200])
    expect((await token(shopify, byRefresh(refreshToken))).status).toBe(200)
    expect(held.count).toBe(2)
  })

  it('lets other shops, other grants and the other half pass', async () => {
    const mine = shopify.mintPair(SHOP)
    const other = shopify.mintPair(OTHER)
    const byGrant = shopify.hold('token', { shop: SHOP, grant: 'id-token' })
    expect((await token(shopify, byRefresh(mine.refreshToken))).status).toBe(200)
    const byShop = shopify.hold('token', { shop: SHOP })
    expect((await token(shopify, byRefresh(other.refreshToken), { shop: OTHER })).status).toBe(200)
    expect((await admin(shopify, mine.accessToken)).status).toBe(200)
    expect([byGrant.count, byShop.count]).toEqual([0, 0])
  })

  it('stops the answer after Shopify has acted', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const held = shopify.hold('token', { at: 'answer' })
    const call = token(shopify, byRefresh(refreshToken))
    await held.arrived()
    expect(shopify.counters(SHOP).pairsMinted).toBe(2)
    held.release()
    expect((await call).status).toBe(200)
  })

  it('lets Shopify act after the release though the client has given up', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    const held = shopify.hold('token')
    const patience = new AbortController()
    const call = failure(token(shopify, byRefresh(refreshToken), { signal: patience.signal }))
    await held.arrived()
    patience.abort()
    expect(await call).toBe('AbortError')
    await roundTrip()
    held.release()
    await quiet()
    expect(shopify.counters(SHOP).pairsMinted).toBe(2)
    const [entry] = shopify.log(SHOP)
    expect(entry).toMatchObject({ outcome: 'granted' })
    expect(entry).not.toHaveProperty('status')
  })

  it('holds the Admin API as well', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    const held = shopify.hold('admin')
    const call = admin(shopify, accessToken)
    await held.arrived()
    held.release()
    expect((await call).status).toBe(200)
  })
})

describe('a barrier', () => {
  it('lets requests go together when the last of them has arrived', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    const barrier = shopify.barrier(10, 'admin', { shop: SHOP })
    const calls = Array.from({ length: 9 }, () => admin(shopify, accessToken))
    await barrier.arrived(9)
    expect(shopify.counters(SHOP).adminCallsByStatus).toEqual({})
    calls.push(admin(shopify, accessToken))
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect((await admin(shopify, accessToken)).status).toBe(200)
  })
})

describe('counters and log', () => {
  it('count each shop for itself and all together', async () => {
    const mine = shopify.mintPair(SHOP)
    const other = shopify.mintPair(OTHER)
    await token(shopify, byRefresh(mine.refreshToken))
    await token(shopify, byRefresh(mine.refreshToken))
    await token(shopify, byRefresh('shprt_never'))
    await token(shopify, byRefresh(other.refreshToken), { shop: OTHER })
    await admin(shopify, mine.accessToken)
    await admin(shopify, 'shpat_never')
    expect(shopify.counters(SHOP)).toMatchObject({
      tokenCalls: 3,
      pairsMinted: 2,
      retiredTokensPresented: 0,
      adminCalls: 2,
      adminCallsByStatus: { 200: 1, 401: 1 },
    })
    expect(shopify.counters(SHOP).tokenCallsByGrant.refresh).toEqual({
      granted: 1,
      replayed: 1,
      refused: 1,
      unprocessed: 0,
    })
    expect(shopify.counters()).toMatchObject({ tokenCalls: 4, pairsMinted: 4, adminCalls: 2 })
    expect(shopify.counters('c.myshopify.com').tokenCalls).toBe(0)
  })

  it('count retired tokens presented, with the reason in the log', async () => {
    const first = shopify.mintPair(SHOP)
    shopify.mintPair(SHOP)
    await token(shopify, byRefresh(first.refreshToken))
    expect(shopify.counters(SHOP).retiredTokensPresented).toBe(1)
    expect(shopify.log(SHOP)).toMatchObject([
      { grant: 'refresh', outcome: 'refused', error: 'invalid_request', reason: 'acquisition', status: 401 },
    ])
  })

  it('hold no secret, only fingerprints', async () => {
    const { refreshToken, accessToken } = shopify.mintPair(SHOP)
    const { body } = await token(shopify, byRefresh(refreshToken))
    const idToken = shopify.sessionToken(SHOP)
    await token(shopify, byIdToken(idToken))
    await admin(shopify, accessToken, { path: '/admin/api/2026-10/graphql.json?id_token=secret-query' })
    const printed = JSON.stringify([shopify.log(), shopify.counters()])
    const secrets = [refreshToken, accessToken, idToken, CLIENT.client_secret, 'secret-query']
    for (const secret of [...secrets, String(body?.access_token), String(body?.refresh_token)]) {
      expect(printed).not.toContain(secret)
    }
    expect(shopify.log(SHOP).map(({ presented }) => presented)).toEqual(
      [refreshToken, idToken, accessToken].map(fingerprint),
    )
  })

  it('name parameters that the grant does not have', async () => {
    const { refreshToken } = shopify.mintPair(SHOP)
    expect((await token(shopify, { ...byRefresh(refreshToken), expiring: '1' })).status).toBe(200)
    expect(shopify.log(SHOP)).toMatchObject([{ unexpectedParameters: ['expiring'] }])
  })

  it('keep the newest entries within the limit and count all', async () => {
    await shopify.close()
    shopify = await FakeShopify.start({ ...APP, logLimit: 3 })
    for (let call = 0; call < 8; call += 1) await admin(shopify, 'shpat_never')
    expect(shopify.log().map(({ sequence }) => sequence)).toEqual([6, 7, 8])
    expect(shopify.counters().adminCalls).toBe(8)
    shopify.resetCounters()
    expect(shopify.counters().adminCalls).toBe(0)
    expect(shopify.log()).toEqual([])
  })

  it('are copies', async () => {
    await admin(shopify, 'shpat_never')
    shopify.counters(SHOP).adminCalls = 99
    shopify.log()[0]!.outcome = 'granted'
    expect(shopify.counters(SHOP).adminCalls).toBe(1)
    expect(shopify.log()).toMatchObject([{ outcome: 'answered' }])
  })
})

describe('the routed fetch', () => {
  it.each([
    'https://example.com/admin/oauth/access_token',
    'https://a.myshopify.com.evil.com/',
    'https://myshopify.com/',
    'https://a.b.myshopify.com/',
    'http://a.myshopify.com/',
    'https://a.myshopify.com:8443/',
    'https://a.myshopify.com./',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'http://10.0.0.1/',
    'http://0.0.0.0/',
    'http://[::2]/',
  ])('rejects %s as DNS does for an unknown name', async (address) => {
    const refused = shopify.fetch(address)
    await expect(refused).rejects.toThrow(TypeError)
    expect(await failure(shopify.fetch(address))).toBe('ENOTFOUND')
    expect(shopify.log()).toEqual([])
  })

  it('lets calls of this machine through, whatever their form', async () => {
    const own = createServer((message, response) => {
      message.pipe(response.setHeader('x-method', message.method ?? ''))
    })
    await new Promise<void>((resolve) => own.listen(0, resolve))
    const { port } = own.address() as AddressInfo
    const init = { method: 'POST', body: 'own' }
    try {
      for (const host of ['127.0.0.1', '127.1', '127.8.8.8', 'localhost', 'LOCALHOST']) {
        const answer = await shopify.fetch(`http://${host}:${port}/`, init)
        expect([answer.headers.get('x-method'), await answer.text()]).toEqual(['POST', 'own'])
      }
      const answer = await shopify.fetch(new Request(`http://127.0.0.1:${port}/`, init), { headers: { 'x-a': 'b' } })
      expect(await answer.text()).toBe('own')
    } finally {
      own.close()
      own.closeAllConnections()
    }
    expect(shopify.log()).toEqual([])
    expect(isLoopbackHost(new URL('http://[0:0::1]:80/').hostname)).toBe(true)
  })

  it('fails like the global one when nothing listens on this machine', async () => {
    await shopify.goOffline()
    expect(await failure(shopify.fetch(shopify.url))).toBe('ECONNREFUSED')
  })

  it('takes a URL and a Request like the global one', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    const address = `https://${SHOP}/admin/api/2026-10/graphql.json`
    const init = { method: 'POST', headers: { 'x-shopify-access-token': accessToken }, body: '{"query":"{}"}' }
    expect((await shopify.fetch(new URL(address), init)).status).toBe(200)
    expect((await shopify.fetch(new Request(address, init))).status).toBe(200)
    expect((await shopify.fetch(new Request(address, init), { headers: {} })).status).toBe(401)
    expect(shopify.log().map(({ method }) => method)).toEqual(['POST', 'POST', 'POST'])
  })

  it('can be made from the address alone', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    expect((await admin({ fetch: fakeShopifyFetch(shopify.url) }, accessToken)).status).toBe(200)
  })

  describe("in the global one's place", () => {
    const { fetch: real } = globalThis
    afterEach(() => {
      globalThis.fetch = real
    })

    it('sends with the real one, for this fake, for its controls and for fakes made later', async () => {
      globalThis.fetch = shopify.fetch
      const { accessToken } = shopify.mintPair(SHOP)
      const later = await FakeShopify.start({ ...APP })
      const remote = connectFakeShopify(later.url)

      expect((await admin({ fetch: globalThis.fetch }, accessToken)).status).toBe(200)
      globalThis.fetch = later.fetch
      const pair = await remote.mintPair(SHOP)
      expect((await admin({ fetch: globalThis.fetch }, pair.accessToken)).status).toBe(200)
      expect((await admin(remote, pair.accessToken)).status).toBe(200)
      await later.close()
    })

    it('made from the address alone, sends with the real one too', async () => {
      const { accessToken } = shopify.mintPair(SHOP)

      globalThis.fetch = fakeShopifyFetch(shopify.url)

      expect((await admin({ fetch: globalThis.fetch }, accessToken)).status).toBe(200)
    })
  })

  it('rejects at once when the signal is already aborted', async () => {
    expect(await failure(shopify.fetch(`https://${SHOP}/admin/x`, { signal: AbortSignal.abort() }))).toBe('AbortError')
  })
})

describe('the Host header', () => {
  const visit = async (headers: Record<string, string>, path: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      httpRequest(shopify.url + path, { headers }, (response) => {
        response.resume()
        resolve(response.statusCode)
      })
        .on('error', reject)
        .end()
    })

  it('names the shop when a resolver maps shops to the loopback address', async () => {
    const { accessToken } = shopify.mintPair(SHOP)
    const headers = { host: `${SHOP}:8080`, 'x-shopify-access-token': accessToken }
    expect(await visit(headers, '/admin/api/2026-10/shop.json')).toBe(200)
  })

  it('gets 404 for no shop, and for a shop outside /admin', async () => {
    expect(await visit({}, '/admin/api/2026-10/shop.json')).toBe(404)
    expect(await visit({ host: 'evil.com' }, '/admin/api/2026-10/shop.json')).toBe(404)
    expect(await visit({ host: SHOP }, '/products')).toBe(404)
    expect(shopify.log()).toEqual([])
  })
})

describe('the controls from another process', () => {
  let remote: RemoteFakeShopify

  beforeEach(() => {
    remote = connectFakeShopify(shopify.url)
  })

  it('mint, install, uninstall and count as here', async () => {
    await remote.installShop(SHOP, { scopes: ['read_orders'] })
    const pair = await remote.mintPair(SHOP)
    expect(pair.scopes).toEqual(['read_orders'])
    expect((await token(remote, byRefresh(pair.refreshToken))).status).toBe(200)
    expect((await token(remote, byIdToken(await remote.sessionToken(SHOP)))).status).toBe(200)
    expect(await remote.counters(SHOP)).toEqual(shopify.counters(SHOP))
    expect(await remote.log(SHOP)).toEqual(shopify.log(SHOP))
    expect(await remote.hasLiveCredential(SHOP, [pair.refreshToken])).toBe(false)
    await remote.uninstall(SHOP)
    expect(await remote.accessTokenState(SHOP, pair.accessToken)).toBe('revoked')
  })

  it('switch rotation and secrets', async () => {
    await remote.configure({ grace: 'none' })
    const { refreshToken } = await remote.mintPair(SHOP)
    await token(remote, byRefresh(refreshToken))
    expect((await token(remote, byRefresh(refreshToken))).status).toBe(401)
    await remote.revokeClientSecret(CLIENT.client_secret)
    expect((await token(remote, byRefresh(refreshToken))).body).toMatchObject({ error: 'invalid_client' })
  })

  it('hold and release', async () => {
    const { accessToken } = await remote.mintPair(SHOP)
    const held = await remote.hold('admin', { shop: SHOP })
    const call = admin(remote, accessToken)
    await held.arrived()
    expect(await held.count()).toBe(1)
    await held.release()
    expect((await call).status).toBe(200)
    const barrier = await remote.barrier(2, 'admin')
    const both = [admin(remote, accessToken), admin(remote, accessToken)]
    await barrier.arrived(2)
    expect((await Promise.all(both)).map(({ status }) => status)).toEqual([200, 200])
  })

  it('script faults, unlimited ones too, and deliver late requests', async () => {
    const { refreshToken } = await remote.mintPair(SHOP)
    const outage = await remote.faults.next('*', { kind: 'html', when: 'before' }, { times: Infinity })
    await token(remote, byRefresh(refreshToken))
    await token(remote, byRefresh(refreshToken))
    expect(await outage.struck()).toBe(2)
    await outage.cancel()
    const late = await remote.faults.next(SHOP, { kind: 'late' })
    expect(await failure(token(remote, byRefresh(refreshToken)))).toBe('ECONNRESET')
    await late.untilStruck()
    await late.release()
    expect((await remote.counters(SHOP)).pairsMinted).toBe(2)
    await remote.faults.next(SHOP, { kind: 'html', when: 'before' })
    await remote.faults.clear()
    expect((await token(remote, byRefresh(refreshToken))).status).toBe(200)
  })

  it('refuse with the message of the fake', async () => {
    await expect(remote.mintPair('evil.com')).rejects.toThrow('shop must be a lower-case')
    const unknown = await fetch(`${shopify.url}/__fake/close`, { method: 'POST', body: '[]' })
    expect(unknown.status).toBe(400)
  })
})
