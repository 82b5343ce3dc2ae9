import { createHmac } from 'node:crypto'
import {
  type HttpReply,
  MAX_WEBHOOK_BYTES,
  type WebhookDelivery,
  WebhookReceiver,
  type WebhookRequest,
} from '@shopify-tokens/core'
import * as fc from 'fast-check'
import { CLIENT_SECRET, closeAll, type ManagedApp, managedApp, shop } from './managed-app.js'

const SEED = 20_261_120
const FORGERIES = 1_800
const SIGNED = 1_800
const ANYTHING = 600

/** Handled and unhandled ones, those that concern tokens, and names that every object has. */
const TOPICS = [
  'app/uninstalled',
  'shop/redact',
  'customers/redact',
  'customers/data_request',
  'app/scopes_update',
  'orders/create',
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty/valueOf',
]
const NAMES = ['topic', 'shop-domain', 'hmac-sha256', 'webhook-id', 'event-id', 'triggered-at', 'api-version']
const SHOP_FIELDS = ['myshopify_domain', 'shop_domain', '__proto__', 'constructor']

const hmacOf = (body: Uint8Array, secret = CLIENT_SECRET): string =>
  createHmac('sha256', secret).update(body).digest('base64')

/** Text of all kinds: long, empty, in other alphabets, with control characters, and what a shop or an instant looks like. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ maxLength: 60 }),
  fc.constantFrom('', ' ', '\0', '\r\nset-cookie: a=b', 'x'.repeat(10_000), '../..', '[object Object]'),
  fc.constantFrom(
    shop,
    `https://${shop}`,
    `${shop}.`,
    `${shop}@evil.example`,
    'evil.example',
    '\u212Aelvin.myshopify.com',
  ),
  fc.constantFrom('2026-11-20T12:00:00Z', '9999-99-99T99:99:99Z', '-271821-04-20T00:00:00Z', '1e999', 'NaN'),
  fc.constantFrom(...TOPICS),
)

/** What a framework may make of one header. */
const header: fc.Arbitrary<unknown> = fc.oneof(
  { weight: 4, arbitrary: text },
  { weight: 1, arbitrary: fc.array(text, { maxLength: 3 }) },
  { weight: 1, arbitrary: fc.constantFrom(undefined, null, 0, true, {}, { toString: 'x' }, () => shop) },
)

const headers: fc.Arbitrary<Record<string, unknown>> = fc.dictionary(
  fc.oneof(
    fc.constantFrom(...NAMES.flatMap((name) => [`x-shopify-${name}`, `shopify-${name}`])),
    fc.constantFrom('__proto__', 'constructor', 'x-shopify', 'host', 'x-forwarded-host'),
    text,
  ),
  header,
  { maxKeys: 16, noNullPrototype: false },
)

/** JSON of odd shapes, with the fields that matter among them. */
const payload: fc.Arbitrary<unknown> = fc.oneof(
  fc.jsonValue({ maxDepth: 4 }),
  fc.dictionary(fc.constantFrom(...SHOP_FIELDS, 'current'), fc.oneof(text, fc.jsonValue({ maxDepth: 2 })), {
    maxKeys: 4,
  }),
  fc
    .constantFrom(`{"__proto__":{"myshopify_domain":"${shop}"}}`, `"${shop}"`, `["${shop}"]`, 'null')
    .map((raw) => ({ raw })),
)

const body: fc.Arbitrary<Buffer> = fc.oneof(
  payload.map((value) => Buffer.from(isRaw(value) ? value.raw : JSON.stringify(value))),
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  fc
    .constantFrom('', '\uFEFF{}', '<a/>', 'topic=orders', '{"a":', '1e999', '['.repeat(20_000))
    .map((raw) => Buffer.from(raw)),
  text.map((raw) => Buffer.from(raw, 'utf16le')),
)

function isRaw(value: unknown): value is { readonly raw: string } {
  return typeof value === 'object' && value !== null && Object.keys(value).join() === 'raw'
}

/** The signature with another character at one place; the place after its end is a character more. */
function flipped(signature: string, at: number): string {
  const character = signature[at] === 'A' ? 'B' : 'A'
  return `${signature.slice(0, at)}${character}${signature.slice(at + 1)}`
}

interface Attacked {
  readonly app: ManagedApp
  readonly receiver: WebhookReceiver
  readonly handled: string[]
  readonly logged: jest.SpyInstance
}

let attacked: Attacked
let cases = 0

beforeAll(async () => {
  const app = await managedApp()
  await app.seed()
  const handled: string[] = []
  const handlers = Object.fromEntries(
    ['app/uninstalled', 'shop/redact', 'app/scopes_update', 'orders/create'].map((topic) => [
      topic,
      () => handled.push(topic),
    ]),
  )
  const receiver = new WebhookReceiver(app.tokens, { handlers })
  attacked = { app, receiver, handled, logged: jest.spyOn(app.tokens.deliveries, 'begin') }
})
afterAll(async () => {
  await closeAll()
  process.stdout.write(`${String(cases)} bad webhooks refused\n`)
})

/** Everything that a bad webhook must leave alone. */
function expectUntouched({ app, handled, logged }: Attacked): void {
  const { tokenCalls, adminCalls } = app.shopify.counters()
  expect([handled.length, logged.mock.calls.length, tokenCalls, adminCalls, app.store.calls.length]).toEqual([
    0, 0, 0, 0, 0,
  ])
  expect(app.shopify.strayRequests).toBe(0)
}

function expectRefusal(reply: HttpReply): void {
  expect(reply.status).toBeGreaterThanOrEqual(400)
  expect(reply.status).toBeLessThan(500)
  expect(JSON.parse(reply.body)).toMatchObject({ code: 'ERR_INVALID_WEBHOOK', status: reply.status })
  expect(reply.headers.location).toBeUndefined()
}

async function refuses(request: unknown): Promise<void> {
  expectRefusal(await attacked.receiver.receive(request as WebhookRequest))
  expectUntouched(attacked)
  cases += 1
}

it(`refuses whatever Shopify has not signed: ${String(FORGERIES)} forgeries`, async () => {
  const signature = fc.oneof(
    text.map((forged) => () => forged),
    // Right for other bytes, by another secret, in another encoding, or almost.
    fc.constant((bytes: Buffer) => hmacOf(Buffer.concat([bytes, Buffer.from(' ')]))),
    fc.constant((bytes: Buffer) => hmacOf(bytes, 'another-secret')),
    fc.constant((bytes: Buffer) => Buffer.from(hmacOf(bytes), 'base64').toString('hex')),
    fc.constant((bytes: Buffer) => Buffer.from(hmacOf(bytes), 'base64').toString('base64url')),
    fc.constant((bytes: Buffer) => hmacOf(bytes).slice(0, -1)),
    fc.constant((bytes: Buffer) => `${hmacOf(bytes)}=`),
    fc.nat(42).map((at) => (bytes: Buffer) => flipped(hmacOf(bytes), at)),
  )
  const names = fc.constantFrom('x-shopify-hmac-sha256', 'shopify-hmac-sha256')
  const forgery = fc.tuple(headers, fc.constantFrom(...TOPICS), names, signature, body)

  await fc.assert(
    fc.asyncProperty(forgery, async ([odd, topic, name, sign, bytes]) => {
      const plain = { 'x-shopify-topic': topic, 'x-shopify-shop-domain': shop, 'x-shopify-webhook-id': 'id' }
      await refuses({ headers: { ...plain, ...odd, [name]: sign(bytes) }, rawBody: bytes, bodyWasParsed: false })
    }),
    { numRuns: FORGERIES, seed: SEED },
  )
})

/** A webhook that would be accepted, before something is done to it. */
interface Sent {
  readonly headers: Readonly<Record<string, unknown>>
  readonly body: Buffer
}

const SIGNED_SHOP_TOPICS = ['app/uninstalled', 'shop/redact', 'customers/redact', 'customers/data_request']
const fieldOf = (topic: string): string => (topic === 'app/uninstalled' ? 'myshopify_domain' : 'shop_domain')

function sentOf(topic: string): Sent {
  return {
    headers: {
      'x-shopify-topic': topic,
      'x-shopify-shop-domain': shop,
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
      'x-shopify-event-id': '98880550-7158-44d4-b7cd-2c97c8a091b5',
      'x-shopify-triggered-at': '2026-11-20T12:00:00.000Z',
      'x-shopify-api-version': '2026-10',
    },
    body: Buffer.from(JSON.stringify({ id: 1, myshopify_domain: shop, shop_domain: shop })),
  }
}

const withHeader =
  (name: string, value: unknown) =>
  ({ headers, body: bytes }: Sent): Sent => ({
    headers: { ...headers, [`x-shopify-${name}`]: value },
    body: bytes,
  })

const isJson = (bytes: Buffer): boolean => {
  try {
    JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
    return true
  } catch {
    return false
  }
}

/** What makes any webhook a bad one. */
const spoiled = fc.oneof(
  text
    .filter((topic) => !/^([a-z0-9_]+([./][a-z0-9_]+)+|([A-Z][a-z]+)+)$/.test(topic))
    .map((topic) => withHeader('topic', topic)),
  text.filter((id) => id !== '' && !/^[!-+\--~]{1,512}$/.test(id)).map((id) => withHeader('webhook-id', id)),
  text.filter((named) => named !== '' && named.toLowerCase() !== shop).map((named) => withHeader('shop-domain', named)),
  fc
    .tuple(fc.constantFrom(...NAMES), fc.constantFrom(null, 0, true, {}, ['a'], []))
    .map(([name, odd]) => withHeader(name, odd)),
  fc.tuple(fc.constantFrom(...NAMES), text).map(([name, other]) => ({ headers, body: bytes }: Sent): Sent => {
    const first = headers[`x-shopify-${name}`]
    return {
      headers: {
        ...headers,
        [`shopify-${name}`]: other === first ? `${other}.` : other,
        ...(name === 'hmac-sha256' ? { 'x-shopify-hmac-sha256': hmacOf(bytes) } : {}),
      },
      body: bytes,
    }
  }),
  body.filter((bytes) => !isJson(bytes)).map((bytes) => ({ headers }: Sent): Sent => ({ headers, body: bytes })),
)

/** What makes one whose body must name the shop a bad one. */
const unnamed = payload
  .map((value) => Buffer.from(isRaw(value) ? value.raw : JSON.stringify(value)))
  .filter((bytes) => !isJson(bytes) || !namesTheShop(JSON.parse(bytes.toString())))
  .map((bytes) => ({ headers }: Sent): Sent => ({ headers, body: bytes }))

function namesTheShop(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  return SIGNED_SHOP_TOPICS.some((topic) => {
    const name = Object.getOwnPropertyDescriptor(value, fieldOf(topic))?.value as unknown
    return typeof name === 'string' && name.toLowerCase() === shop
  })
}

it(`refuses what is signed and still no webhook: ${String(SIGNED)} odd headers and bodies`, async () => {
  const handledTopics = [...SIGNED_SHOP_TOPICS, 'app/scopes_update', 'orders/create']
  const bad = fc.oneof(
    { weight: 3, arbitrary: fc.tuple(fc.constantFrom(...handledTopics), spoiled) },
    { weight: 1, arbitrary: fc.tuple(fc.constantFrom(...SIGNED_SHOP_TOPICS), unnamed) },
  )
  await fc.assert(
    fc.asyncProperty(bad, async ([topic, spoil]) => {
      const { headers: told, body: bytes } = spoil(sentOf(topic))
      await refuses({
        headers: { 'x-shopify-hmac-sha256': hmacOf(bytes), ...told },
        rawBody: bytes,
        bodyWasParsed: false,
      })
    }),
    { numRuns: SIGNED, seed: SEED },
  )
})

it('accepts the same webhooks unspoiled', async () => {
  const { tokens } = attacked.app
  const receiver = new WebhookReceiver(tokens)
  for (const topic of ['customers/redact', 'customers/data_request', 'orders/create']) {
    const { headers: told, body: bytes } = sentOf(topic)
    const request = {
      headers: { ...told, 'x-shopify-hmac-sha256': hmacOf(bytes) },
      rawBody: bytes,
      bodyWasParsed: false,
    }
    expect((await receiver.receive(request as WebhookRequest)).status).toBe(200)
  }
})

it(`breaks over nothing that is signed, and takes the shop from the body: ${String(ANYTHING)} of any kind`, async () => {
  const app = await managedApp()
  const seen: WebhookDelivery[] = []
  const handler = (delivery: WebhookDelivery): unknown => seen.push(delivery)
  const handlers = Object.fromEntries([...SIGNED_SHOP_TOPICS, 'orders/create'].map((topic) => [topic, handler]))
  // It has no shops, so that whatever is accepted finds nothing to do.
  const receiver = new WebhookReceiver(app.tokens, { handlers })
  const anything = fc.tuple(headers, fc.constantFrom(...TOPICS), fc.option(text, { nil: shop }), body)

  await fc.assert(
    fc.asyncProperty(anything, async ([odd, topic, named, bytes]) => {
      seen.length = 0
      const own = { 'x-shopify-topic': topic, 'x-shopify-shop-domain': named, 'x-shopify-hmac-sha256': hmacOf(bytes) }
      const reply = await receiver.receive({
        headers: { ...odd, ...own },
        rawBody: bytes,
        bodyWasParsed: false,
      })

      if (reply.status !== 200) expectRefusal(reply)
      for (const delivery of seen) {
        expect(reply.status).toBe(200)
        const value = JSON.parse(bytes.toString()) as object
        const told = SIGNED_SHOP_TOPICS.includes(topic)
          ? (Object.getOwnPropertyDescriptor(value, fieldOf(topic))?.value as unknown)
          : named
        expect(delivery).toMatchObject({
          topic,
          shop: String(told).toLowerCase(),
          shopIsSigned: topic !== 'orders/create',
        })
      }
    }),
    { numRuns: ANYTHING, seed: SEED },
  )
  expect(app.shopify.counters().tokenCalls).toBe(0)
})

it('refuses bodies that are missing, endless, or changed by one bit', async () => {
  const bytes = Buffer.from(JSON.stringify({ id: 1, myshopify_domain: shop }))
  const signed = {
    'x-shopify-topic': 'app/uninstalled',
    'x-shopify-shop-domain': shop,
    'x-shopify-hmac-sha256': hmacOf(bytes),
  }
  for (let bit = 0; bit < 8 * bytes.length; bit += 1) {
    const changed = Buffer.from(bytes)
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    await refuses({ headers: signed, rawBody: changed, bodyWasParsed: false })
  }
  const endless = Buffer.alloc(MAX_WEBHOOK_BYTES + 1, 32)
  await refuses({
    headers: { ...signed, 'x-shopify-hmac-sha256': hmacOf(endless) },
    rawBody: endless,
    bodyWasParsed: false,
  })
  await refuses({ headers: signed, rawBody: undefined, bodyWasParsed: false })
})

it('has refused at least three thousand', () => {
  expect(cases).toBeGreaterThanOrEqual(3_000)
})
