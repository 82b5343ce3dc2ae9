import { SHOP, verdict } from './library.mjs'

/** The parameter `host`. */
export async function hosts({ api }) {
  const vectors = []
  const add = async (name, host, ours) => {
    vectors.push({ name, host, library: await verdict(() => api.utils.sanitizeHost(host) !== null), ...ours })
  }
  const encode = (text) => Buffer.from(text).toString('base64').replace(/=+$/, '')
  for (const text of [
    'admin.shopify.com/store/acme',
    `${SHOP}/admin`,
    'admin.shopify.com/store/a',
    'admin.shopify.com/store/ac-me-2',
  ]) {
    await add(text, encode(text))
    await add(`${text}, padded`, Buffer.from(text).toString('base64'))
  }
  const path = { ours: 'refuses', because: 'a link to the app is made of it' }
  for (const text of [
    ...[
      'acme.shopify.com',
      'admin.shopify.com',
      'admin.shopify.com/',
      'admin.shopify.com/store/',
      `${SHOP}/admin/`,
      `${SHOP}/admin/x`,
    ],
    ...[`${SHOP}`, 'other.myshopify.com/admin', 'evil.shopify.com/store/acme', 'admin.shopify.com/store/acme/../evil'],
    ...['admin.shopify.com/store/acme?x', 'admin.shopify.com/store/acme#x', 'admin.shopify.com:443/store/acme'],
    ...[
      'user@admin.shopify.com/store/acme',
      'admin.shopify.com/store/a b',
      'ADMIN.shopify.com/store/acme',
      'a.shop.dev/x',
      'a.spin.dev',
    ],
    ...[
      'admin.shopify.com\\store\\acme',
      'admin.shopify.com/store/acme\n',
      ' admin.shopify.com/store/acme',
      'admin.shopify.com/store/ACME',
    ],
  ]) {
    await add(JSON.stringify(text), encode(text), path)
  }
  for (const text of [
    'evil.com',
    'evil.com/admin.shopify.com/store/acme',
    'admin.shopify.com.evil.com/store/acme',
    'evilshopify.com/x',
    '',
    'x',
    '//',
    ':',
    '[',
    '%',
    `${SHOP}.evil.com/admin`,
    'myshopify.com@evil.com',
    'evil.com#.myshopify.com',
    'evil.com\\.myshopify.com',
    'evil.com?.myshopify.com',
    '\0',
    'käse',
  ]) {
    await add(JSON.stringify(text), encode(text))
  }
  await add('no base64', 'admin.shopify.com/store/acme')
  await add('a space', `${encode('admin.shopify.com/store/acme')} `)
  await add('a line break', `${encode('admin.shopify.com/store/acme')}\n`)
  await add('three padding characters', `${encode('admin.shopify.com/store/acme')}===`)
  return vectors.filter((vector, index) => index === vectors.findIndex(({ host }) => host === vector.host))
}
