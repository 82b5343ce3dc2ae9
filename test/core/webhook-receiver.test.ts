import { createHmac } from 'node:crypto'
import {
  type DeliveryLog,
  type HttpReply,
  InvalidOptionError,
  MAX_WEBHOOK_BYTES,
  StoreUnavailableError,
  type TokenManager,
  type WebhookDelivery,
  type WebhookOptions,
  WebhookReceiver,
  type WebhookRequest,
} from '@shopify-tokens/core'
import { aMark, fault } from '@shopify-tokens/testing'
import { CLIENT_ID, CLIENT_SECRET, closeAll, HOUR_MS, type ManagedApp, managedApp, shop } from './managed-app.js'
import { received, requestOf } from './received.js'

afterEach(closeAll)

const OTHER = 'other.myshopify.com'
const LEASE_MS = 120_000

interface ReceivingApp extends ManagedApp {
  readonly receiver: WebhookReceiver
  /** What the handler of `orders/create` was given. */
  readonly handled: WebhookDelivery[]
  readonly errors: unknown[]
  /** Everything that a webhook may cost: token calls, Admin calls, and calls of the store of tokens. */
  spent(): readonly number[]
}

async function receivingApp(
  options: Parameters<typeof managedApp>[0] = {},
  handlers: WebhookOptions['handlers'] = {},
): Promise<ReceivingApp> {
  const app = await managedApp(options)
  const handled: WebhookDelivery[] = []
  const errors: unknown[] = []
  const receiver = new WebhookReceiver(app.tokens, {
    handlers: { 'orders/create': (delivery) => handled.push(delivery), ...handlers },
    onError: (error) => errors.push(error),
  })
  const spent = (): readonly number[] => {
    const { tokenCalls, adminCalls } = app.shopify.counters()
    return [tokenCalls, adminCalls, app.store.calls.length]
  }
  return { ...app, receiver, handled, errors, spent }
}

/** A handler that goes on when the test says so. */
function heldHandler(): {
  readonly handler: () => Promise<void>
  readonly runs: () => number
  readonly go: () => void
} {
  let runs = 0
  let go = (): void => undefined
  const held = new Promise<void>((resolve) => (go = resolve))
  const handler = (): Promise<void> => {
    runs += 1
    return held
  }
  return { handler, runs: () => runs, go }
}

const codeOf = ({ body }: HttpReply): unknown => (body === '' ? null : (JSON.parse(body) as { code: unknown }).code)

describe('a webhook that Shopify has signed', () => {
  it('is given to the handler of its topic, with all that it says', async () => {
    const { receiver, shopify, handled, clock } = await receivingApp()
    const at = clock.now() - 1_234
    const webhook = shopify.webhook('orders/create', shop, { payload: { id: 7 }, triggeredAt: at, webhookId: 'id-1' })
    const request = requestOf(webhook)

    expect(await receiver.receive(request)).toEqual({
      status: 200,
      headers: { 'cache-control': 'no-store', 'content-type': 'text/plain' },
      body: '',
    })
    expect(handled).toEqual([
      {
        ...{ topic: 'orders/create', shop, shopIsSigned: false, id: 'id-1', triggeredAt: at, apiVersion: '2026-10' },
        eventId: webhook.headers['x-shopify-event-id'],
        ...{ payload: { id: 7 }, rawBody: request.rawBody },
      },
    ])
  })

  it.each(['prefixed', 'unprefixed', 'both'] as const)('may carry its headers %s', async (headers) => {
    const { receiver, shopify, handled } = await receivingApp()

    const { status } = await receiver.receive(requestOf(shopify.webhook('orders/create', shop, { headers })))

    expect(status).toBe(200)
    expect(handled).toEqual([expect.objectContaining({ topic: 'orders/create', shop })])
  })

  it.each(['new-secret', 'old-secret'])('may be signed with either of two client secrets: %s', async (secret) => {
    const { receiver, shopify, handled } = await receivingApp({
      clientSecret: 'new-secret',
      previousClientSecret: 'old-secret',
    })

    await receiver.receive(requestOf(shopify.webhook('orders/create', shop, { secret })))

    expect(handled).toHaveLength(1)
  })

  it.each([
    ['app/uninstalled', true],
    ['shop/update', true],
    ['shop/redact', true],
    ['customers/redact', true],
    ['customers/data_request', true],
    ['app/scopes_update', false],
    ['orders/create', false],
  ])('%s: the signed body names the shop: %s', async (topic, shopIsSigned) => {
    const seen: WebhookDelivery[] = []
    const { receiver, shopify } = await receivingApp({}, { [topic]: (delivery) => seen.push(delivery) })
    const payload = topic === 'shop/update' ? { payload: { myshopify_domain: shop } } : {}

    await receiver.receive(requestOf(shopify.webhook(topic, shop, payload)))

    expect(seen).toEqual([expect.objectContaining({ shop, shopIsSigned })])
  })

  it.each(['customer.tags_added', 'ProductVariant'])('may have a topic of another form: %s', async (topic) => {
    const handler = jest.fn()
    const { receiver, shopify } = await receivingApp({}, { [topic]: handler })

    await receiver.receive(requestOf(shopify.webhook(topic, shop, { headers: 'unprefixed' })))

    expect(handler).toHaveBeenCalledTimes(1)
  })

  it('needs no header for a shop that its body names', async () => {
    const { receiver, shopify } = await receivingApp()
    const request = requestOf(shopify.webhook('app/uninstalled', shop), { 'x-shopify-shop-domain': undefined })

    expect((await receiver.receive(request)).status).toBe(200)
  })

  it.each([
    ['no instant', { 'x-shopify-triggered-at': undefined }, undefined],
    ['an instant that is none', { 'x-shopify-triggered-at': 'yesterday' }, undefined],
    ['a day that does not exist', { 'x-shopify-triggered-at': '2026-02-33T00:00:00Z' }, undefined],
    ['an instant before 1970', { 'x-shopify-triggered-at': '1969-12-31T23:59:59Z' }, undefined],
    ['nanoseconds', { 'x-shopify-triggered-at': '2026-11-20T12:00:00.123456789Z' }, Date.UTC(2026, 10, 20, 12) + 123],
    ['another time zone', { 'x-shopify-triggered-at': '2026-11-20T12:00:00+02:00' }, Date.UTC(2026, 10, 20, 10)],
  ])('may tell %s', async (_what, changed, triggeredAt) => {
    const { receiver, shopify, handled } = await receivingApp()

    await receiver.receive(requestOf(shopify.webhook('orders/create', shop), changed))

    expect(handled).toEqual([expect.objectContaining({ triggeredAt })])
  })

  it('is acknowledged without a word to anybody when nobody handles its topic', async () => {
    const { receiver, shopify, tokens, spent } = await receivingApp()
    const begin = jest.spyOn(tokens.deliveries, 'begin')

    for (const topic of ['customers/redact', 'customers/data_request', 'products/update']) {
      expect((await receiver.receive(requestOf(shopify.webhook(topic, shop)))).status).toBe(200)
    }

    expect(begin).not.toHaveBeenCalled()
    expect(spent()).toEqual([0, 0, 0])
  })
})

describe('a webhook that proves nothing', () => {
  const refusals: readonly (readonly [
    what: string,
    status: number,
    flaw: string,
    (app: ReceivingApp) => WebhookRequest,
  ])[] = [
    ['another signature', 401, 'signature', (app) => sent(app, { 'x-shopify-hmac-sha256': 'AAAA' })],
    ['no signature', 401, 'signature', (app) => sent(app, { 'x-shopify-hmac-sha256': undefined })],
    ['another body', 401, 'signature', (app) => ({ ...sent(app), rawBody: Buffer.from('{"id":2}') })],
    ['an empty body', 401, 'signature', (app) => ({ ...sent(app), rawBody: Buffer.alloc(0) })],
    ['no body', 400, 'malformed', (app) => ({ ...sent(app), rawBody: undefined })],
    ['too large a body', 413, 'too-large', (app) => ({ ...sent(app), rawBody: Buffer.alloc(MAX_WEBHOOK_BYTES + 1) })],
    [
      'a secret of nobody',
      401,
      'signature',
      ({ shopify }) => requestOf(shopify.webhook('orders/create', shop, { secret: 'x' })),
    ],
    ['no topic', 400, 'headers', (app) => sent(app, { 'x-shopify-topic': undefined })],
    ['an empty topic', 400, 'headers', (app) => sent(app, { 'x-shopify-topic': '' })],
    [
      'a topic that came twice',
      400,
      'headers',
      (app) => sent(app, { 'x-shopify-topic': 'orders/create, orders/paid' }),
    ],
    ['a topic as GraphQL has it', 400, 'headers', (app) => sent(app, { 'x-shopify-topic': 'ORDERS_CREATE' })],
    ['an id that came twice', 400, 'headers', (app) => sent(app, { 'x-shopify-webhook-id': 'a, b' })],
    ['an endless id', 400, 'headers', (app) => sent(app, { 'x-shopify-webhook-id': 'x'.repeat(513) })],
    ['two topics', 400, 'headers', (app) => sent(app, { 'shopify-topic': 'orders/paid' })],
    ['two shops', 400, 'headers', (app) => sent(app, { 'shopify-shop-domain': OTHER })],
    ['an empty header beside a full one', 400, 'headers', (app) => sent(app, { 'shopify-topic': '' })],
    ['a list of headers', 400, 'headers', (app) => sent(app, { 'x-shopify-topic': ['orders/create'] as never })],
    ['no shop', 400, 'shop', (app) => sent(app, { 'x-shopify-shop-domain': undefined })],
    ['a shop that is none', 400, 'shop', (app) => sent(app, { 'x-shopify-shop-domain': 'acme.example.com' })],
    ['a body that is no JSON', 400, 'malformed', (app) => signed(app, 'orders/create', '<order/>')],
    ['a body in another encoding', 400, 'malformed', (app) => signed(app, 'orders/create', Buffer.from([34, 255, 34]))],
    [
      'another shop in the header',
      400,
      'shop',
      ({ shopify }) => requestOf(shopify.webhook('app/uninstalled', shop), { 'x-shopify-shop-domain': OTHER }),
    ],
    [
      'a header that is no shop',
      400,
      'shop',
      ({ shopify }) => requestOf(shopify.webhook('shop/redact', shop), { 'x-shopify-shop-domain': 'x' }),
    ],
    ['no shop in the body', 400, 'shop', (app) => signed(app, 'app/uninstalled', '{"id":1}')],
    [
      'an inherited shop in the body',
      400,
      'shop',
      (app) => signed(app, 'app/uninstalled', '{"__proto__":{"myshopify_domain":"acme.myshopify.com"}}'),
    ],
    ['a body that is a list', 400, 'shop', (app) => signed(app, 'shop/redact', '["acme.myshopify.com"]')],
    ['a body that is null', 400, 'shop', (app) => signed(app, 'shop/redact', 'null')],
  ]

  const sent = (
    { shopify }: ReceivingApp,
    changed: Readonly<Record<string, string | undefined>> = {},
  ): WebhookRequest => requestOf(shopify.webhook('orders/create', shop), changed)

  /** Whatever bytes, signed as Shopify signs. */
  const signed = ({ shopify }: ReceivingApp, topic: string, body: string | Buffer): WebhookRequest => {
    const hmac = createHmac('sha256', CLIENT_SECRET).update(body).digest('base64')
    const request = requestOf(shopify.webhook(topic, shop), { 'x-shopify-hmac-sha256': hmac })
    return { ...request, rawBody: Buffer.from(body) }
  }

  it.each(refusals)(
    'because of %s is answered with %i (%s), before anything else',
    async (_what, status, flaw, make) => {
      const handler = jest.fn()
      const app = await receivingApp({}, { 'orders/paid': handler, 'app/uninstalled': handler, 'shop/redact': handler })
      const begin = jest.spyOn(app.tokens.deliveries, 'begin')

      const reply = await app.receiver.receive(make(app))

      expect(reply).toMatchObject({ status, headers: { 'content-type': 'application/problem+json' } })
      expect(codeOf(reply)).toBe('ERR_INVALID_WEBHOOK')
      expect(app.eventsOf('webhook.refused')).toEqual([expect.objectContaining({ flaw })])
      expect(app.handled).toEqual([])
      expect(handler).not.toHaveBeenCalled()
      expect(begin).not.toHaveBeenCalled()
      expect(app.spent()).toEqual([0, 0, 0])
    },
  )
})

describe('before its handler', () => {
  it.each(['app/uninstalled', 'shop/redact', 'app/scopes_update', 'orders/paid'])(
    '%s costs no token call, no Admin call and no call of the token store, whatever the state of the tokens',
    async (topic) => {
      const spentBefore: unknown[] = []
      const app: ReceivingApp = await receivingApp({}, { [topic]: () => spentBefore.push(app.spent()) })
      const record = await app.seed({ ageMs: 2 * HOUR_MS })
      await app.put({ ...record, mark: aMark() })
      app.shopify.uninstall(shop)

      const { status } = await app.receiver.receive(requestOf(app.shopify.webhook(topic, shop)))

      expect(status).toBe(200)
      expect(spentBefore).toEqual([[0, 0, 0]])
    },
  )

  it('a webhook of a shop whose tokens are dead costs nothing at all, when it does not concern tokens', async () => {
    const app = await receivingApp()
    await app.seed({ ageMs: 2 * HOUR_MS })
    app.shopify.uninstall(shop)

    expect((await app.receiver.receive(requestOf(app.shopify.webhook('orders/create', shop)))).status).toBe(200)
    expect(app.handled).toHaveLength(1)
    expect(app.spent()).toEqual([0, 0, 0])
  })
})

describe('a webhook that comes again', () => {
  it('runs nothing once it is done, in whichever process', async () => {
    const app = await receivingApp()
    const webhook = app.shopify.webhook('orders/create', shop)
    const handler = jest.fn()

    await app.receiver.receive(requestOf(webhook))
    for (const tokens of [app.tokens, app.anotherProcess()]) {
      expect((await received(tokens, webhook, { 'orders/create': handler })).status).toBe(200)
    }

    expect(app.handled).toHaveLength(1)
    expect(handler).not.toHaveBeenCalled()
  })

  it('while it is being handled has to come back, and finds it done', async () => {
    const { handler, runs, go } = heldHandler()
    const app = await receivingApp({}, { 'orders/paid': handler })
    const request = requestOf(app.shopify.webhook('orders/paid', shop))

    const first = app.receiver.receive(request)
    const second = await app.receiver.receive(request)
    go()

    expect(second).toMatchObject({ status: 503, headers: { 'retry-after': '10' } })
    expect((await first).status).toBe(200)
    expect((await app.receiver.receive(request)).status).toBe(200)
    expect(runs()).toBe(1)
  })

  it('is run again after its handler has failed, and then not any more', async () => {
    let runs = 0
    const app = await receivingApp(
      {},
      {
        'orders/paid': () => {
          runs += 1
          if (runs === 1) throw new Error('planted: the queue is away')
        },
      },
    )
    const request = requestOf(app.shopify.webhook('orders/paid', shop))

    const failed = await app.receiver.receive(request)
    expect(failed).toMatchObject({ status: 500, body: '' })
    expect(JSON.stringify(failed)).not.toContain('planted')
    expect(app.errors).toEqual([expect.objectContaining({ message: 'planted: the queue is away' })])
    expect((await app.receiver.receive(request)).status).toBe(200)
    expect((await app.receiver.receive(request)).status).toBe(200)
    expect(runs).toBe(2)
  })

  it('is run again when the process that was at it has died, as soon as its claim is over', async () => {
    const app = await receivingApp()
    const webhook = app.shopify.webhook('orders/create', shop, { webhookId: 'id-1' })
    await app.tokens.deliveries.begin({ clientId: CLIENT_ID, id: 'webhook:id-1' }, LEASE_MS)

    expect((await app.receiver.receive(requestOf(webhook))).status).toBe(503)
    await app.clock.advance(LEASE_MS)
    expect((await app.receiver.receive(requestOf(webhook))).status).toBe(200)
    expect(app.handled).toHaveLength(1)
  })

  it('is claimed for two minutes', async () => {
    const { handler, go } = heldHandler()
    const app = await receivingApp({}, { 'orders/paid': handler })
    const request = requestOf(app.shopify.webhook('orders/paid', shop))

    const first = app.receiver.receive(request)
    await app.clock.advance(LEASE_MS - 1)
    expect((await app.receiver.receive(request)).status).toBe(503)
    go()
    await first
  })

  it('is known by topic and body when it has no id', async () => {
    const app = await receivingApp({}, { 'orders/paid': (delivery) => app.handled.push(delivery) })
    const send = (topic: string, payload: unknown): Promise<HttpReply> =>
      app.receiver.receive(
        requestOf(app.shopify.webhook(topic, shop, { payload }), { 'x-shopify-webhook-id': undefined }),
      )

    for (const payload of [{ id: 1 }, { id: 1 }, { id: 2 }]) await send('orders/create', payload)
    await send('orders/paid', { id: 1 })

    expect(app.handled.map(({ topic, payload }) => [topic, payload])).toEqual([
      ['orders/create', { id: 1 }],
      ['orders/create', { id: 2 }],
      ['orders/paid', { id: 1 }],
    ])
    expect(app.handled[0]?.id).toMatch(/^sha256:[0-9a-f]{64}$/)
  })

  it('is told from others by an id of any length', async () => {
    const app = await receivingApp()

    for (const webhookId of [`${'x'.repeat(500)}1`, `${'x'.repeat(500)}2`, `${'x'.repeat(500)}1`]) {
      await app.receiver.receive(requestOf(app.shopify.webhook('orders/create', shop, { webhookId })))
    }

    expect(app.handled).toHaveLength(2)
  })

  it('is no authorization code, whatever its id says', async () => {
    const app = await receivingApp()
    const code = { clientId: CLIENT_ID, id: 'code:0123456789abcdef' }

    await app.receiver.receive(requestOf(app.shopify.webhook('orders/create', shop, { webhookId: code.id })))

    expect(await app.tokens.deliveries.begin(code, LEASE_MS)).toMatchObject({ outcome: 'run' })
  })
})

describe('a failure', () => {
  it('of the handler keeps the tokens of a shop that has uninstalled no longer', async () => {
    const app = await receivingApp(
      {},
      {
        'app/uninstalled': () => {
          throw new Error('The queue is away.')
        },
      },
    )
    await app.seed({ ageMs: HOUR_MS })

    expect((await app.receiver.receive(requestOf(app.shopify.webhook('app/uninstalled', shop)))).status).toBe(500)
    expect(await app.record()).toMatchObject({ kind: 'removed' })
  })

  it('of the store while tokens are removed is answered with 503, and everything runs again', async () => {
    const handler = jest.fn()
    const app = await receivingApp({}, { 'app/uninstalled': handler })
    await app.seed({ ageMs: HOUR_MS })
    const request = requestOf(app.shopify.webhook('app/uninstalled', shop))

    app.store.next('get', fault.failBefore(), fault.failBefore())
    const failed = await app.receiver.receive(request)
    expect(failed.status).toBe(503)
    expect(codeOf(failed)).toBe('ERR_STORE_UNAVAILABLE')
    expect(app.errors).toEqual([expect.objectContaining({ code: 'ERR_STORE_UNAVAILABLE' })])
    expect((await app.receiver.receive(request)).status).toBe(200)
    expect(handler).toHaveBeenCalledTimes(2)
    expect(await app.record()).toMatchObject({ kind: 'removed' })
  })

  it('of a handler with an error of ours is a failure of the handler', async () => {
    const app = await receivingApp(
      {},
      {
        'orders/paid': () => app.tokens.token(shop),
      },
    )

    const reply = await app.receiver.receive(requestOf(app.shopify.webhook('orders/paid', shop)))

    expect(reply).toMatchObject({ status: 500, body: '' })
    expect(app.errors).toEqual([expect.objectContaining({ code: 'ERR_REAUTHORIZATION_REQUIRED' })])
  })

  it('of the log is answered with 503 before the handler', async () => {
    const app = await receivingApp()
    jest.spyOn(app.tokens.deliveries, 'begin').mockRejectedValue(new StoreUnavailableError('Away.'))

    const reply = await app.receiver.receive(requestOf(app.shopify.webhook('orders/create', shop)))

    expect(reply).toMatchObject({ status: 503, headers: { 'retry-after': '1' } })
    expect(codeOf(reply)).toBe('ERR_STORE_UNAVAILABLE')
    expect(app.handled).toEqual([])
  })

  it.each<[keyof DeliveryLog, number, () => void]>([
    ['finish', 200, () => undefined],
    [
      'release',
      500,
      () => {
        throw new Error('The queue is away.')
      },
    ],
  ])('of %s after the handler changes nothing of the answer, %i', async (verb, status, handler) => {
    const app = await receivingApp({}, { 'orders/paid': handler })
    jest.spyOn(app.tokens.deliveries, verb).mockRejectedValue(new StoreUnavailableError('Away.'))

    expect((await app.receiver.receive(requestOf(app.shopify.webhook('orders/paid', shop)))).status).toBe(status)
  })

  it('of the manager to open is answered, before the body is looked at', async () => {
    const receiver = new WebhookReceiver(() => Promise.reject(new StoreUnavailableError('Away.')))

    const reply = await receiver.receive({ headers: {}, rawBody: undefined, bodyWasParsed: false })

    expect(codeOf(reply)).toBe('ERR_STORE_UNAVAILABLE')
  })

  it('that is not of this project is left to the framework', async () => {
    const failure = new RangeError('Not ours.')
    const receiver = new WebhookReceiver(() => Promise.reject(failure))

    await expect(receiver.receive({ headers: {}, rawBody: undefined, bodyWasParsed: false })).rejects.toBe(failure)
  })
})

describe('whoever is told of a failure', () => {
  it.each<[string, unknown]>([
    ['RangeError', new RangeError('shpat_planted in a message')],
    ['string', 'shpat_planted'],
  ])('is by default whoever reads the process warnings, without the message: %s', async (kind, thrown) => {
    const { tokens, shopify } = await managedApp()
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const handler = (): Promise<never> => Promise.reject(thrown)

    const receiver = new WebhookReceiver(tokens, { handlers: { 'orders/paid': handler } })
    await receiver.receive(requestOf(shopify.webhook('orders/paid', shop)))

    expect(warn.mock.calls).toEqual([
      [`A webhook was not done (${kind}) on orders/paid; Shopify sends it again.`, 'ShopifyTokensWarning'],
    ])
  })

  it('gets the error and the webhook, and may fail without an effect', async () => {
    const { tokens, shopify } = await managedApp()
    const failing = { 'orders/paid': () => Promise.reject(new RangeError('The queue is away.')) }
    const onError = jest.fn(() => Promise.reject(new Error('The log is away.')))
    const receiver = new WebhookReceiver(tokens, { handlers: failing, onError })

    const { status } = await receiver.receive(requestOf(shopify.webhook('orders/paid', shop)))

    expect(status).toBe(500)
    expect(onError).toHaveBeenCalledWith(
      expect.any(RangeError),
      expect.objectContaining({ topic: 'orders/paid', shop }),
    )
  })
})

describe('a body that was parsed before', () => {
  it('is answered with 500, and explained once', async () => {
    const app = await receivingApp()
    const warn = jest.spyOn(process, 'emitWarning').mockImplementation(() => undefined)
    const request = {
      ...requestOf(app.shopify.webhook('orders/create', shop)),
      rawBody: undefined,
      bodyWasParsed: true,
    }

    const replies = [await app.receiver.receive(request), await app.receiver.receive(request)]

    for (const reply of replies) expect(reply).toMatchObject({ status: 500 })
    expect(replies.map(codeOf)).toEqual(['ERR_WEBHOOK_BODY_PARSED', 'ERR_WEBHOOK_BODY_PARSED'])
    expect(warn.mock.calls).toEqual([
      [expect.stringMatching(/express\.json\(\).*rawBody: true/), 'ShopifyTokensWarning'],
    ])
    expect(app.eventsOf('webhook.refused')).toEqual([])
    expect(app.spent()).toEqual([0, 0, 0])
  })

  it('does not matter where the bytes are still at hand', async () => {
    const app = await receivingApp()

    await app.receiver.receive({ ...requestOf(app.shopify.webhook('orders/create', shop)), bodyWasParsed: true })

    expect(app.handled).toHaveLength(1)
  })
})

describe('app/scopes_update', () => {
  const update = (app: ReceivingApp, current: unknown): Promise<HttpReply> =>
    app.receiver.receive(requestOf(app.shopify.webhook('app/scopes_update', shop, { payload: { current } })))

  it('brings the scopes of a renewal into the record', async () => {
    const app = await receivingApp()
    await app.seed()
    app.shopify.installShop(shop, { scopes: ['write_orders', 'write_products'] })

    expect((await update(app, ['write_orders', 'write_products'])).status).toBe(200)
    expect(await app.record()).toMatchObject({ scopes: ['write_orders', 'write_products'] })
    expect(app.tokenCalls()).toBe(1)
  })

  it.each([
    ['the same scopes are on record', (scopes: readonly string[]) => scopes, 0],
    ['it says nothing that can be read', () => 'write_orders', 1],
    ['it names a number', () => [1], 1],
  ])('when %s', async (_what, currentOf, tokenCalls) => {
    const app = await receivingApp()
    const { scopes } = await app.seed()

    await update(app, currentOf(scopes))

    expect(app.tokenCalls()).toBe(tokenCalls)
  })

  it('may say nothing at all', async () => {
    const app = await receivingApp()
    await app.seed()

    const { status } = await received(app.tokens, app.shopify.webhook('app/scopes_update', shop, { payload: null }))

    expect(status).toBe(200)
    expect(app.tokenCalls()).toBe(1)
  })

  it('costs one renewal a minute, however often it is sent and in whosever name', async () => {
    const app = await receivingApp()
    await app.seed()
    const renewals: number[] = []
    for (const passedMs of [0, 1_000, 58_999, 1]) {
      await app.clock.advance(passedMs)
      await received(app.anotherProcess(), app.shopify.webhook('app/scopes_update', shop, { payload: {} }))
      renewals.push(app.tokenCalls())
    }

    expect(renewals).toEqual([1, 1, 1, 2])
  })

  it('of a shop without tokens calls nobody', async () => {
    const app = await receivingApp()

    expect((await update(app, ['write_orders'])).status).toBe(200)
    expect(app.tokenCalls()).toBe(0)
    expect(app.store.count('put')).toBe(0)
  })

  it('that could not be followed is left to the next renewal', async () => {
    const app = await receivingApp()
    await app.seed()
    app.shopify.faults.next(shop, { kind: 'status', status: 404 })

    expect((await update(app, ['write_orders'])).status).toBe(200)
    expect(app.errors).toEqual([])
  })

  it('does not hide a mistake of our own', async () => {
    const app = await receivingApp()
    jest.spyOn(app.tokens, 'token').mockRejectedValue(new RangeError('Ours.'))

    expect((await update(app, ['write_orders'])).status).toBe(500)
    expect(app.errors).toEqual([expect.any(RangeError)])
  })
})

describe('options', () => {
  it.each<[string, unknown]>([
    ['options', null],
    ['topics', { topics: {} }],
    ['handlers', { handlers: null }],
    ['handlers', { handlers: { ORDERS_CREATE: () => undefined } }],
    ["handlers['orders/create']", { handlers: { 'orders/create': 'planted' } }],
    ['onError', { onError: 'planted' }],
  ])('that are wrong are refused, by name: %s', (name, options) => {
    const build = (): unknown => new WebhookReceiver({} as TokenManager, options as WebhookOptions)

    expect(build).toThrow(InvalidOptionError)
    expect(build).toThrow(expect.objectContaining({ options: [name] }) as Error)
    expect(build).not.toThrow(/planted/)
  })
})
