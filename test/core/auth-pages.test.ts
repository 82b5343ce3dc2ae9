import { createHash } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { APP_BRIDGE_URL, parseShop } from '@shopify-tokens/core'
import { bouncePage, exitIframePage, messagePage, redirect } from '../../packages/core/src/http/auth-pages.js'

const SHOP = parseShop('acme.myshopify.com')
const HOSTILE = `</script><script>alert("1")</script>'&\u2028`
const MESSAGE = { status: 400, title: 'Title', text: 'Text.', code: 'ERR_X' }
const PAGES = [
  ['bounce page', bouncePage('client-id', SHOP)],
  ['page that leaves the frame', exitIframePage('client-id', SHOP, 'https://app.example.com/auth')],
  ['message', messagePage(MESSAGE, SHOP)],
] as const

const policyOf = (page: { readonly headers: Readonly<Record<string, unknown>> }): string =>
  String(page.headers['content-security-policy'])

it.each([...PAGES, ['redirect', redirect('https://acme.myshopify.com/')] as const])(
  'a %s is kept by no cache and tells other sites nothing of its address',
  (_which, { headers }) => {
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'referrer-policy': 'strict-origin',
      'x-content-type-options': 'nosniff',
      'content-type': expect.stringMatching(/; charset=utf-8$/) as unknown,
    })
    expect(Object.keys(headers).filter((name) => name !== name.toLowerCase())).toEqual([])
  },
)

it.each(PAGES)('a %s is shown in the admin of its shop and nowhere else', (_which, page) => {
  expect(policyOf(page)).toMatch(/frame-ancestors https:\/\/acme\.myshopify\.com https:\/\/admin\.shopify\.com$/)
})

it.each([
  ['bounce page', bouncePage('client-id', null)],
  ['message', messagePage(MESSAGE, null)],
])('a %s without a shop is shown in the admin of all shops, and in no shop', (_which, page) => {
  expect(policyOf(page)).toMatch(/frame-ancestors https:\/\/admin\.shopify\.com$/)
})

describe('the bounce page', () => {
  it('sets no policy for scripts: it may become the app’s document', () => {
    expect(policyOf(bouncePage('client-id', SHOP))).toMatch(/^frame-ancestors [^;]*$/)
  })

  it('holds App Bridge and nothing else', () => {
    const { body } = bouncePage('client-id', SHOP)

    expect(body.match(/<script/g)).toHaveLength(1)
    expect(body).toContain(`<script data-api-key="client-id" src="${APP_BRIDGE_URL}"></script>`)
  })

  it('lets no client id out of its attribute', () => {
    expect(bouncePage('a"><script>', SHOP).body).toContain('data-api-key="a&#34;&#62;&#60;script&#62;"')
  })
})

describe('the page that leaves the frame', () => {
  const url = `https://app.example.com/auth?x=${HOSTILE}`
  const page = exitIframePage('client-id', SHOP, url)
  const scripts = [...page.body.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => script)

  it('opens the address on top, whatever it holds', () => {
    const opened: unknown[] = []
    const window = { open: (...args: readonly unknown[]) => opened.push(args) }
    runInNewContext(scripts.join(';'), { window })

    expect(scripts).toHaveLength(1)
    expect(opened).toEqual([[url, '_top']])
  })

  it('allows this script by its hash, App Bridge, and no other', () => {
    const hash = createHash('sha256')
      .update(scripts[0] ?? '')
      .digest('base64')

    expect(policyOf(page)).toContain(`default-src 'none'; script-src 'sha256-${hash}' https://cdn.shopify.com;`)
    expect(policyOf(page)).toContain("base-uri 'none'; form-action 'none'")
  })

  it('loads App Bridge first, which lets it leave without a click', () => {
    expect(page.body.indexOf(APP_BRIDGE_URL)).toBeLessThan(page.body.indexOf('window.open'))
  })

  it('has a link for browsers without App Bridge', () => {
    const escaped = `https://app.example.com/auth?x=&#60;/script&#62;&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;\u2028`

    expect(page.body).toContain(`<a href="${escaped}" target="_top">Continue</a>`)
  })
})

describe('a message', () => {
  it('allows no script, no form, and of styles its own alone', () => {
    const page = messagePage(MESSAGE, SHOP)
    const style = /<style>(.*)<\/style>/.exec(page.body)?.[1] ?? ''
    const hash = createHash('sha256').update(style).digest('base64')

    const allowed = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'; frame-ancestors `
    expect(policyOf(page).slice(0, allowed.length)).toBe(allowed)
  })

  it('says what happened and what to do, with the code', () => {
    const { status, body } = messagePage({ ...MESSAGE, link: { href: '/auth?a=b&c', label: 'Begin again' } }, SHOP)

    expect(status).toBe(400)
    expect(body).toContain('<h1>Title</h1><p>Text.</p><p><a href="/auth?a=b&#38;c">Begin again</a></p>')
    expect(body).toContain('<code>ERR_X</code>')
  })

  it('lets nothing out of its place', () => {
    const { body } = messagePage(
      { status: 400, title: HOSTILE, text: HOSTILE, code: HOSTILE, link: { href: HOSTILE, label: HOSTILE } },
      null,
    )

    expect(body).not.toContain('<script')
    expect(body.match(/<[^>]*>/g)).toEqual(messagePageTags())
  })
})

function messagePageTags(): readonly string[] {
  const escaped = '&#60;/script&#62;&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#39;&#38;\u2028'
  return [
    ...['<!doctype html>', '<html lang="en">', '<head>', '<meta charset="utf-8">'],
    ...['<meta name="viewport" content="width=device-width">', '<title>', '</title>', '</head>', '<body>'],
    ...['<style>', '</style>', '<h1>', '</h1>', '<p>', '</p>', '<p>', `<a href="${escaped}">`, '</a>', '</p>'],
    ...['<p>', '<code>', '</code>', '</p>', '</body>', '</html>'],
  ]
}
