import { inspect } from 'node:util'
import type * as Core from '@shopify-tokens/core'
import {
  AdminResponseError,
  type AnyShopifyTokenError,
  ClosedError,
  CoolingDownError,
  type ErrorCode,
  FleetSuspectError,
  ForeignDeploymentError,
  ForeignOriginError,
  InvalidAuthRequestError,
  InvalidCallbackError,
  InvalidOptionError,
  InvalidSessionTokenError,
  InvalidShopError,
  InvalidWebhookError,
  isShopifyTokenError,
  LeaseTimeoutError,
  NoContextError,
  ReauthorizationRequiredError,
  type ReauthorizationReason,
  RenewalElsewhereError,
  RotationNotStoredError,
  ScopeMissingError,
  SecretOutdatedError,
  ShopifyTokenError,
  StoreUnavailableError,
  StoreUnreadableError,
  TokenEndpointError,
  WebhookBodyParsedError,
} from '@shopify-tokens/core'

const DETAILS = { shop: 'acme.myshopify.com', requestId: 'req-1', retryAfterMs: 1_500, cause: new Error('beneath') }

/** One of every code: the type makes the list complete. */
const EVERY: { readonly [Code in AnyShopifyTokenError['code']]: Extract<AnyShopifyTokenError, { code: Code }> } = {
  ERR_REAUTHORIZATION_REQUIRED: new ReauthorizationRequiredError('not-installed', DETAILS),
  ERR_TOKEN_ENDPOINT_UNAVAILABLE: new TokenEndpointError('ERR_TOKEN_ENDPOINT_UNAVAILABLE', 'Away.', DETAILS),
  ERR_TOKEN_RESPONSE_INVALID: new TokenEndpointError('ERR_TOKEN_RESPONSE_INVALID', 'Odd.', DETAILS),
  ERR_APP_MISCONFIGURED: new TokenEndpointError('ERR_APP_MISCONFIGURED', 'Wrong.', { ...DETAILS, status: 401 }),
  ERR_STORE_UNAVAILABLE: new StoreUnavailableError('Away.', DETAILS),
  ERR_STORE_UNREADABLE: new StoreUnreadableError('Sealed.', DETAILS),
  ERR_ROTATION_NOT_STORED: new RotationNotStoredError(['a.myshopify.com', 'b.myshopify.com'], DETAILS),
  ERR_LEASE_TIMEOUT: new LeaseTimeoutError('Held.', DETAILS),
  ERR_COOLING_DOWN: new CoolingDownError('Pausing.', DETAILS),
  ERR_RENEWAL_ELSEWHERE: new RenewalElsewhereError(DETAILS),
  ERR_SECRET_OUTDATED: new SecretOutdatedError('Older.', DETAILS),
  ERR_FLEET_SUSPECT: new FleetSuspectError(DETAILS),
  ERR_FOREIGN_DEPLOYMENT: new ForeignDeploymentError(DETAILS),
  ERR_INVALID_SHOP: new InvalidShopError(),
  ERR_INVALID_SESSION_TOKEN: new InvalidSessionTokenError('expired', DETAILS),
  ERR_INVALID_AUTH_REQUEST: new InvalidAuthRequestError('scope', DETAILS),
  ERR_INVALID_CALLBACK: new InvalidCallbackError('state', DETAILS),
  ERR_INVALID_WEBHOOK: new InvalidWebhookError('signature', DETAILS),
  ERR_WEBHOOK_BODY_PARSED: new WebhookBodyParsedError(DETAILS),
  ERR_SCOPE_MISSING: new ScopeMissingError(['write_products', 'read_orders'], DETAILS),
  ERR_FOREIGN_ORIGIN: new ForeignOriginError(DETAILS),
  ERR_ADMIN_RESPONSE: new AdminResponseError(503, DETAILS),
  ERR_NO_CONTEXT: new NoContextError(),
  ERR_CLOSED: new ClosedError(DETAILS),
}

const RETRYABLE: readonly ErrorCode[] = [
  'ERR_TOKEN_ENDPOINT_UNAVAILABLE',
  'ERR_TOKEN_RESPONSE_INVALID',
  'ERR_STORE_UNAVAILABLE',
  'ERR_LEASE_TIMEOUT',
  'ERR_COOLING_DOWN',
  'ERR_RENEWAL_ELSEWHERE',
  'ERR_FLEET_SUSPECT',
  'ERR_ADMIN_RESPONSE',
]

describe.each(Object.entries(EVERY))('%s', (code, error) => {
  it('is the code of its error', () => {
    expect(error.code).toBe(code)
  })

  it('is recognised as one of ours', () => {
    expect(isShopifyTokenError(error)).toBe(true)
    expect(error).toBeInstanceOf(ShopifyTokenError)
    expect(error).toBeInstanceOf(Error)
  })

  it('says whether the same call may succeed later', () => {
    expect(error.retryable).toBe(RETRYABLE.includes(error.code))
  })

  it('carries the name of its class and a sentence', () => {
    expect(error.name).toBe(error.constructor.name)
    expect(error.message).toMatch(/^[A-Z].*$/)
    expect(String(error)).toBe(`${error.name}: ${error.message}`)
  })

  it('has an optional detail only where there is one', () => {
    const bare = code === 'ERR_INVALID_SHOP' || code === 'ERR_NO_CONTEXT'
    expect(error.shop).toBe(bare ? undefined : DETAILS.shop)
    expect(error.requestId).toBe(bare ? undefined : DETAILS.requestId)
    expect(error.retryAfterMs).toBe(bare ? undefined : DETAILS.retryAfterMs)
    expect(error.cause).toBe(bare ? undefined : DETAILS.cause)
    expect('cause' in error).toBe(!bare)
  })

  it('does not print its brand', () => {
    expect(inspect(error)).not.toContain('@shopify-tokens/error')
    expect(Object.keys(error)).not.toContain('brand')
  })
})

describe('isShopifyTokenError', () => {
  it('recognises an error of another copy of the module, which instanceof does not', () => {
    const copy = anotherCopy()
    const theirs = new copy.StoreUnavailableError('Away.', { shop: 'acme.myshopify.com' })

    expect(theirs).not.toBeInstanceOf(ShopifyTokenError)
    expect(isShopifyTokenError(theirs)).toBe(true)
    expect(copy.isShopifyTokenError(EVERY.ERR_CLOSED)).toBe(true)
  })

  it.each([
    ['an error', new Error('no')],
    ['an object with one of our codes', { code: 'ERR_CLOSED' }],
    ['an option error, which is a TypeError', new InvalidOptionError('Option a is wrong.', ['a'])],
    ['null', null],
    ['nothing', undefined],
    ['a string', 'ERR_CLOSED'],
    ['a function', () => 'ERR_CLOSED'],
  ])('says no to %s', (_what, thrown) => {
    expect(isShopifyTokenError(thrown)).toBe(false)
  })

  it('narrows to a union whose switch over code is exhaustive', () => {
    const actor = (error: AnyShopifyTokenError): 'merchant' | 'operator' | 'time' | 'caller' => {
      switch (error.code) {
        case 'ERR_REAUTHORIZATION_REQUIRED':
        case 'ERR_SCOPE_MISSING':
          return 'merchant'
        case 'ERR_APP_MISCONFIGURED':
        case 'ERR_SECRET_OUTDATED':
        case 'ERR_FLEET_SUSPECT':
        case 'ERR_FOREIGN_DEPLOYMENT':
        case 'ERR_STORE_UNREADABLE':
        case 'ERR_ROTATION_NOT_STORED':
          return 'operator'
        case 'ERR_TOKEN_ENDPOINT_UNAVAILABLE':
        case 'ERR_TOKEN_RESPONSE_INVALID':
        case 'ERR_STORE_UNAVAILABLE':
        case 'ERR_LEASE_TIMEOUT':
        case 'ERR_COOLING_DOWN':
        case 'ERR_RENEWAL_ELSEWHERE':
        case 'ERR_CLOSED':
          return 'time'
        case 'ERR_INVALID_SHOP':
        case 'ERR_INVALID_AUTH_REQUEST':
        case 'ERR_INVALID_CALLBACK':
        case 'ERR_INVALID_SESSION_TOKEN':
        case 'ERR_INVALID_WEBHOOK':
        case 'ERR_WEBHOOK_BODY_PARSED':
        case 'ERR_FOREIGN_ORIGIN':
        case 'ERR_ADMIN_RESPONSE':
        case 'ERR_NO_CONTEXT':
          return 'caller'
        default:
          return error satisfies never
      }
    }

    expect(actor(EVERY.ERR_LEASE_TIMEOUT)).toBe('time')
  })
})

describe('ReauthorizationRequiredError', () => {
  it.each<[ReauthorizationReason, RegExp]>([
    ['not-installed', /No token is on record/],
    ['removed', /has removed the app/],
    ['refresh-token-rejected', /ended every refresh token/],
    ['app-not-installed', /has not installed the app/],
    ['access-token-rejected', /cannot be renewed/],
  ])('tells what %s means', (reason, message) => {
    const error = new ReauthorizationRequiredError(reason, {})

    expect(error.reason).toBe(reason)
    expect(error.message).toMatch(message)
  })
})

describe('an error without details', () => {
  it.each([new ForeignOriginError(), new ClosedError(), new StoreUnavailableError('Away.')])(
    'has none: $code',
    (error) => {
      expect(error).toMatchObject({ shop: undefined, requestId: undefined, retryAfterMs: undefined })
    },
  )
})

describe('RotationNotStoredError', () => {
  it('names every shop whose newest pair is lost', () => {
    const { message, shops } = EVERY.ERR_ROTATION_NOT_STORED

    expect(shops).toEqual(['a.myshopify.com', 'b.myshopify.com'])
    expect(message).toContain('2 shop(s)')
    expect(message).toContain('a.myshopify.com, b.myshopify.com')
    expect(new RotationNotStoredError([]).shop).toBeUndefined()
  })
})

describe('TokenEndpointError', () => {
  it('carries the status of the last answer', () => {
    expect(EVERY.ERR_APP_MISCONFIGURED.status).toBe(401)
    expect(new TokenEndpointError('ERR_TOKEN_ENDPOINT_UNAVAILABLE', 'Away.').status).toBeUndefined()
  })
})

describe('AdminResponseError', () => {
  it.each([
    [429, true],
    [500, true],
    [503, true],
    [300, false],
    [401, false],
    [403, false],
    [430, false],
  ])('of %i is retryable: %s', (status, retryable) => {
    const error = new AdminResponseError(status)

    expect(error).toMatchObject({ status, retryable })
    expect(error.message).toBe(`The Admin API answered ${String(status)}.`)
  })
})

describe('InvalidSessionTokenError', () => {
  it('tells which check failed', () => {
    const error = new InvalidSessionTokenError('audience')

    expect(error.flaw).toBe('audience')
    expect(error.message).toBe('The session token was refused: audience.')
  })
})

describe('InvalidOptionError', () => {
  it('is a TypeError that names the options at fault', () => {
    const error = new InvalidOptionError('Options a and b are wrong.', ['a', 'b'])

    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ code: 'ERR_INVALID_OPTION', name: 'InvalidOptionError', options: ['a', 'b'] })
  })
})

function anotherCopy(): typeof Core {
  let copy: typeof Core | undefined
  jest.isolateModules(() => {
    copy = jest.requireActual<typeof Core>('@shopify-tokens/core')
  })
  return copy!
}
