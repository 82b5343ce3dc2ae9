import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type * as Core from '@shopify-tokens/core'
import {
  createTokenManager,
  InvalidOptionError,
  MemoryLock,
  MemoryTokenStore,
  Secret,
  staticKeyRing,
  systemClock,
  type TokenManagerOptions,
} from '@shopify-tokens/core'
import { FakeClock } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS, DURATION_RANGES, type Durations } from '../../packages/core/src/durations.js'
import { parseOptions } from '../../packages/core/src/options.js'

const clock = new FakeClock()
const store = new MemoryTokenStore({ clock })
const keyRing = staticKeyRing([{ id: 'k1', bytes: new Uint8Array(32) }])
const NEEDED: TokenManagerOptions = { clientId: 'client-id', clientSecret: 'shpss_planted', store, sealing: keyRing }
const DURATIONS = Object.keys(DEFAULT_DURATIONS) as (keyof Durations)[]
const NUMBERS = [...DURATIONS, 'cacheSize'] as const

/** The module once more, as two installed versions of the package would be. */
function anotherCopy(): typeof Core {
  let copy: typeof Core | undefined
  jest.isolateModules(() => {
    copy = jest.requireActual<typeof Core>('@shopify-tokens/core')
  })
  return copy!
}

describe('options', () => {
  it('are completed from the defaults', () => {
    const settings = parseOptions(NEEDED)

    expect(settings).toMatchObject({
      ...DEFAULT_DURATIONS,
      clientId: 'client-id',
      keyRing,
      store,
      grant: null,
      lock: null,
      renewal: 'hybrid',
      background: null,
      onEvent: null,
      requireExpiring: false,
      apiVersion: null,
      cacheSize: 10_000,
      clock: systemClock,
    })
    expect(settings.clientSecret.reveal()).toBe('shpss_planted')
    expect(settings.clientSecrets).toEqual([settings.clientSecret])
    expect(settings.random()).toBeLessThan(1)
  })

  it('are kept as they are given', () => {
    const given = {
      ...{
        lock: new MemoryLock({ clock }),
        background: jest.fn(),
        onEvent: jest.fn(),
        fetch: jest.fn(),
        random: () => 0,
      },
      ...{
        renewal: 'lazy' as const,
        requireExpiring: true,
        apiVersion: '2026-10',
        cacheSize: 5,
        clock,
        leaseMs: 20_000,
      },
    } satisfies Partial<TokenManagerOptions>

    expect(parseOptions({ ...NEEDED, ...given })).toMatchObject(given)
    expect(parseOptions({ ...NEEDED, grant: 'client-credentials' }).grant).toBe('client-credentials')
  })

  it('come out frozen', () => {
    expect(Object.isFrozen(parseOptions(NEEDED))).toBe(true)
  })

  it('that are undefined count as absent', () => {
    const absent = Object.fromEntries(
      [...NUMBERS, 'previousClientSecret', 'lock', 'renewal', 'background', 'onEvent', 'requireExpiring', 'apiVersion']
        .concat('clock', 'fetch', 'random', 'grant')
        .map((name) => [name, undefined]),
    )

    expect(parseOptions({ ...NEEDED, ...absent })).toMatchObject({ ...DEFAULT_DURATIONS, renewal: 'hybrid' })
  })

  it('may leave the store unsealed only by saying what that costs', () => {
    expect(parseOptions({ ...NEEDED, sealing: 'unsealed-tokens-readable-in-store' }).keyRing).toBeNull()
  })

  it('take a secret as text or as a Secret, and keep the previous one behind it', () => {
    const current = new Secret('now')

    const { clientSecret, clientSecrets } = parseOptions({
      ...NEEDED,
      clientSecret: current,
      previousClientSecret: 'before',
    })

    expect(clientSecret.equals(current)).toBe(true)
    expect(clientSecrets.map((secret) => secret.reveal())).toEqual(['now', 'before'])
  })

  it('take a Secret of another copy of the module', () => {
    const { Secret: Theirs } = anotherCopy()

    expect(parseOptions({ ...NEEDED, clientSecret: new Theirs('now') }).clientSecret.reveal()).toBe('now')
  })

  it.each(['a', 'a'.repeat(255)])('accept a client id of 1 to 255 characters', (clientId) => {
    expect(parseOptions({ ...NEEDED, clientId }).clientId).toBe(clientId)
  })

  it('accept the unstable API version', () => {
    expect(parseOptions({ ...NEEDED, apiVersion: 'unstable' }).apiVersion).toBe('unstable')
  })

  it('are checked when the manager is built', () => {
    expect(() => createTokenManager({ ...NEEDED, clientId: '' })).toThrow(InvalidOptionError)
  })
})

describe.each(NUMBERS)('the number %s', (name) => {
  const [min, max] = name === 'cacheSize' ? [1, 1_000_000] : DURATION_RANGES[name]
  /** Wide enough that no other duration is in the way. */
  const rest = { ...NEEDED, requestTimeoutMs: 1, retryBudgetMs: 2, leaseMs: 600_000 }

  it.each([
    ['NaN', NaN],
    ['a negative number', -1],
    ['less than its range', min - 1],
    ['more than its range', max + 1],
    ['Infinity', Infinity],
    ['a fraction', min + 0.5],
  ])('cannot be %s', (_what, value) => {
    const error = refusal({ ...rest, [name]: value })

    expect(error.options).toEqual([name])
    expect(error.message).toBe(
      `Option ${name} must be a whole number from ${String(min)} to ${String(max)}; got number.`,
    )
  })

  it.each([
    ['a string of digits', '5000', 'string'],
    ['null', null, 'null'],
    ['true', true, 'boolean'],
    ['a bigint', 5_000n, 'bigint'],
    ['a list', [5_000], 'an array'],
    ['an object', { valueOf: () => 5_000 }, 'object'],
  ])('cannot be %s', (_what, value, type) => {
    const { message } = refusal({ ...rest, [name]: value })

    expect(message).toContain(`Option ${name} must be`)
    expect(message).toMatch(new RegExp(`; got ${type}\\.$`))
    expect(message).not.toContain('5000')
  })
})

describe('durations', () => {
  it.each(DURATIONS)('%s has a default within its range', (name) => {
    const [min, max] = DURATION_RANGES[name]

    expect(Number.isInteger(DEFAULT_DURATIONS[name])).toBe(true)
    expect(DEFAULT_DURATIONS[name]).toBeGreaterThanOrEqual(min)
    expect(DEFAULT_DURATIONS[name]).toBeLessThanOrEqual(max)
  })

  it.each(DURATIONS)('%s documents its range and its default as they are', (name) => {
    const [min, max] = DURATION_RANGES[name]
    const documented = docstringOf(name)

    expect(documented).toMatch(new RegExp(`\\b${String(min)} to ${String(max)}\\b`))
    expect(documented).toMatch(new RegExp(`default ${String(DEFAULT_DURATIONS[name])}\\b`, 'i'))
  })

  it('let a request end within the retry budget', () => {
    const error = refusal({ ...NEEDED, requestTimeoutMs: 10_000, retryBudgetMs: 10_000 })

    expect(error.message).toBe('Option requestTimeoutMs must be less than retryBudgetMs.')
    expect(error.options).toEqual(['requestTimeoutMs', 'retryBudgetMs'])
  })

  it('let the retry budget end within the lease', () => {
    const error = refusal({ ...NEEDED, retryBudgetMs: 15_000 })

    expect(error.message).toBe('Option retryBudgetMs must be less than leaseMs.')
    expect(error.options).toEqual(['retryBudgetMs', 'leaseMs'])
  })

  it('let a renewal begin before the token is withheld', () => {
    const error = refusal({ ...NEEDED, minRemainingMs: 300_000, refreshAheadMs: 300_000 })

    expect(error.message).toBe('Option minRemainingMs must be less than refreshAheadMs.')
    expect(error.options).toEqual(['minRemainingMs', 'refreshAheadMs'])
  })
})

describe('a wrong option', () => {
  it.each<[name: string, value: unknown, rule: RegExp, type: string]>([
    ['clientId', undefined, /a client id of 1 to 255 printable characters/, 'undefined'],
    ['clientId', '', /a client id/, 'string'],
    ['clientId', 'planted id', /a client id/, 'string'],
    ['clientId', 'planted\n', /a client id/, 'string'],
    ['clientId', 'a'.repeat(256), /a client id/, 'string'],
    ['clientId', 42, /a client id/, 'number'],
    ['clientSecret', undefined, /a non-empty string or a Secret/, 'undefined'],
    ['clientSecret', '', /a non-empty string or a Secret/, 'string'],
    ['clientSecret', new Secret(''), /a non-empty string or a Secret/, 'object'],
    ['clientSecret', { reveal: () => 'planted' }, /a non-empty string or a Secret/, 'object'],
    ['clientSecret', ['planted'], /a non-empty string or a Secret/, 'an array'],
    ['previousClientSecret', '', /a non-empty string or a Secret/, 'string'],
    ['previousClientSecret', null, /a non-empty string or a Secret/, 'null'],
    ['store', undefined, /an object with get\(\), put\(\), scan\(\), ask\(\)/, 'undefined'],
    ['store', null, /an object with get\(\)/, 'null'],
    ['store', { get: () => 0, put: () => 0, scan: () => 0, ask: 'planted' }, /an object with get\(\)/, 'object'],
    ['store', () => 0, /an object with get\(\)/, 'function'],
    ['sealing', undefined, /a KeyRing or 'unsealed-tokens-readable-in-store'/, 'undefined'],
    ['sealing', 'planted-password', /a KeyRing or/, 'string'],
    ['sealing', false, /a KeyRing or/, 'boolean'],
    ['sealing', { current: () => 0 }, /a KeyRing or/, 'object'],
    ['grant', 'planted', /'client-credentials', or left out/, 'string'],
    ['grant', true, /'client-credentials', or left out/, 'boolean'],
    ['lock', null, /an object with tryAcquire\(\)/, 'null'],
    ['lock', {}, /an object with tryAcquire\(\)/, 'object'],
    ['clock', { now: () => 0, monotonic: () => 0 }, /an object with now\(\), monotonic\(\), sleep\(\)/, 'object'],
    ['renewal', 'planted', /one of 'hybrid', 'lazy'/, 'string'],
    ['renewal', true, /one of 'hybrid', 'lazy'/, 'boolean'],
    ['background', 'planted', /a function/, 'string'],
    ['onEvent', null, /a function/, 'null'],
    ['onEvent', {}, /a function/, 'object'],
    ['fetch', 'planted', /a function/, 'string'],
    ['random', 0.5, /a function/, 'number'],
    ['requireExpiring', 'true', /true or false/, 'string'],
    ['requireExpiring', 0, /true or false/, 'number'],
    ['apiVersion', '2026', /a version such as '2026-10', or 'unstable'/, 'string'],
    ['apiVersion', '../planted', /a version such as/, 'string'],
    ['apiVersion', '2026-10\n', /a version such as/, 'string'],
    ['apiVersion', 202610, /a version such as/, 'number'],
  ])('%s is refused with its name, the rule and the type it got', (name, value, rule, type) => {
    const error = refusal({ ...NEEDED, [name]: value })

    expect(error.options).toEqual([name])
    expect(error.message).toMatch(new RegExp(`^Option ${name} must be `))
    expect(error.message).toMatch(rule)
    expect(error.message).toMatch(new RegExp(`; got ${type}\\.$`))
    expect(error.message).not.toContain('planted')
  })

  it.each([true, false])('requireExpiring: %p is refused beside a grant whose tokens always end', (requireExpiring) => {
    const error = refusal({ ...NEEDED, grant: 'client-credentials', requireExpiring })

    expect(error.options).toEqual(['requireExpiring'])
  })

  it('that is unknown is refused by its name, so that a misspelt one is found', () => {
    const error = refusal({ ...NEEDED, refreshAhedMs: 1, fecth: 'planted' })

    expect(error.message).toBe('Unknown option: refreshAhedMs, fecth.')
    expect(error.options).toEqual(['refreshAhedMs', 'fecth'])
  })

  it.each([
    [undefined, 'undefined'],
    [null, 'null'],
    ['shpss_planted', 'string'],
    [42, 'number'],
  ])('such as %j in place of all of them is refused', (options, type) => {
    expect(refusal(options).message).toBe(`Option options must be an object; got ${type}.`)
  })

  it('that is a getter with a value of its own is not asked before the unknown ones are refused', () => {
    const touched = jest.fn()
    const options = Object.defineProperty({ unknown: 1 }, 'clientSecret', { get: touched, enumerable: true })

    expect(refusal(options).options).toEqual(['unknown'])
    expect(touched).not.toHaveBeenCalled()
  })
})

function refusal(options: unknown): InvalidOptionError {
  try {
    parseOptions(options as TokenManagerOptions)
  } catch (error) {
    if (error instanceof InvalidOptionError) return error
    throw error
  }
  throw new Error('was accepted')
}

/** The comment above a duration, on one line, with digits in groups joined. */
function docstringOf(name: keyof Durations): string {
  const source = readFileSync(join(__dirname, '../../packages/core/src/durations.ts'), 'utf8')
  const [, comment = ''] = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*)\\*/\\s+readonly ${name}:`).exec(source) ?? []
  return comment.replace(/\s*\n\s*\*?\s*/g, ' ').replace(/(?<=\d) (?=\d{3}\b)/g, '')
}
