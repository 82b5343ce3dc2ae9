import { hmac, NOW, OTHER_SECRET, SHOP, verdict, without } from './library.mjs'

/** Numbers in [0, 1), the same in every run: mulberry32. */
function seeded(seed) {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const formEncoded = (parameters) => new URLSearchParams(parameters).toString()

const HOST = Buffer.from('admin.shopify.com/store/acme').toString('base64').replace(/=+$/, '')
const SECONDS = NOW / 1000
const PLAIN = {
  code: '0907a61c0c8d55e99db179b68161bc00',
  host: HOST,
  shop: SHOP,
  state: 'f0e1d2',
  timestamp: `${SECONDS}`,
}

/** What values may hold. */
const VALUES = {
  'a space': 'a b',
  'spaces around': ' a ',
  'a plus': 'a+b',
  'an equals sign': 'a=b',
  'a percent sign': 'a%b',
  'what looks encoded': 'a%20b%2Bc',
  'an ampersand': 'a&b',
  'another parameter': 'a&shop=evil.myshopify.com',
  nothing: '',
  umlauts: 'Käse für Größe',
  Chinese: '漢字',
  'an emoji': 'shop 🛍️',
  'combining marks': 'e\u0301',
  'a quote and a tag': `"'<script>`,
  'a line break': 'a\r\nb',
  'a zero': 'a\0b',
  'what encoders disagree about': "~!*()'-._",
  brackets: '[a][]',
  'a question mark and a hash': '?a#b;c,d:e@f/g\\h',
  'a kilobyte': 'x'.repeat(1024),
}

/** Queries of OAuth callbacks. */
export async function callbacks({ api, generateLocalHmac }) {
  const signed = async (parameters) => ({ ...parameters, hmac: await generateLocalHmac(parameters) })
  const vectors = []
  const add = async (name, query, ours) => {
    const parsed = Object.fromEntries(new URLSearchParams(query))
    const library = await verdict(
      async () => (await api.utils.validateHmac(parsed)) && api.utils.sanitizeShop(parsed.shop, true) !== null,
    )
    vectors.push({ name, query, library, ...ours })
  }
  const stricter = (flaw, because) => ({ ours: flaw, because })

  const plain = await signed(PLAIN)
  await add('Shopify’s own', formEncoded(plain))
  for (const [what, value] of Object.entries(VALUES)) {
    const parameters = await signed({ ...PLAIN, note: value })
    await add(`a value with ${what}`, formEncoded(parameters))
    await add(`a value with ${what}, changed`, formEncoded({ ...parameters, note: `${value}x` }))
    await add(`a name with ${what}`, formEncoded(await signed({ ...PLAIN, [`n${value}`]: 'x' })))
    const joined = Object.entries({ ...PLAIN, note: value })
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map((pair) => pair.join('='))
      .join('&')
    await add(
      `a value with ${what}, signed unencoded`,
      formEncoded({ ...PLAIN, note: value, hmac: hmac(joined, 'hex') }),
    )
  }
  for (const state of ['a+b', 'a=b', 'a%b', 'a&b', 'a%2Bb', '~!*()']) {
    await add(`the state ${state}`, formEncoded(await signed({ ...PLAIN, state })))
  }
  await add('spaces as %20', formEncoded(await signed({ ...PLAIN, note: 'a b' })).replaceAll('+', '%20'))
  await add(
    'small letters in encodings',
    formEncoded(await signed({ ...PLAIN, note: '漢字' })).replaceAll(/%../g, (c) => c.toLowerCase()),
  )
  await add('letters encoded without need', formEncoded(plain).replace('acme', '%61%63%6d%65'))
  await add('another order', formEncoded(Object.fromEntries(Object.entries(plain).reverse())))
  await add('a name in brackets', formEncoded(await signed({ ...PLAIN, 'ids[]': '1' })))
  await add('an old signature beside it', `${formEncoded(plain)}&signature=0123`)

  for (const name of Object.keys(PLAIN)) {
    await add(`${name} changed`, formEncoded({ ...plain, [name]: `${PLAIN[name]}1` }))
    await add(`${name} left out`, formEncoded(without(plain, name)))
  }
  await add('a parameter added', `${formEncoded(plain)}&a=b`)
  await add('another shop, its own signature', formEncoded({ ...plain, shop: 'other.myshopify.com' }))
  await add('another secret', formEncoded({ ...PLAIN, hmac: hmac(formEncoded(PLAIN), 'hex', OTHER_SECRET) }))
  const digests = {
    'no signature': undefined,
    'an empty signature': '',
    'a signature in capitals': plain.hmac.toUpperCase(),
    'a shortened signature': plain.hmac.slice(0, -1),
    'a lengthened signature': `${plain.hmac}0`,
    'a signature in base64': hmac(formEncoded(PLAIN), 'base64'),
    'another signature': plain.hmac.replace(/^./, (digit) => (digit === '0' ? '1' : '0')),
    'a signature of zeros': '0'.repeat(64),
    'a signature in full-width digits': '\uff10'.repeat(64),
  }
  for (const [name, digest] of Object.entries(digests)) {
    await add(name, formEncoded(digest === undefined ? PLAIN : { ...PLAIN, hmac: digest }))
  }

  for (const age of [-3600, -91, -90, -89, -1, 1, 89, 90, 91, 3600]) {
    await add(`signed ${age} seconds ago`, formEncoded(await signed({ ...PLAIN, timestamp: `${SECONDS - age}` })))
  }
  const unread = stricter('malformed', 'the library takes a timestamp that is no number for a recent one')
  const timeless = without(PLAIN, 'timestamp')
  await add('no timestamp, signed', formEncoded(await signed(timeless)), unread)
  await add('a timestamp that is a word', formEncoded(await signed({ ...PLAIN, timestamp: 'now' })), unread)
  const digits = stricter('malformed', 'digits only')
  await add('a timestamp with a fraction', formEncoded(await signed({ ...PLAIN, timestamp: `${SECONDS}.5` })), digits)
  await add(
    'a timestamp in hex',
    formEncoded(await signed({ ...PLAIN, timestamp: `0x${SECONDS.toString(16)}` })),
    digits,
  )

  const once = stricter('malformed', 'the library takes the last of two')
  await add('the shop twice', `shop=evil.myshopify.com&${formEncoded(plain)}`, once)
  await add('the code twice', `code=other&${formEncoded(plain)}`, once)
  await add('the signature twice', `hmac=0123&${formEncoded(plain)}`, once)
  await add('the shop twice, the last another', `${formEncoded(plain)}&shop=evil.myshopify.com`)

  const exact = stricter('shop', 'no more than {name}.myshopify.com')
  await add('a shop in capitals', formEncoded(await signed({ ...PLAIN, shop: 'Acme.MyShopify.com' })), {
    ours: 'accepts',
    because: 'a shop is the same however it is spelt',
  })
  await add('a shop with a slash', formEncoded(await signed({ ...PLAIN, shop: `${SHOP}/` })), exact)
  await add('a shop with an underscore', formEncoded(await signed({ ...PLAIN, shop: 'ac_me.myshopify.com' })), exact)
  await add('a shop of shopify.com', formEncoded(await signed({ ...PLAIN, shop: 'acme.shopify.com' })), exact)
  await add('an admin as shop', formEncoded(await signed({ ...PLAIN, shop: 'admin.shopify.com/store/acme' })), exact)
  for (const shop of [
    'evil.com',
    `${SHOP}.evil.com`,
    `${SHOP}:443`,
    `evil.com/${SHOP}`,
    `user@${SHOP}`,
    '',
    'myshopify.com',
  ]) {
    await add(`the shop “${shop}”, signed`, formEncoded(await signed({ ...PLAIN, shop })))
  }
  const codeless = without(PLAIN, 'code')
  const asked = stricter('malformed', 'the library finds out from Shopify')
  await add('no code, signed', formEncoded(await signed(codeless)), asked)
  await add('an empty code, signed', formEncoded(await signed({ ...PLAIN, code: '' })), asked)
  await add('a code with a space, signed', formEncoded(await signed({ ...PLAIN, code: 'a b' })), asked)
  await add(
    'a merchant who declined',
    formEncoded(await signed({ ...codeless, error: 'access_denied' })),
    stricter('denied', 'there is no code to ask about'),
  )

  const random = seeded(1)
  const pick = (list) => list[Math.floor(random() * list.length)]
  const alphabet = [...'abzAZ09 +=%&?#/\\"\'<>[]{}~.,;:é漢🛍\u0301\u00a0\t\n']
  const word = (length, letters) => Array.from({ length }, () => pick(letters)).join('')
  for (let n = 1; n <= 100; n++) {
    const extra = Array.from({ length: 1 + Math.floor(random() * 4) }, () => [
      word(1 + Math.floor(random() * 6), [...'abcxyz_']),
      word(Math.floor(random() * 12), alphabet),
    ])
    const parameters = await signed({ ...PLAIN, ...Object.fromEntries(extra), state: `random-${n}` })
    await add(`random values ${n}`, formEncoded(parameters))
    const [changed] = extra[0]
    await add(
      `random values ${n}, one changed`,
      formEncoded({ ...parameters, [changed]: `${parameters[changed]}${pick(alphabet)}` }),
    )
  }
  return vectors
}
