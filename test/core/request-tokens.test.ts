import type * as Core from '@shopify-tokens/core'
import {
  chooseRequestTokens,
  createTokenManager,
  type EnvironmentModule,
  type EnvironmentTokensOptions,
  InvalidOptionError,
  MemoryTokenStore,
  type RequestTokens,
  StoreUnavailableError,
  type TokenManager,
} from '@shopify-tokens/core'
import { FakeClock } from '@shopify-tokens/testing'

const before = { ...process.env }
let warnings: string[]

beforeEach(() => {
  warnings = []
  jest.spyOn(process, 'emitWarning').mockImplementation((warning) => void warnings.push(String(warning)))
  Object.assign(process.env, { SHOPIFY_API_KEY: 'env-app', SHOPIFY_API_SECRET: 'env-app-secret' })
})
afterEach(() => {
  jest.restoreAllMocks()
  process.env = { ...before }
})

const never = (): never => {
  throw new Error('not to be loaded')
}

/** A module that opens managers over memory, `failures` first; notes what it was asked. */
class NotedModule implements EnvironmentModule {
  readonly managers: TokenManager[] = []
  readonly overrides: unknown[] = []
  closed = 0
  readonly #failures: unknown[]

  constructor(...failures: unknown[]) {
    this.#failures = failures
  }

  openTokenManager(...[{ clientId, clientSecret }, overrides]: Parameters<EnvironmentModule['openTokenManager']>) {
    this.overrides.push(overrides)
    const tokens = createTokenManager({
      ...{ clientId, clientSecret, store: new MemoryTokenStore(), sealing: 'unsealed-tokens-readable-in-store' },
    })
    this.managers.push(tokens)
    return {
      tokens,
      ready: async () => {
        await Promise.resolve()
        if (this.#failures.length > 0) throw this.#failures.shift()
      },
      close: async () => void (this.closed += 1),
    }
  }
}

const fromEnvironment = (module: NotedModule): RequestTokens => chooseRequestTokens({}, () => Promise.resolve(module))

describe('the tokens of requests', () => {
  it('are those of the source that is given, at once, which stays open', async () => {
    const close = jest.fn()
    const tokens = { token: () => Promise.reject(new Error('not called')), close }
    const chosen = chooseRequestTokens({ tokens }, never)

    expect(chosen.get()).toBe(tokens)
    expect(await chosen.ready()).toBe(tokens)
    await chosen.close()
    expect(close).not.toHaveBeenCalled()
  })

  it('are those of a manager over the store that is given, which is closed', async () => {
    const chosen = chooseRequestTokens(
      {
        ...{ clientId: 'app', clientSecret: 'secret', store: new MemoryTokenStore() },
        sealing: 'unsealed-tokens-readable-in-store',
      },
      never,
    )
    const manager = await chosen.ready()
    const close = jest.spyOn(manager as TokenManager, 'close')

    expect(chosen.get()).toBe(manager)
    await chosen.close()
    expect(close).toHaveBeenCalledTimes(1)
  })

  it('come from the store that the environment names when neither is given, opened once for all', async () => {
    const module = new NotedModule()
    const chosen = chooseRequestTokens({ cacheSize: 1 }, () => Promise.resolve(module))

    const found = await Promise.all([chosen.ready(), chosen.get(), chosen.get()])

    expect(module.managers).toHaveLength(1)
    expect(new Set([...found, chosen.get(), await chosen.ready()])).toEqual(new Set(module.managers))
    expect(module.overrides).toEqual([{ cacheSize: 1 }])
    await chosen.close()
    expect(module.closed).toBe(1)
  })

  it.each([
    ['an unknown option', { refreshAhead: 1 }, ['refreshAhead']],
    ['what the environment says', { clientId: 'other', sealing: 'x' }, ['clientId', 'sealing']],
    ['an option beside a source', { tokens: { token: never }, refreshAheadMs: 1 }, ['refreshAheadMs']],
    ['a source without token()', { tokens: null }, ['tokens']],
  ])('refuse %s before anything is loaded', (_what, options, names) => {
    expect(() => chooseRequestTokens(options as never, never)).toThrow(
      expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: names }) as Error,
    )
  })
})

describe('a store that cannot be opened', () => {
  it('is tried again by a later request, and the operator is told once per try', async () => {
    const down = new StoreUnavailableError('The database is down.')
    const module = new NotedModule(down, down)
    const chosen = fromEnvironment(module)

    await expect(chosen.ready()).rejects.toBe(down)
    expect(await Promise.allSettled([chosen.get(), chosen.get()])).toEqual([
      { status: 'rejected', reason: down },
      { status: 'rejected', reason: down },
    ])
    expect(await chosen.get()).toBe(module.managers[0])

    expect(module.managers).toHaveLength(1)
    expect(warnings).toEqual(Array(2).fill('The token store could not be opened: The database is down.'))
  })

  it('because of the configuration tells it to who waits for it, and answers requests', async () => {
    const wrong = new InvalidOptionError('Name a file.', ['SHOPIFY_TOKENS_DATABASE_URL'])
    const chosen = fromEnvironment(new NotedModule(wrong, wrong))

    await expect(chosen.ready()).rejects.toBe(wrong)
    await expect(chosen.get()).rejects.toMatchObject({
      code: 'ERR_STORE_UNAVAILABLE',
      message: 'The token store could not be opened: Name a file.',
      cause: wrong,
    })
  })

  it('because of the configuration is told the same when another copy of this package says so', async () => {
    let wrong: InvalidOptionError | undefined
    jest.isolateModules(() => {
      const copy = jest.requireActual<typeof Core>('@shopify-tokens/core')
      wrong = new copy.InvalidOptionError('Name a file.', ['SHOPIFY_TOKENS_DATABASE_URL'])
    })
    expect(wrong).not.toBeInstanceOf(InvalidOptionError)
    const chosen = fromEnvironment(new NotedModule(wrong, wrong))

    await expect(chosen.ready()).rejects.toBe(wrong)
    await expect(chosen.get()).rejects.toThrow('The token store could not be opened: Name a file.')
  })

  it.each([
    ['for want of its package', { code: 'ERR_MODULE_NOT_FOUND' }, /install @shopify-tokens\/typeorm-store/],
    ['for want of its package, in CommonJS', { code: 'MODULE_NOT_FOUND' }, /install @shopify-tokens\/typeorm-store/],
    ['with a code of others', Object.assign(new Error('a secret'), { code: 'EACCES' }), /opened: EACCES$/],
    ['with an error of others', new RangeError('a secret'), /opened: RangeError$/],
    ['with anything else', undefined, /opened: undefined$/],
  ])('%s says so, and nothing that could be a secret', async (_why, failure, message) => {
    const chosen = chooseRequestTokens({}, () => Promise.reject(failure))

    await expect(chosen.ready()).rejects.toMatchObject({ code: 'ERR_STORE_UNAVAILABLE' })
    await expect(chosen.get()).rejects.toThrow(message)
    expect(warnings).toEqual([expect.stringMatching(message), expect.stringMatching(message)])
    await chosen.close()
  })

  it('is closed although it never opened, and not tried any more', async () => {
    const module = new NotedModule(new StoreUnavailableError('down'))
    const chosen = fromEnvironment(module)
    const opening = chosen.ready()

    await chosen.close()

    await expect(opening).rejects.toThrow('down')
    expect(module.closed).toBe(1)
    await expect(chosen.get()).rejects.toMatchObject({ code: 'ERR_CLOSED' })
  })
})

describe('keeping shops alive', () => {
  const managed = (options: object): { readonly chosen: RequestTokens; readonly clock: FakeClock } => {
    const clock = new FakeClock()
    const chosen = chooseRequestTokens(
      {
        ...{ clientId: 'app', clientSecret: 'secret', store: new MemoryTokenStore({ clock }), clock },
        ...{ sealing: 'unsealed-tokens-readable-in-store', ...options },
      },
      never,
    )
    return { chosen, clock }
  }

  it('is the default of an app whose manager is opened for it', async () => {
    const { chosen, clock } = managed({})

    expect(clock.sleepers).toBe(2)
    await chosen.close()
    expect(clock.sleepers).toBe(0)
  })

  it.each<[options: object, isStarted: boolean]>([
    [{ renewal: 'hybrid' }, true],
    [{ keepAlive: {} }, true],
    [{ keepAlive: undefined }, true],
    [{ keepAlive: { perSecond: 1 }, renewal: 'lazy' }, true],
    [{ keepAlive: false }, false],
    [{ keepAlive: false, renewal: 'never' }, false],
    [{ renewal: 'lazy' }, false],
    [{ renewal: 'never' }, false],
  ])('by a manager over the store that is given: %j, %p', async (options, isStarted) => {
    const { chosen, clock } = managed(options)

    expect(clock.sleepers).toBe(isStarted ? 2 : 0)
    await chosen.close()
    expect(clock.sleepers).toBe(0)
  })

  it.each<[options: EnvironmentTokensOptions, variable: string, started: unknown[]]>([
    [{}, '', [{}]],
    [{}, 'hybrid', [{}]],
    [{}, 'lazy', []],
    [{}, 'never', []],
    [{ renewal: 'hybrid' }, 'never', [{}]],
    [{ renewal: 'lazy' }, '', []],
    [{ keepAlive: false }, '', []],
    [{ keepAlive: { sweepEveryMs: 60_000 } }, 'lazy', [{ sweepEveryMs: 60_000 }]],
  ])('by a manager over the environment’s store, once it is open: %j, %p', async (options, variable, started) => {
    process.env.SHOPIFY_TOKENS_RENEWAL = variable
    const module = new NotedModule(new StoreUnavailableError('Not yet.'))
    const chosen = chooseRequestTokens(options, () => Promise.resolve(module))
    await expect(chosen.ready()).rejects.toThrow('Not yet.')
    const [manager] = module.managers as [TokenManager]
    const start = jest.spyOn(manager, 'startKeepAlive').mockImplementation(() => undefined)
    expect(start).not.toHaveBeenCalled()

    await Promise.all([chosen.ready(), chosen.get()])
    await chosen.ready()

    expect(start.mock.calls.flat()).toEqual(started)
    expect(module.overrides).toEqual([expect.not.objectContaining({ keepAlive: expect.anything() as unknown })])
  })

  it.each<[options: object, names: string[]]>([
    [{ keepAlive: true }, ['keepAlive']],
    [{ keepAlive: null }, ['keepAlive']],
    [{ keepAlive: 600_000 }, ['keepAlive']],
    [{ keepAlive: { everyMs: 1 } }, ['everyMs']],
    [{ keepAlive: { perSecond: 0 } }, ['perSecond']],
    [{ keepAlive: {}, renewal: 'never' }, ['keepAlive']],
    [{ keepAlive: {}, tokens: { token: never } }, ['keepAlive']],
  ])('is refused as %j, before anything is loaded', (options, names) => {
    const wrong = expect.objectContaining({ code: 'ERR_INVALID_OPTION', options: names }) as Error

    expect(() => chooseRequestTokens(options, never)).toThrow(wrong)
    if (!('tokens' in options)) expect(() => managed(options)).toThrow(wrong)
  })
})
