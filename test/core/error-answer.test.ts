import {
  AdminResponseError,
  type AnyShopifyTokenError,
  ClosedError,
  CoolingDownError,
  errorAnswer,
  FleetSuspectError,
  ForeignDeploymentError,
  ForeignOriginError,
  InvalidAuthRequestError,
  InvalidCallbackError,
  InvalidOptionError,
  InvalidSessionTokenError,
  InvalidShopError,
  InvalidWebhookError,
  LeaseTimeoutError,
  NoContextError,
  ReauthorizationRequiredError,
  RenewalElsewhereError,
  RotationNotStoredError,
  ScopeMissingError,
  SecretOutdatedError,
  StoreUnavailableError,
  StoreUnreadableError,
  TokenEndpointError,
  WebhookBodyParsedError,
} from '@shopify-tokens/core'

const PLANTED = { shop: 'acme.myshopify.com', requestId: 'planted-request', cause: new Error('planted-cause') }
const answerTo = (error: unknown) => errorAnswer(error, { authPath: '/auth' })

/** One of every code with its status: the type makes the list complete. */
const EVERY: Readonly<Record<AnyShopifyTokenError['code'], readonly [status: number, error: unknown]>> = {
  ERR_REAUTHORIZATION_REQUIRED: [403, new ReauthorizationRequiredError('removed', PLANTED)],
  ERR_INVALID_SESSION_TOKEN: [401, new InvalidSessionTokenError('expired', PLANTED)],
  ERR_INVALID_AUTH_REQUEST: [400, new InvalidAuthRequestError('return_to', PLANTED)],
  ERR_INVALID_CALLBACK: [400, new InvalidCallbackError('state', PLANTED)],
  ERR_INVALID_WEBHOOK: [400, new InvalidWebhookError('headers', PLANTED)],
  ERR_WEBHOOK_BODY_PARSED: [500, new WebhookBodyParsedError(PLANTED)],
  ERR_SCOPE_MISSING: [403, new ScopeMissingError(['planted-no-scope'], PLANTED)],
  ERR_INVALID_SHOP: [400, new InvalidShopError()],
  ERR_COOLING_DOWN: [503, new CoolingDownError('planted', PLANTED)],
  ERR_TOKEN_ENDPOINT_UNAVAILABLE: [503, new TokenEndpointError('ERR_TOKEN_ENDPOINT_UNAVAILABLE', 'planted', PLANTED)],
  ERR_TOKEN_RESPONSE_INVALID: [503, new TokenEndpointError('ERR_TOKEN_RESPONSE_INVALID', 'planted', PLANTED)],
  ERR_LEASE_TIMEOUT: [503, new LeaseTimeoutError('planted', PLANTED)],
  ERR_RENEWAL_ELSEWHERE: [503, new RenewalElsewhereError(PLANTED)],
  ERR_STORE_UNAVAILABLE: [503, new StoreUnavailableError('planted', PLANTED)],
  ERR_FLEET_SUSPECT: [503, new FleetSuspectError(PLANTED)],
  ERR_CLOSED: [503, new ClosedError(PLANTED)],
  ERR_ADMIN_RESPONSE: [502, new AdminResponseError(418, PLANTED)],
  ERR_APP_MISCONFIGURED: [500, new TokenEndpointError('ERR_APP_MISCONFIGURED', 'planted', PLANTED)],
  ERR_SECRET_OUTDATED: [500, new SecretOutdatedError('planted', PLANTED)],
  ERR_FOREIGN_DEPLOYMENT: [500, new ForeignDeploymentError(PLANTED)],
  ERR_STORE_UNREADABLE: [500, new StoreUnreadableError('planted', PLANTED)],
  ERR_ROTATION_NOT_STORED: [500, new RotationNotStoredError(['planted.myshopify.com'], PLANTED)],
  ERR_FOREIGN_ORIGIN: [500, new ForeignOriginError(PLANTED)],
  ERR_NO_CONTEXT: [500, new NoContextError()],
}

describe.each(Object.entries(EVERY))('%s', (code, [status, error]) => {
  it(`is answered with ${String(status)} and problem details`, () => {
    expect(answerTo(error)).toMatchObject({
      status,
      body: {
        type: `urn:shopify-tokens:${code}`,
        title: expect.stringMatching(/^[A-Z].+\.$/) as unknown,
        status,
        code,
      },
    })
  })

  it('is never cached, and tells nothing of message, stack, cause or request', () => {
    const answer = answerTo(error)

    expect(answer?.headers['cache-control']).toBe('no-store')
    expect(JSON.stringify(answer)).not.toContain('planted')
    expect(JSON.stringify(answer)).not.toContain('.ts:')
  })

  it('tells when to come back exactly when waiting helps', () => {
    expect(answerTo(error)?.headers['retry-after']).toBe(status === 503 ? '1' : undefined)
  })
})

describe('the answer to a bad session token', () => {
  it('makes App Bridge fetch a new one', () => {
    expect(answerTo(new InvalidSessionTokenError('expired'))?.headers).toEqual({
      'cache-control': 'no-store',
      'x-shopify-retry-invalid-session-request': '1',
    })
  })
})

describe('the answer to a shop that needs its merchant', () => {
  it('leads to the path that begins authorization', () => {
    expect(answerTo(EVERY.ERR_REAUTHORIZATION_REQUIRED[1])?.headers).toEqual({
      'cache-control': 'no-store',
      'X-Shopify-API-Request-Failure-Reauthorize': '1',
      'X-Shopify-API-Request-Failure-Reauthorize-Url': '/auth?shop=acme.myshopify.com',
      'access-control-expose-headers':
        'X-Shopify-API-Request-Failure-Reauthorize, X-Shopify-API-Request-Failure-Reauthorize-Url',
    })
  })

  it('leads there without a shop when the error names none', () => {
    const headers = answerTo(new ReauthorizationRequiredError('not-installed', {}))?.headers

    expect(headers?.['X-Shopify-API-Request-Failure-Reauthorize-Url']).toBe('/auth')
  })

  it('lets no shop break out of the header', () => {
    const error = new ReauthorizationRequiredError('removed', { shop: 'a\r\nset-cookie: x=1&b' })

    expect(answerTo(error)?.headers['X-Shopify-API-Request-Failure-Reauthorize-Url']).toBe(
      '/auth?shop=a%0D%0Aset-cookie%3A+x%3D1%26b',
    )
  })
})

describe('the answer to a webhook that was refused', () => {
  it.each([
    ['malformed', 400],
    ['too-large', 413],
    ['headers', 400],
    ['signature', 401],
    ['shop', 400],
  ] as const)('because of %s is %i', (flaw, status) => {
    expect(answerTo(new InvalidWebhookError(flaw))).toMatchObject({ status, body: { status } })
  })
})

describe('the answer to missing scopes', () => {
  it('leads to the path that begins authorization, and names them', () => {
    const error = new ScopeMissingError(['write_products', 'customer_read_orders'], PLANTED)

    expect(answerTo(error)?.headers).toEqual({
      'cache-control': 'no-store',
      'X-Shopify-API-Request-Failure-Reauthorize': '1',
      'X-Shopify-API-Request-Failure-Reauthorize-Url':
        '/auth?shop=acme.myshopify.com&scope=write_products%2Ccustomer_read_orders',
      'access-control-expose-headers':
        'X-Shopify-API-Request-Failure-Reauthorize, X-Shopify-API-Request-Failure-Reauthorize-Url',
    })
  })

  it('names those granted too, for the merchant grants what is asked for and nothing else', () => {
    const granted = ['read_products', 'write_orders', 'read_orders']
    const error = new ScopeMissingError(['write_products'], { ...PLANTED, granted })

    expect(answerTo(error)?.headers['X-Shopify-API-Request-Failure-Reauthorize-Url']).toBe(
      '/auth?shop=acme.myshopify.com&scope=write_products%2Cwrite_orders%2Cread_orders',
    )
  })

  it('names the missing ones alone when all together are too many to ask for', () => {
    const granted = Array.from({ length: 60 }, (_, index) => `read_something_${String(index)}`)
    const error = new ScopeMissingError(['write_products'], { ...PLANTED, granted })

    expect(answerTo(error)?.headers['X-Shopify-API-Request-Failure-Reauthorize-Url']).toBe(
      '/auth?shop=acme.myshopify.com&scope=write_products',
    )
  })

  it.each(['', 'write_products&x=1', 'write products', 'WRITE_PRODUCTS', '../x', 'a\r\nset-cookie: x=1'])(
    'puts nothing into the address that is no scope: %p',
    (scope) => {
      const error = new ScopeMissingError(['read_orders', scope], PLANTED)

      expect(answerTo(error)?.headers['X-Shopify-API-Request-Failure-Reauthorize-Url']).toBe(
        '/auth?shop=acme.myshopify.com&scope=read_orders',
      )
    },
  )
})

describe('the time to wait', () => {
  it.each([
    [undefined, '1'],
    [0, '1'],
    [1, '1'],
    [1_000, '1'],
    [1_001, '2'],
    [3_600_000, '3600'],
  ])('of %p milliseconds is told in whole seconds as %s', (retryAfterMs, seconds) => {
    expect(answerTo(new CoolingDownError('Pausing.', { retryAfterMs }))?.headers['retry-after']).toBe(seconds)
  })
})

describe('an error that is not ours', () => {
  it.each([
    new Error('planted'),
    new InvalidOptionError('Option a is wrong.', ['a']),
    { code: 'ERR_CLOSED' },
    null,
    undefined,
    'ERR_CLOSED',
  ])("is left to the app's own error handling: %p", (error) => {
    expect(answerTo(error)).toBeNull()
  })
})

describe('an error of a newer copy of this module', () => {
  it.each(['ERR_OF_TOMORROW', 'constructor', 'toString', '__proto__'])(
    'with the unknown code %s is a plain failure',
    (code) => {
      const error = Object.assign(new ClosedError(), { code })

      expect(answerTo(error)).toEqual({
        status: 500,
        headers: { 'cache-control': 'no-store' },
        body: { type: `urn:shopify-tokens:${code}`, title: 'The app could not get a token.', status: 500, code },
      })
    },
  )
})
