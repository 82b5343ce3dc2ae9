import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { FakeClock } from '../../packages/testing/src/fake-clock.js'
import { connectFakeShopify } from '../../packages/testing/src/fake-shopify/connect.js'
import { FakeShopify } from '../../packages/testing/src/fake-shopify/fake-shopify.js'
import { readBody } from '../../packages/testing/src/fake-shopify/loopback-server.js'
import { APP, SHOP } from './fake-shopify-client.js'

const clock = new FakeClock()
let shopify: FakeShopify

beforeEach(async () => {
  shopify = await FakeShopify.start({ ...APP, clientSecret: ['older', 'newer'], clock })
})
afterEach(async () => {
  await shopify.close()
})

const signature = (body: string, secret: string): string => createHmac('sha256', secret).update(body).digest('base64')

describe('a webhook', () => {
  it('carries the headers of Shopify and is signed with the oldest secret', () => {
    const { headers, body } = shopify.webhook('app/uninstalled', SHOP)
    expect(headers).toEqual({
      'content-type': 'application/json',
      'user-agent': 'Shopify-Captain-Hook',
      'x-shopify-topic': 'app/uninstalled',
      'x-shopify-hmac-sha256': signature(body, 'older'),
      'x-shopify-shop-domain': SHOP,
      'x-shopify-api-version': '2026-10',
      'x-shopify-webhook-id': expect.any(String) as string,
      'x-shopify-event-id': expect.any(String) as string,
      'x-shopify-triggered-at': new Date(clock.now()).toISOString(),
    })
  })

  it('is signed with the secret that is named, whatever its state', () => {
    const { headers, body } = shopify.webhook('app/uninstalled', SHOP, { secret: 'newer' })
    expect(headers['x-shopify-hmac-sha256']).toBe(signature(body, 'newer'))
    shopify.revokeClientSecret('older')
    expect(shopify.webhook('a/b', SHOP).headers['x-shopify-hmac-sha256']).toBe(signature('{"id":1}', 'newer'))
  })

  it.each([
    ['prefixed', ['x-shopify-topic']],
    ['unprefixed', ['shopify-topic']],
    ['both', ['x-shopify-topic', 'shopify-topic']],
  ] as const)('has the %s headers', (headers, names) => {
    const sent = Object.keys(shopify.webhook('orders/create', SHOP, { headers }).headers)
    expect(sent.filter((name) => name.endsWith('-topic'))).toEqual(names)
  })

  it('can be another moment, or say nothing of it, and keeps the id that it is given', () => {
    const triggeredAt = Date.UTC(2026, 0, 2)
    const { headers } = shopify.webhook('app/uninstalled', SHOP, { triggeredAt, webhookId: 'w1' })
    expect(headers).toMatchObject({
      'x-shopify-triggered-at': '2026-01-02T00:00:00.000Z',
      'x-shopify-webhook-id': 'w1',
    })
    expect(shopify.webhook('app/uninstalled', SHOP, { triggeredAt: null }).headers).not.toHaveProperty(
      'x-shopify-triggered-at',
    )
  })

  it.each([
    ['app/uninstalled', { myshopify_domain: SHOP }],
    ['shop/redact', { shop_domain: SHOP }],
    ['customers/redact', { shop_domain: SHOP, orders_to_redact: [] }],
    ['customers/data_request', { shop_domain: SHOP, data_request: { id: 1 } }],
    ['app/scopes_update', { previous: ['read_orders'], current: ['read_orders'] }],
    ['orders/create', { id: 1 }],
  ])('says of %s what Shopify says', (topic, payload) => {
    shopify.installShop(SHOP, { scopes: ['read_orders'] })
    expect(JSON.parse(shopify.webhook(topic, SHOP).body)).toMatchObject(payload)
  })

  it('says what it is told to', () => {
    expect(shopify.webhook('app/scopes_update', SHOP, { payload: ['é'] }).body).toBe('["é"]')
    expect(() => shopify.webhook('app/uninstalled', 'example.com')).toThrow(TypeError)
  })
})

describe('deliverWebhook()', () => {
  type Answer = number | 'cut' | 'none'

  /** An app that answers one delivery after the other as it is told. */
  async function withApp(answers: Answer[], use: (url: string) => Promise<unknown>): Promise<string[]> {
    const received: string[] = []
    const app = createServer((request, response) => {
      void readBody(request).then((body) => {
        const id = String(request.headers['x-shopify-webhook-id'])
        const genuine = request.headers['x-shopify-hmac-sha256'] === signature(body, 'older')
        received.push(`${request.method ?? ''} ${id} ${genuine ? 'genuine' : 'forged'}`)
        const answer = answers.shift()
        if (answer === 'cut') response.destroy()
        else if (typeof answer === 'number') response.writeHead(answer, { location: '/elsewhere' }).end()
      })
    })
    await new Promise<void>((resolve) => app.listen(0, '127.0.0.1', resolve))
    try {
      await use(`http://127.0.0.1:${String((app.address() as AddressInfo).port)}/webhooks`)
    } finally {
      app.closeAllConnections()
      await new Promise((resolve) => app.close(resolve))
    }
    return received
  }

  it('posts once, whatever comes back', async () => {
    const received = await withApp([500], async (url) => {
      const options = { webhookId: 'w1', payload: 'ü' }
      expect(await shopify.deliverWebhook(url, 'app/uninstalled', SHOP, options)).toEqual([500])
    })
    expect(received).toEqual(['POST w1 genuine'])
  })

  it('posts the same again until it succeeds, when it is to, and follows no redirect', async () => {
    const received = await withApp([307, 'cut', 204, 200], async (url) => {
      const options = { webhookId: 'w1', retries: 8 }
      expect(await shopify.deliverWebhook(url, 'app/uninstalled', SHOP, options)).toEqual([307, null, 204])
    })
    expect(received).toEqual(Array(3).fill('POST w1 genuine'))
  })

  it('gives up after as many retries as it was told', async () => {
    const received = await withApp([503, 503, 503], async (url) => {
      expect(await shopify.deliverWebhook(url, 'app/uninstalled', SHOP, { retries: 1 })).toEqual([503, 503])
    })
    expect(received).toHaveLength(2)
  })

  it('waits no longer than it is told', async () => {
    await withApp(['none'], async (url) => {
      expect(await shopify.deliverWebhook(url, 'app/uninstalled', SHOP, { timeoutMs: 20 })).toEqual([null])
    })
  })

  it('works from another process', async () => {
    const remote = connectFakeShopify(shopify.url)
    const received = await withApp([200], async (url) => {
      expect(await remote.deliverWebhook(url, 'shop/redact', SHOP, { webhookId: 'w1' })).toEqual([200])
    })
    expect(received).toEqual(['POST w1 genuine'])
    expect((await remote.webhook('shop/redact', SHOP, { webhookId: 'w2' })).headers['x-shopify-webhook-id']).toBe('w2')
  })

  it('rejects what is no address', async () => {
    await expect(shopify.deliverWebhook('/webhooks', 'shop/redact', SHOP)).rejects.toThrow('Invalid URL')
  })
})
