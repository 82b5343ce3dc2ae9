import {
  ClosedError,
  createTokenManager,
  type EnvironmentConfiguration,
  InvalidOptionError,
  isShopifyTokenError,
  MemoryTokenStore,
  readEnvironment,
  StoreUnavailableError,
  type TokenManager,
} from '@shopify-tokens/core'
import { type EnvironmentTokens, type RequestOptions, refuseOptions, SAID_BY_ENVIRONMENT } from './options.js'
import type { RequestTokens } from './request-tokens.js'

type Overrides = Omit<EnvironmentTokens, keyof RequestOptions | 'tokens' | 'store'>

interface OpenedTokenManager {
  readonly tokens: TokenManager
  ready(): Promise<void>
  close(): Promise<void>
}

/** Tokens from a store that environment variables name. An opening that failed is tried again by a later request. */
export class EnvironmentRequestTokens implements RequestTokens<TokenManager> {
  readonly #configuration: EnvironmentConfiguration
  readonly #overrides: Overrides
  #opened: OpenedTokenManager | undefined
  #opening: Promise<TokenManager> | undefined
  #ready: TokenManager | undefined
  #closed = false

  /** @throws InvalidOptionError that names every missing variable, or the options at fault. */
  constructor(env: NodeJS.ProcessEnv, overrides: Overrides) {
    refuseOptions(overrides, SAID_BY_ENVIRONMENT, 'The environment says this unless the option store is given')
    this.#configuration = readEnvironment(env)
    this.#overrides = overrides
    check(this.#configuration, overrides)
  }

  get(): TokenManager | Promise<TokenManager> {
    if (this.#ready !== undefined) return this.#ready
    this.#opening ??= this.#open().finally(() => (this.#opening = undefined))
    return this.#opening
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#opening?.catch(() => undefined)
    await this.#opened?.close()
  }

  async #open(): Promise<TokenManager> {
    if (this.#closed) throw new ClosedError()
    try {
      this.#opened ??= await load(this.#configuration, this.#overrides)
      await this.#opened.ready()
      return (this.#ready = this.#opened.tokens)
    } catch (error) {
      throw reported(error)
    }
  }
}

/** The one place that knows a database, and only when nothing else was given. */
async function load(configuration: EnvironmentConfiguration, overrides: Overrides): Promise<OpenedTokenManager> {
  const { openTokenManager } = await import('@shopify-tokens/typeorm-store/from-environment')
  return openTokenManager(configuration, overrides)
}

/** Nobody need be waiting for `ready`, so the operator is told here, once per try. */
function reported(error: unknown): Error {
  // Only this project's messages are known to hold no secret.
  const ours = isShopifyTokenError(error) || error instanceof InvalidOptionError
  const message = `The token store could not be opened: ${ours ? error.message : codeOf(error)}`
  process.emitWarning(message, 'ShopifyTokensWarning')
  return isShopifyTokenError(error) ? error : new StoreUnavailableError(message, { cause: error })
}

function codeOf(error: unknown): string {
  const { code, name } = (error ?? {}) as { readonly code?: unknown; readonly name?: unknown }
  if (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') {
    return 'install @shopify-tokens/typeorm-store, typeorm and a driver, or give the option tokens or store.'
  }
  return typeof code === 'string' ? code : String(name)
}

/** The manager is built when its store is open: too late to find a wrong option. */
function check({ clientId, clientSecret }: EnvironmentConfiguration, overrides: Overrides): void {
  createTokenManager({
    ...overrides,
    ...{ clientId, clientSecret, store: new MemoryTokenStore(), sealing: 'unsealed-tokens-readable-in-store' },
  })
}
