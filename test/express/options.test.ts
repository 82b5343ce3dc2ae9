import { type InvalidOptionError, MemoryTokenStore } from '@shopify-tokens/core'
import {
  requireScopes,
  shopifyAuth,
  shopifyTokens,
  shopifyTokensErrorHandler,
  shopifyWebhooks,
} from '@shopify-tokens/express'

const tokens = { token: () => Promise.reject(new Error('not called')) }
const manager = {
  clientId: 'app',
  clientSecret: 'a-secret-value',
  store: new MemoryTokenStore(),
  sealing: 'unsealed-tokens-readable-in-store',
} as const

function refusal(build: () => unknown): InvalidOptionError {
  try {
    build()
  } catch (error) {
    return error as InvalidOptionError
  }
  throw new Error('nothing was refused')
}

describe('a wrong option is refused when the middleware is made:', () => {
  it.each<[string, unknown, string[]]>([
    ['no object', 'production', ['options']],
    ['nothing', null, ['options']],
    ['an unknown name', { ...manager, lasy: true }, ['lasy']],
    ['an unknown name beside a source', { tokens, lasy: true, refreshAhead: 1 }, ['lasy', 'refreshAhead']],
    ['a setting of the manager beside a source', { tokens, refreshAheadMs: 1 }, ['refreshAheadMs']],
    ['a source without token()', { tokens: { get: () => 'a-secret-value' } }, ['tokens']],
    ['null for a source', { tokens: null }, ['tokens']],
    ['a shop instead of a function', { tokens, shopOf: 'acme.myshopify.com' }, ['shopOf']],
    ['a word instead of true or false', { tokens, lazy: 'yes' }, ['lazy']],
    ['another origin for authorization', { tokens, authPath: '//evil.com' }, ['authPath']],
    ['another origin for authorization, with a backslash', { tokens, authPath: '/\\evil.com' }, ['authPath']],
    ['an address for authorization', { tokens, authPath: 'https://evil.com' }, ['authPath']],
    ['a line break for authorization', { tokens, authPath: '/auth\r\nx: y' }, ['authPath']],
    ['a query for authorization', { tokens, authPath: '/auth?a=b' }, ['authPath']],
    ['another way with errors', { tokens, onError: 'ignore' }, ['onError']],
    ['a manager without a client id', { ...manager, clientId: undefined }, ['clientId']],
    ['a manager with a wrong number', { ...manager, refreshAheadMs: -1 }, ['refreshAheadMs']],
  ])('%s', (_mistake, options, names) => {
    const error = refusal(() => shopifyTokens(options as never))

    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', options: names })
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).not.toMatch(/a-secret-value|evil|production|ignore|acme/)
  })

  it('and when the error handler is made', () => {
    expect(refusal(() => shopifyTokensErrorHandler({ authPath: 'auth' }))).toMatchObject({ options: ['authPath'] })
    expect(refusal(() => shopifyTokensErrorHandler({ path: '/auth' } as never))).toMatchObject({ options: ['path'] })
  })
})

describe('a wrong option is refused when the routes are made:', () => {
  const shopify = shopifyTokens(manager)
  const appUrl = 'https://app.example'

  it.each<[string, unknown, string[]]>([
    ['no tokens', { appUrl }, ['tokens']],
    ['a source that can exchange no code', { tokens, appUrl }, ['tokens']],
    ['a middleware over such a source', { tokens: shopifyTokens({ tokens }), appUrl }, ['tokens']],
    ['an unknown name', { tokens: shopify, appUrl, scope: ['read_products'] }, ['scope']],
    ['another scheme', { tokens: shopify, appUrl: 'ftp://app.example' }, ['appUrl']],
    ['another origin for a path', { tokens: shopify, appUrl, authPath: '//evil.com' }, ['authPath']],
  ])('of authorization: %s', (_mistake, options, names) => {
    expect(refusal(() => shopifyAuth(options as never))).toMatchObject({ code: 'ERR_INVALID_OPTION', options: names })
  })

  it.each<[string, unknown, string[]]>([
    ['no tokens', {}, ['tokens']],
    ['a source that can verify nothing', { tokens }, ['tokens']],
    ['an unknown name', { tokens: shopify, topics: [] }, ['topics']],
    [
      'a list of handlers',
      { tokens: shopify, handlers: { 'app/uninstalled': 'a-secret-value' } },
      ["handlers['app/uninstalled']"],
    ],
    ['another origin for a path', { tokens: shopify, path: '//evil.com' }, ['path']],
  ])('of webhooks: %s', (_mistake, options, names) => {
    const error = refusal(() => shopifyWebhooks(options as never))

    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', options: names })
    expect(error.message).not.toMatch(/a-secret-value|evil/)
  })

  it('and scopes that are none when a check is made', () => {
    expect(refusal(() => requireScopes('write products'))).toMatchObject({ options: ['scopes'] })
  })
})

describe('the middleware', () => {
  it('is ready at once with a source that it was given, and leaves it open', async () => {
    const middleware = shopifyTokens({ tokens })

    expect(await middleware.ready).toBe(tokens)
    await middleware.close()
  })

  it('makes a manager of its own when it gets a store, and closes it', async () => {
    const middleware = shopifyTokens(manager)
    const close = jest.spyOn(await middleware.ready, 'close')

    await middleware.close()

    expect(close).toHaveBeenCalledTimes(1)
  })
})
