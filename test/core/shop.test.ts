import { InvalidShopError, isShop, parseShop } from '@shopify-tokens/core'

const KELVIN_SIGN = '\u212A'
const LONGEST = `${'a'.repeat(253 - '.myshopify.com'.length)}.myshopify.com`

const HOSTILE: readonly (readonly [what: string, input: unknown])[] = [
  ['another domain', 'evil.com'],
  ['a shop as a label of another domain', 'a.myshopify.com.evil.com'],
  ['a domain that ends alike', 'a.notmyshopify.com'],
  ['a domain that merely lacks the dot', 'amyshopify.com'],
  ['the bare domain', 'myshopify.com'],
  ['an empty label', '.myshopify.com'],
  ['a second label', 'b.a.myshopify.com'],
  ['a leading hyphen', '-a.myshopify.com'],
  ['an underscore', 'a_b.myshopify.com'],
  ['a trailing dot', 'a.myshopify.com.'],
  ['a port', 'a.myshopify.com:443'],
  ['a path', 'a.myshopify.com/admin'],
  ['a query', 'a.myshopify.com?b'],
  ['a fragment', 'a.myshopify.com#b'],
  ['a scheme', 'https://a.myshopify.com'],
  ['a user name', 'user@a.myshopify.com'],
  ['a host before an @', 'a.myshopify.com@evil.com'],
  ['another host behind a backslash', 'evil.com\\a.myshopify.com'],
  ['another host behind a slash', 'evil.com/a.myshopify.com'],
  ['another host behind a fragment', 'evil.com#.myshopify.com'],
  ['a percent-encoded dot', 'a%2emyshopify.com'],
  ['a trailing newline', 'a.myshopify.com\n'],
  ['a leading newline', '\na.myshopify.com'],
  ['a second line', 'a.myshopify.com\nevil.com'],
  ['a first line of something else', 'evil.com\na.myshopify.com'],
  ['surrounding spaces', ' a.myshopify.com '],
  ['a tab', 'a\t.myshopify.com'],
  ['a zero byte', 'a\0.myshopify.com'],
  ['full-width dots', 'a\uFF0Emyshopify\uFF0Ecom'],
  ['ideographic dots', 'a\u3002myshopify\u3002com'],
  ['full-width letters', '\uFF41.myshopify.com'],
  ['a Kelvin sign, which toLowerCase makes a k', `${KELVIN_SIGN}iosk.myshopify.com`],
  ['a dotted capital I', '\u0130.myshopify.com'],
  ['a long s in the domain', 'a.my\u017Fhopify.com'],
  ['a Cyrillic look-alike', '\u0430.myshopify.com'],
  ['a soft hyphen', 'a\u00AD.myshopify.com'],
  ['a zero-width space', 'a\u200B.myshopify.com'],
  ['a right-to-left mark', '\u200Fa.myshopify.com'],
  ['an empty string', ''],
  ['one character too many for DNS', `a${LONGEST}`],
  ['10 kB of letters', `${'a'.repeat(10_240)}.myshopify.com`],
  ['nothing', undefined],
  ['null', null],
  ['a number', 1],
  ['a list of one shop', ['a.myshopify.com']],
  ['an object that prints as a shop', { toString: () => 'a.myshopify.com', length: 15 }],
  ['a String object', Object('a.myshopify.com')],
]

describe('parseShop', () => {
  it.each(HOSTILE)('refuses %s', (_what, input) => {
    expect(() => parseShop(input)).toThrow(InvalidShopError)
  })

  it('says what a shop domain looks like, and never repeats the input', () => {
    expect(messageFor('https://shpat_secret@evil.com')).toBe(
      'Not a shop domain: expected a name such as example.myshopify.com, without scheme, port or path.',
    )
  })

  it.each([
    'a.myshopify.com',
    '0.myshopify.com',
    '9.myshopify.com',
    'acme-2.myshopify.com',
    'a-.myshopify.com',
    LONGEST,
  ])('accepts %s as it is', (input) => {
    expect(parseShop(input)).toBe(input)
  })

  it('lower-cases ASCII letters', () => {
    expect(parseShop('ACME-Shop.MyShopify.COM')).toBe('acme-shop.myshopify.com')
  })

  it('gives back what it accepts unchanged when it is parsed again', () => {
    expect(parseShop(parseShop('Acme.myshopify.com'))).toBe('acme.myshopify.com')
  })
})

describe('isShop', () => {
  it.each(HOSTILE)('says no to %s', (_what, input) => {
    expect(isShop(input)).toBe(false)
  })

  it('says no to capitals, which parseShop would have lowered', () => {
    expect(isShop('Acme.myshopify.com')).toBe(false)
  })

  it('says yes to what parseShop returns', () => {
    expect(isShop(parseShop('Acme.myshopify.com'))).toBe(true)
  })
})

function messageFor(input: unknown): string {
  try {
    return parseShop(input)
  } catch (error) {
    return (error as Error).message
  }
}
