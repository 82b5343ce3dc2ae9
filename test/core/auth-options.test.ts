import { AUTH_VARIABLES, AuthFlow, type AuthOptions, InvalidOptionError } from '@shopify-tokens/core'
import { parseAuthOptions } from '../../packages/core/src/http/auth-options.js'

const APP = 'https://app.example.com'

it('have defaults', () => {
  expect(parseAuthOptions({ appUrl: APP }, {})).toEqual({
    scopes: [],
    appUrl: APP,
    authPath: '/auth',
    embedded: true,
    onInstalled: null,
  })
})

it('come from the environment where they are not given', () => {
  const env = { [AUTH_VARIABLES.appUrl]: APP, [AUTH_VARIABLES.scopes]: 'read_products, write_orders,,read_products,' }

  expect(parseAuthOptions({}, env)).toMatchObject({ appUrl: APP, scopes: ['read_products', 'write_orders'] })
  expect(parseAuthOptions({ appUrl: 'https://other.example.com', scopes: [] }, env)).toMatchObject({
    appUrl: 'https://other.example.com',
    scopes: [],
  })
})

it.each([
  ['https://app.example.com/', APP],
  ['https://APP.example.com:443', APP],
  ['https://app.example.com:8443', 'https://app.example.com:8443'],
  ['http://localhost:3000', 'http://localhost:3000'],
  ['http://127.0.0.1:3000', 'http://127.0.0.1:3000'],
  ['http://[::1]:3000', 'http://[::1]:3000'],
])('take %s as the origin of the app', (appUrl, origin) => {
  expect(parseAuthOptions({ appUrl }, {}).appUrl).toBe(origin)
})

it.each<[option: keyof AuthOptions, value: unknown]>([
  ...[undefined, null, '', 'app.example.com', 'http://app.example.com', 'http://localhost.evil.com'].map(
    (value): ['appUrl', unknown] => ['appUrl', value],
  ),
  ...['ftp://localhost', `${APP}/shopify`, `${APP}?a`, `${APP}#a`, 'https://user@app.example.com', 42].map(
    (value): ['appUrl', unknown] => ['appUrl', value],
  ),
  ...['', '/', 'auth', '//auth', '/auth/', '/auth?x', '/auth;x', '/a uth', 42].map((value): ['authPath', unknown] => [
    'authPath',
    value,
  ]),
  ...['read_products', [''], ['read products'], ['a,b'], [42], {}].map((value): ['scopes', unknown] => [
    'scopes',
    value,
  ]),
  ...['yes', 1, null].map((value): ['embedded', unknown] => ['embedded', value]),
  ...['yes', {}, null].map((value): ['onInstalled', unknown] => ['onInstalled', value]),
])('refuse as %s: %p', (option, value) => {
  const build = (): AuthFlow => new AuthFlow(() => Promise.reject(new Error()), { appUrl: APP, [option]: value }, {})

  expect(build).toThrow(InvalidOptionError)
  expect(build).toThrow(expect.objectContaining({ options: [option] }) as Error)
})

it('refuse scopes in the environment that are none', () => {
  expect(() => parseAuthOptions({ appUrl: APP }, { SCOPES: 'read_products;write_orders' })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: ['SCOPES'] }) as Error,
  )
})

it('refuse unknown ones, and what is no object', () => {
  expect(() => parseAuthOptions({ appUrl: APP, appURL: APP } as AuthOptions, {})).toThrow('Unknown option: appURL.')
  expect(() => parseAuthOptions(null as never, {})).toThrow('Option options must be an object; got null.')
})

it('come from the environment of the process unless another is given', () => {
  const before = process.env[AUTH_VARIABLES.appUrl]
  const build = (): AuthFlow => new AuthFlow(() => Promise.reject(new Error()))
  try {
    process.env[AUTH_VARIABLES.appUrl] = APP
    expect(build().authPath).toBe('/auth')
    process.env[AUTH_VARIABLES.appUrl] = ''
    expect(build).toThrow(InvalidOptionError)
  } finally {
    if (before === undefined) Reflect.deleteProperty(process.env, AUTH_VARIABLES.appUrl)
    else process.env[AUTH_VARIABLES.appUrl] = before
  }
})

it('are refused without repeating a value', () => {
  expect(() => parseAuthOptions({ appUrl: 'http://planted.example.com' }, {})).toThrow(
    "Option appUrl must be the app's https origin, such as https://app.example.com (or set SHOPIFY_APP_URL); http is for localhost alone; got string.",
  )
  expect(() => parseAuthOptions({ appUrl: 'https://app.example.com/planted' }, {})).toThrow(
    "Option appUrl must be the app's https origin, such as https://app.example.com (or set SHOPIFY_APP_URL), without path, query or name; got string.",
  )
})
