import { AppSignatures, type CallbackFlaw, InvalidCallbackError, Secret } from '@shopify-tokens/core'
import { FAKE_EPOCH, FakeClock } from '@shopify-tokens/testing'
import { CALLBACK, signedCallback } from './signed-callback.js'

const SECRET = 'shpss_current'
const PREVIOUS = 'shpss_previous'

let clock: FakeClock
let signatures: AppSignatures
let refused: CallbackFlaw[]

beforeEach(() => {
  clock = new FakeClock()
  refused = []
  signatures = new AppSignatures({
    clientId: 'client-id',
    clientSecrets: [new Secret(SECRET), new Secret(PREVIOUS)],
    now: () => clock.now(),
    onRefused: (flaw) => refused.push(flaw),
  })
})

const signed = (changed: Readonly<Record<string, string | undefined>> = {}): Record<string, string> =>
  signedCallback(changed, SECRET)

function errorOf(query: unknown): InvalidCallbackError {
  try {
    signatures.verifyCallback(query)
  } catch (error) {
    if (error instanceof InvalidCallbackError) return error
    throw error
  }
  throw new Error('was accepted')
}

describe('a callback that Shopify has signed', () => {
  it('tells the shop, the code, the state and the host', () => {
    expect(signatures.verifyCallback(signed())).toEqual({
      shop: CALLBACK.shop,
      code: CALLBACK.code,
      state: CALLBACK.state,
      host: 'admin.shopify.com/store/acme',
    })
    expect(refused).toEqual([])
  })

  it('may be signed with the previous secret', () => {
    expect(signatures.verifyCallback(signedCallback({}, PREVIOUS)).shop).toBe(CALLBACK.shop)
  })

  it('tells the shop in small letters', () => {
    expect(signatures.verifyCallback(signed({ shop: 'ACME.myshopify.com' })).shop).toBe(CALLBACK.shop)
  })

  it('may come as an object without a prototype, as some frameworks make it', () => {
    expect(signatures.verifyCallback(Object.assign(Object.create(null), signed()))).toMatchObject({
      shop: CALLBACK.shop,
    })
  })

  it('may hold a parameter with the name of something that every object has', () => {
    const query = signed({ constructor: 'x', hasOwnProperty: 'y' })

    expect(signatures.verifyCallback(query).shop).toBe(CALLBACK.shop)
  })

  it.each<[what: string, host: string | undefined]>([
    ['none', undefined],
    ['an empty one', ''],
    ['one of another place', Buffer.from('evil.com/admin').toString('base64')],
    ['one of another shop', Buffer.from('other.myshopify.com/admin').toString('base64')],
  ])('tells no host when it holds %s', (_what, host) => {
    expect(signatures.verifyCallback(signed({ host })).host).toBeNull()
  })

  it.each([-90, 0, 90])('may be %p seconds old', async (seconds) => {
    const timestamp = String(FAKE_EPOCH / 1000 - seconds)

    expect(signatures.verifyCallback(signed({ timestamp })).shop).toBe(CALLBACK.shop)
  })
})

describe('a callback is refused as', () => {
  it.each<[flaw: CallbackFlaw, what: string, query: () => unknown]>([
    ['malformed', 'nothing', () => undefined],
    ['malformed', 'null', () => null],
    ['malformed', 'text', () => new URLSearchParams(signed()).toString()],
    ['malformed', 'a list', () => [signed()]],
    ['malformed', 'no parameters', () => ({})],
    ['malformed', 'no signature', () => CALLBACK],
    ['malformed', 'a signature that came twice', () => ({ ...signed(), hmac: [signed().hmac, signed().hmac] })],
    ['malformed', 'a list of one', () => ({ ...signed(), shop: [CALLBACK.shop] })],
    ['malformed', 'a parameter in brackets', () => ({ ...signed(), shop: { a: CALLBACK.shop } })],
    ['malformed', 'an object that is no text', () => ({ ...signed(), note: Object.create(null) as unknown })],
    ['malformed', 'a number', () => ({ ...signed(), timestamp: FAKE_EPOCH / 1000 })],
    ['malformed', 'more than 8 kB', () => signed({ note: 'x'.repeat(8_192) })],
    ['malformed', 'no code', () => signed({ code: undefined })],
    ['malformed', 'an empty code', () => signed({ code: '' })],
    ['malformed', 'a code with a line break', () => signed({ code: 'a\nb' })],
    ['malformed', 'a code of 513 characters', () => signed({ code: 'x'.repeat(513) })],
    ['malformed', 'no state', () => signed({ state: undefined })],
    ['malformed', 'a state of 256 characters', () => signed({ state: 'x'.repeat(256) })],
    ['malformed', 'no timestamp', () => signed({ timestamp: undefined })],
    ['malformed', 'a timestamp that is no number', () => signed({ timestamp: 'NaN' })],
    ['malformed', 'a timestamp below zero', () => signed({ timestamp: '-1' })],
    ['malformed', 'another error', () => signed({ code: undefined, error: 'server_error' })],
    ['signature', 'an empty signature', () => ({ ...signed(), hmac: '' })],
    ['signature', 'a signature of another length', () => ({ ...signed(), hmac: `${signed().hmac ?? ''}0` })],
    ['signature', 'a signature in capitals', () => ({ ...signed(), hmac: signed().hmac?.toUpperCase() })],
    ['signature', 'another secret', () => signedCallback({}, 'shpss_other')],
    ['signature', 'another shop', () => ({ ...signed(), shop: 'evil.myshopify.com' })],
    ['signature', 'another code', () => ({ ...signed(), code: 'other' })],
    ['signature', 'a parameter more', () => ({ ...signed(), note: '' })],
    ['signature', 'a refusal that Shopify has not signed', () => ({ ...signed(), error: 'access_denied' })],
    ['expired', 'older than 90 seconds', () => signed({ timestamp: String(FAKE_EPOCH / 1000 - 91) })],
    ['expired', 'ahead by more than 90 seconds', () => signed({ timestamp: String(FAKE_EPOCH / 1000 + 91) })],
    ['expired', 'the beginning of time', () => signed({ timestamp: '0' })],
    ['shop', 'no shop', () => signed({ shop: undefined })],
    ['shop', 'another domain', () => signed({ shop: 'evil.com' })],
    ['shop', 'a port', () => signed({ shop: `${CALLBACK.shop}:443` })],
    ['denied', 'a merchant who declined', () => signed({ code: undefined, error: 'access_denied' })],
  ])('%s: %s', (flaw, _what, query) => {
    expect(errorOf(query()).flaw).toBe(flaw)
    expect(refused).toEqual([flaw])
  })
})

describe('the time of a callback', () => {
  it("is Shopify's, as the verifier is told it", async () => {
    const query = signed()
    await clock.advance(90_000)
    expect(signatures.verifyCallback(query).shop).toBe(CALLBACK.shop)

    await clock.advance(1_000)

    expect(errorOf(query).flaw).toBe('expired')
  })
})

describe('the refusal of a callback', () => {
  it.each<[what: string, query: () => unknown]>([
    ['its time is over', () => signed({ timestamp: '0' })],
    ['the merchant declined', () => signed({ error: 'access_denied' })],
    ['it has no code', () => signed({ code: undefined })],
  ])('names the shop once the signature has proved it: %s', (_what, query) => {
    expect(errorOf(query()).shop).toBe(CALLBACK.shop)
  })

  it('names no shop that anybody may have written', () => {
    expect(errorOf({ ...signed(), code: 'other' }).shop).toBeUndefined()
  })

  it('holds nothing of the query', () => {
    const error = errorOf({ ...signed(), code: 'planted-code', state: 'planted-state' })

    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('planted')
    expect(error.cause).toBeUndefined()
  })

  it('is reported for a check that was made elsewhere, with the shop', () => {
    const { shop } = signatures.verifyCallback(signed())

    expect(signatures.refuseCallback('state', shop)).toMatchObject({ flaw: 'state', shop, retryable: false })
    expect(refused).toEqual(['state'])
  })
})

describe('what is signed', () => {
  it('cannot be read as other parameters than were signed', () => {
    const { code, ...rest } = CALLBACK
    const query = signed({ ...rest, code: `${code}&shop=evil.myshopify.com` })

    expect(errorOf({ ...query, code, shop: 'evil.myshopify.com' }).flaw).toBe('signature')
  })

  it('does not depend on the order of the parameters', () => {
    const reversed = Object.fromEntries(Object.entries(signed({ note: 'x', zone: 'y', a: 'z' })).reverse())

    expect(signatures.verifyCallback(reversed).shop).toBe(CALLBACK.shop)
  })

  it('does not cover the signature that Shopify used before this one', () => {
    expect(signatures.verifyCallback({ ...signed(), signature: 'of long ago' }).shop).toBe(CALLBACK.shop)
  })
})
