import { createTokenManager } from '../create-token-manager.js'
import { type EnvironmentConfiguration, readEnvironment } from '../environment.js'
import {
  ClosedError,
  type ErrorCode,
  type InvalidOptionError,
  isShopifyTokenError,
  StoreUnavailableError,
} from '../errors.js'
import type { KeepAliveOptions } from '../keep-alive/sweep-options.js'
import { MemoryTokenStore } from '../memory/memory-token-store.js'
import { refuseOptions } from '../option-checks.js'
import type { TokenManagerOptions } from '../options.js'
import type { TokenManager } from '../token-manager.js'
import { type KeepAliveOption, parseKeepAliveOption } from './keep-alive-option.js'

/** What the environment says and options beside it cannot. */
const SAID_BY_ENVIRONMENT = ['clientId', 'clientSecret', 'previousClientSecret', 'sealing'] as const

/** What the environment does not say of a manager. */
export type EnvironmentOverrides = Partial<Omit<TokenManagerOptions, 'store' | (typeof SAID_BY_ENVIRONMENT)[number]>>

/** `@shopify-tokens/typeorm-store/from-environment`, as far as requests need it. */
export interface EnvironmentModule {
  openTokenManager(configuration: EnvironmentConfiguration, overrides: EnvironmentOverrides): OpenedManager
}

interface OpenedManager {
  readonly tokens: TokenManager
  ready(): Promise<void>
  close(): Promise<void>
}

/** Tokens from a store that environment variables name. An opening that failed is tried again by a later call. */
export class EnvironmentRequestTokens {
  readonly #configuration: EnvironmentConfiguration
  readonly #overrides: EnvironmentOverrides
  readonly #keepAlive: KeepAliveOptions | null
  readonly #load: () => Promise<EnvironmentModule>
  #opened: OpenedManager | undefined
  #opening: Promise<TokenManager> | undefined
  #ready: TokenManager | undefined
  #closed = false

  /** @throws InvalidOptionError that names every missing variable, or the options at fault. */
  constructor(
    env: NodeJS.ProcessEnv,
    { keepAlive, ...overrides }: EnvironmentOverrides & KeepAliveOption,
    load: () => Promise<EnvironmentModule>,
  ) {
    const said: readonly string[] = SAID_BY_ENVIRONMENT
    refuseOptions(
      Object.keys(overrides).filter((name) => said.includes(name)),
      'The environment says this unless the option store is given',
    )
    this.#configuration = readEnvironment(env)
    this.#overrides = overrides
    this.#load = load
    check(this.#configuration, overrides)
    this.#keepAlive = parseKeepAliveOption({ keepAlive }, overrides.renewal ?? this.#configuration.renewal)
  }

  ready(): Promise<TokenManager> {
    if (this.#ready !== undefined) return Promise.resolve(this.#ready)
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  get(): TokenManager | Promise<TokenManager> {
    return (
      this.#ready ??
      this.ready().catch((error: unknown) => {
        throw isShopifyTokenError(error) ? error : unavailable(error)
      })
    )
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    await this.#opened?.close()
  }

  async #open(): Promise<TokenManager> {
    if (this.#closed) throw new ClosedError()
    try {
      this.#opened ??= (await this.#load()).openTokenManager(this.#configuration, this.#overrides)
      await this.#opened.ready()
      this.#ready = this.#opened.tokens
      if (this.#keepAlive !== null) this.#ready.startKeepAlive(this.#keepAlive)
      return this.#ready
    } catch (error) {
      // Nobody need be waiting for ready(), so the operator is told here, once per try.
      const failure = unavailable(error)
      process.emitWarning(failure.message, 'ShopifyTokensWarning')
      throw isOurs(error) ? error : failure
    }
  }
}

/** Not by `instanceof`: the store's package may have been given another copy of this one. */
function isOurs(error: unknown): error is Error {
  return isShopifyTokenError(error) || isInvalidOption(error)
}

function isInvalidOption(error: unknown): error is InvalidOptionError {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown }
  return name === 'InvalidOptionError' && code === ('ERR_INVALID_OPTION' satisfies ErrorCode)
}

function unavailable(error: unknown): StoreUnavailableError {
  // Only this project's messages are known to hold no secret.
  const why = isOurs(error) ? error.message : codeOf(error)
  return new StoreUnavailableError(`The token store could not be opened: ${why}`, { cause: error })
}

function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return 'install @shopify-tokens/typeorm-store, typeorm and a driver, or give the option tokens or store.'
  }
  return typeof code === 'string' ? code : String(name)
}

/** The manager is built when its store is open: too late to find a wrong option. */
function check({ clientId, clientSecret, renewal }: EnvironmentConfiguration, overrides: EnvironmentOverrides): void {
  createTokenManager({
    ...overrides,
    renewal: overrides.renewal ?? renewal,
    ...{ clientId, clientSecret, store: new MemoryTokenStore(), sealing: 'unsealed-tokens-readable-in-store' },
  })
}
