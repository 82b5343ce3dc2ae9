import { createHmac } from 'node:crypto'
import { FAKE_EPOCH } from '@shopify-tokens/testing'

/** What a callback says, as of the beginning of a `FakeClock`. */
export const CALLBACK = {
  code: '0907a61c0c8d55e99db179b68161bc00',
  host: Buffer.from('admin.shopify.com/store/acme').toString('base64'),
  shop: 'acme.myshopify.com',
  state: 'f0e1d2c3',
  timestamp: String(FAKE_EPOCH / 1000),
}

/** The query of a callback as Shopify signs it: sorted, form-encoded, HMAC-SHA256, hex. `undefined` leaves one out. */
export function signedCallback(
  changed: Readonly<Record<string, string | undefined>>,
  secret: string,
): Record<string, string> {
  const given: [string, string | undefined][] = Object.entries({ ...CALLBACK, ...changed })
  const present = given.filter((entry): entry is [string, string] => entry[1] !== undefined)
  const parameters = Object.fromEntries(present.sort(([one], [other]) => (one < other ? -1 : 1)))
  const hmac = createHmac('sha256', secret).update(new URLSearchParams(parameters).toString()).digest('hex')
  return { ...parameters, hmac }
}
