import { createHmac } from 'node:crypto'
import { CLIENT_ID, NOW, OTHER_SECRET, SECRET, SHOP, verdict, without } from './library.mjs'

const SECONDS = NOW / 1000

/** App Bridge's session tokens. */
export async function sessionTokens({ api }) {
  const vectors = []
  const add = async (name, token, ours) => {
    const library = await verdict(async () => (await api.session.decodeSessionToken(token)) !== undefined)
    vectors.push({ name, token, library, ...ours })
  }
  const base64url = (value) =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
  const claims = {
    iss: `https://${SHOP}/admin`,
    dest: `https://${SHOP}`,
    aud: CLIENT_ID,
    sub: '42',
    exp: SECONDS + 60,
    nbf: SECONDS,
    iat: SECONDS,
    jti: 'f8912129-1af6-4cad-9ca3-76b0f7621087',
    sid: 'aaea182f2732d44c23057c0fea584021a4485b2bd25d3eb7fd349313ad24c685',
  }
  const sign = (payload, header = { alg: 'HS256', typ: 'JWT' }, secret = SECRET, hash = 'sha256') => {
    const text = `${base64url(header)}.${base64url(payload)}`
    return `${text}.${createHmac(hash, secret).update(text).digest('base64url')}`
  }
  const plain = sign(claims)
  await add('Shopify’s own', plain)
  await add('a user with an umlaut', sign({ ...claims, sub: 'Käse 漢字 🛍️' }))
  await add('a claim that nobody knows', sign({ ...claims, extra: { a: [1] } }))
  for (const seconds of [-71, -70, -61, -60, -11, -10, -9, -1, 0, 1, 9, 10, 11, 60]) {
    await add(`an end in ${seconds} seconds`, sign({ ...claims, exp: SECONDS + seconds, nbf: SECONDS - 120 }))
    await add(`a beginning in ${seconds} seconds`, sign({ ...claims, nbf: SECONDS + seconds, exp: SECONDS + 120 }))
  }
  await add('another app', sign({ ...claims, aud: 'other' }))
  const lists = { ours: 'accepts', because: 'RFC 7519 section 4.1.3: an audience may be a list' }
  await add('a list of apps', sign({ ...claims, aud: [CLIENT_ID] }), lists)
  await add('another secret', sign(claims, undefined, OTHER_SECRET))
  await add('no signature', `${plain.split('.').slice(0, 2).join('.')}.`)
  await add('alg none', sign(claims, { alg: 'none' }))
  await add('alg none without a signature', `${base64url({ alg: 'none' })}.${base64url(claims)}.`)
  await add('HS512', sign(claims, { alg: 'HS512' }, SECRET, 'sha512'))
  await add('HS256 under another name', sign(claims, { alg: 'RS256' }))
  const [header, , signature] = plain.split('.')
  await add(
    'another payload, this signature',
    `${header}.${base64url({ ...claims, dest: 'https://evil.myshopify.com' })}.${signature}`,
  )
  for (const [name, token] of Object.entries({
    nothing: '',
    'a word': 'x',
    'two parts': 'a.b',
    'four parts': `${plain}.x`,
  }))
    await add(name, token)
  await add('a payload that is a list', sign([claims]))
  await add('a payload that is no JSON', sign('x'))
  const shop = { ours: 'refuses', because: 'the shop is read from these claims' }
  await add('two shops', sign({ ...claims, iss: 'https://other.myshopify.com/admin' }), shop)
  await add('a shop elsewhere', sign({ ...claims, iss: 'https://evil.com/admin', dest: 'https://evil.com' }), shop)
  await add('no shop', sign(without(claims, 'dest')), shop)
  const times = { ours: 'refuses', because: 'a token without its times would be good for ever' }
  await add('no end', sign(without(claims, 'exp')), times)
  await add('no beginning', sign(without(claims, 'nbf')), times)
  return vectors
}
