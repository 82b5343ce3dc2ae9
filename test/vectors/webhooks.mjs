import { hmac, OTHER_SECRET, SHOP, verdict } from './library.mjs'

/** Bodies of webhooks with their signatures. */
export async function webhooks({ api }) {
  const vectors = []
  const add = async (name, body, signature, ours) => {
    const headers = {
      'x-shopify-hmac-sha256': signature,
      'x-shopify-topic': 'app/uninstalled',
      'x-shopify-shop-domain': SHOP,
      'x-shopify-api-version': '2026-10',
      'x-shopify-webhook-id': 'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    }
    const rawRequest = { headers, method: 'POST', url: '/webhooks' }
    const rawBody = body.toString('utf8')
    const library = await verdict(async () => (await api.webhooks.validate({ rawBody, rawRequest })).valid)
    vectors.push({ name, body: body.toString('base64'), hmac: signature, library, ...ours })
  }
  const bodies = {
    'an object': Buffer.from(`{"myshopify_domain":"${SHOP}"}`),
    'umlauts, Chinese and an emoji': Buffer.from('{"name":"Käse 漢字 🛍️"}'),
    escapes: Buffer.from('{"name":"K\\u00e4se"}'),
    'white space': Buffer.from('{ "a" : 1 }\n'),
    'a byte order mark': Buffer.from('\ufeff{}'),
    'zeros and controls': Buffer.from('{"a":"\0\x01\x1f\x7f"}'),
    'a line break of another system': Buffer.from('{\r\n}'),
    'no JSON': Buffer.from('a=b&c=d+e%20f'),
    'one byte': Buffer.from('0'),
    '4 kB': Buffer.alloc(4_096, 'x'),
  }
  for (const [what, body] of Object.entries(bodies)) {
    const signature = hmac(body, 'base64')
    await add(what, body, signature)
    await add(`${what}, one byte more`, Buffer.concat([body, Buffer.from(' ')]), signature)
    await add(`${what}, one byte changed`, Buffer.concat([body.subarray(0, -1), Buffer.from('~')]), signature)
    await add(`${what}, another secret`, body, hmac(body, 'base64', OTHER_SECRET))
  }
  const body = bodies['an object']
  const signature = hmac(body, 'base64')
  const signatures = {
    'an empty signature': '',
    'a signature in hex': hmac(body, 'hex'),
    'a signature in base64url': hmac(body, 'base64url'),
    'a signature without padding': signature.replace(/=+$/, ''),
    'a signature with a space': `${signature} `,
    'a shortened signature': signature.slice(1),
    'another last character that decodes alike': signature.replace(/.(=+)$/, (_all, padding) => `/${padding}`),
    'a signature in small letters': signature.toLowerCase(),
    'two signatures': `${signature}, ${signature}`,
  }
  for (const [name, given] of Object.entries(signatures)) await add(name, body, given)
  const nothing = Buffer.alloc(0)
  await add('an empty body, signed', nothing, hmac(nothing, 'base64'))
  const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0xc0, 0x80, 0x7d])
  await add('bytes that are no UTF-8, signed', bytes, hmac(bytes, 'base64'), {
    ours: 'accepts',
    because: 'Shopify signs bytes; the library takes a body as text',
  })
  return vectors
}
