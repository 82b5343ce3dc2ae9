import { ownUrl, pathOf } from '../../packages/core/src/http/own-path.js'

const own = (text: unknown): string | null => {
  const url = ownUrl(text)
  return url === null ? null : pathOf(url)
}

it.each([
  ['/', '/'],
  ['/products', '/products'],
  ['/products/1?a=b&a=c#top', '/products/1?a=b&a=c'],
  ['/?', '/'],
  ['/a?next=//evil.com', '/a?next=//evil.com'],
  ['/a?b=%0d%0a%5c%2f%2f', '/a?b=%0d%0a%5c%2f%2f'],
  ['/a%2F%2Fb', '/a%2F%2Fb'],
  ['/a//b', '/a//b'],
  ['/100%', '/100%'],
  ['/a b', '/a%20b'],
  ['/käse?q=漢字', '/k%C3%A4se?q=%E6%BC%A2%E5%AD%97'],
  ['/a/../b/./c', '/b/c'],
  ['/../../x', '/x'],
  ['/%2e%2e/x', '/x'],
  ['/@evil.com', '/@evil.com'],
  ['/:443', '/:443'],
])('%j is a path of the app', (text, path) => {
  expect(own(text)).toBe(path)
})

it.each<unknown>([
  ...['', ' ', ' /a', 'a', 'a/b', '?a', '#a', '.', './a', '../a'],
  ...['https://evil.com', 'http:/evil.com', 'https:evil.com', 'javascript:alert(1)', 'data:text/html,x', 'evil.com'],
  ...['//evil.com', '///evil.com', '/\\evil.com', '\\/evil.com', '\\\\evil.com', '/a\\b', '//', '/\\'],
  ...['/%2Fevil.com', '/%5Cevil.com', '/%5cevil.com', '/%252Fevil.com', '/%25252fevil.com', '/%255cevil.com'],
  ...['/\t/evil.com', '/\n/evil.com', '/\r/evil.com', '/\0/evil.com', '\t//evil.com', '/a\r\nset-cookie: x', '/\x7f'],
  ...['/%09/evil.com', '/%0a/evil.com', '/%0D/evil.com', '/%2509/evil.com', '/%00', '/%5Cevil.com/%FF', '/\x85'],
  ...['/.//evil.com', '/a/..//evil.com', '/%2e//evil.com', '/./\\evil.com'],
  ...['/%252525252525', `/${'x'.repeat(8_192)}`],
  ...[undefined, null, 0, ['/a'], { toString: () => '/a' }],
])('%p is none', (text) => {
  expect(own(text)).toBeNull()
})

it.each([
  ['/?id_token=secret', '/'],
  ['/?a=1&id_token=secret&b=2', '/?a=1&b=2'],
  ['/?id_token=one&id_token=two&a', '/?a'],
  ['/?id%5Ftoken=secret&%69d_token=secret', '/'],
  ['/?ID_TOKEN=secret&id_token[]=secret&id_token%5Ba%5D=secret', '/'],
  ['/?a=%2B+%20&id_token=secret', '/?a=%2B+%20'],
  ['/?hint=id_token', '/?hint=id_token'],
])('%j comes without its session token, and otherwise as it was', (text, path) => {
  expect(own(text)).toBe(path)
})
