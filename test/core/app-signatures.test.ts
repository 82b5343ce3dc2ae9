import { createHmac } from 'node:crypto'
import { AppSignatures, Secret } from '@shopify-tokens/core'
import { FakeClock } from '@shopify-tokens/testing'

const SECRET = 'shpss_current'
const PREVIOUS = 'shpss_previous'
const PAYLOAD = { shop: 'acme.myshopify.com', note: 'Käse 漢字; a=b, "c"' }
const MINUTE_MS = 60_000

let clock: FakeClock
const signaturesOf = (clientId: string, ...secrets: readonly string[]): AppSignatures =>
  new AppSignatures({ clientId, clientSecrets: secrets.map((each) => new Secret(each)), now: () => clock.now() })
let signatures: AppSignatures

beforeEach(() => {
  clock = new FakeClock()
  signatures = signaturesOf('client-id', SECRET, PREVIOUS)
})

const ofBody = (body: string | Uint8Array, secret = SECRET): string =>
  createHmac('sha256', secret).update(body).digest('base64')

describe('the signature of a webhook', () => {
  const body = Buffer.from('{"id":1,"name":"Käse"}')

  it.each([
    ['current', SECRET],
    ['previous', PREVIOUS],
  ])('counts when it was made with the %s secret', (_which, secret) => {
    expect(signatures.verifyWebhook(body, ofBody(body, secret))).toBe(true)
  })

  it.each<[what: string, hmac: unknown]>([
    ['another secret', ofBody(body, 'shpss_other')],
    ['another body', ofBody('{}')],
    ['another encoding', createHmac('sha256', SECRET).update(body).digest('hex')],
    ['another hash', createHmac('sha512', SECRET).update(body).digest('base64')],
    ['a space', `${ofBody(body)} `],
    ['no padding', ofBody(body).replace('=', '')],
    ['nothing', ''],
    ['no header', undefined],
    ['two headers', [ofBody(body), ofBody(body)]],
    ['a number', 0],
  ])('does not count with %s', (_what, hmac) => {
    expect(signatures.verifyWebhook(body, hmac)).toBe(false)
  })

  it('is looked for in every kind of bytes', () => {
    const bytes = new Uint8Array([0, 255, 254, 128, 10, 13])

    expect(signatures.verifyWebhook(bytes, ofBody(bytes))).toBe(true)
    expect(signatures.verifyWebhook(bytes.subarray(1), ofBody(bytes))).toBe(false)
  })

  it('does not make a webhook of an empty body', () => {
    expect(signatures.verifyWebhook(new Uint8Array(), ofBody(''))).toBe(false)
  })
})

describe('what the app has sealed', () => {
  it('opens again', () => {
    expect(signatures.open('test', signatures.seal('test', PAYLOAD, MINUTE_MS))).toEqual(PAYLOAD)
  })

  it('may stand in cookies and URLs as it is', () => {
    expect(signatures.seal('test', PAYLOAD, MINUTE_MS)).toMatch(/^[A-Za-z0-9_.-]+$/)
  })

  it('opens in another process', () => {
    const sealed = signatures.seal('test', PAYLOAD, MINUTE_MS)

    expect(signaturesOf('client-id', SECRET).open('test', sealed)).toEqual(PAYLOAD)
  })

  it('opens until its end and not afterwards', async () => {
    const sealed = signatures.seal('test', PAYLOAD, MINUTE_MS)

    await clock.advance(MINUTE_MS - 1)
    expect(signatures.open('test', sealed)).toEqual(PAYLOAD)
    await clock.advance(1)

    expect(signatures.open('test', sealed)).toBeNull()
  })

  it('opens while the client secret is rotated, and is sealed with the new one', () => {
    const sealedBefore = signaturesOf('client-id', PREVIOUS).seal('test', PAYLOAD, MINUTE_MS)
    const sealedSince = signatures.seal('test', PAYLOAD, MINUTE_MS)

    expect(signatures.open('test', sealedBefore)).toEqual(PAYLOAD)
    expect(signaturesOf('client-id', PREVIOUS).open('test', sealedSince)).toBeNull()
  })

  it.each<[what: string, other: () => AppSignatures]>([
    ['another secret', () => signaturesOf('client-id', 'shpss_other')],
    ['the same secret under another client id', () => signaturesOf('other-client-id', SECRET)],
    ['no secret', () => signaturesOf('client-id')],
  ])('does not open with %s', (_what, other) => {
    expect(other().open('test', signatures.seal('test', PAYLOAD, MINUTE_MS))).toBeNull()
  })

  it('does not open for another purpose', () => {
    expect(signatures.open('other', signatures.seal('test', PAYLOAD, MINUTE_MS))).toBeNull()
  })

  it('opens with none of its characters changed', () => {
    const sealed = signatures.seal('test', PAYLOAD, MINUTE_MS)
    const changed = Array.from(sealed, (character, at) => {
      const other = character === 'A' ? 'B' : 'A'
      return `${sealed.slice(0, at)}${other}${sealed.slice(at + 1)}`
    })

    expect(changed.filter((text) => signatures.open('test', text) !== null)).toEqual([])
  })

  it.each<[what: string, text: unknown]>([
    ['nothing', undefined],
    ['an empty text', ''],
    ['dots', '..'],
    ['a list', ['a.b.c']],
    ['an object', {}],
    ['10 kB', 'x'.repeat(10_240)],
  ])('is not %s', (_what, text) => {
    expect(signatures.open('test', text)).toBeNull()
  })

  it('is no signature of a webhook: the key is not the client secret', () => {
    const [payload = '', end = '', mac = ''] = signatures.seal('test', PAYLOAD, MINUTE_MS).split('.')
    const signature = Buffer.from(mac, 'base64url').toString('base64')

    for (const body of [payload, `${payload}.${end}`, JSON.stringify(PAYLOAD)]) {
      expect(signatures.verifyWebhook(Buffer.from(body), signature)).toBe(false)
    }
  })

  it('cannot be made without a secret', () => {
    expect(() => signaturesOf('client-id').seal('test', PAYLOAD, MINUTE_MS)).toThrow(TypeError)
  })
})
