import { createTokenManager } from '../create-token-manager.js'
import { invalidOption, refuseOptions } from '../option-checks.js'
import type { TokenManagerOptions } from '../options.js'
import type { TokenManager } from '../token-manager.js'
import {
  type EnvironmentModule,
  type EnvironmentOverrides,
  EnvironmentRequestTokens,
} from './environment-request-tokens.js'
import { type KeepAliveOption, parseKeepAliveOption } from './keep-alive-option.js'
import type { RequestTokenSource } from './open-request.js'

/** Tokens from a source that the app has built, and that it closes itself. */
export interface GivenTokensOptions<Tokens extends RequestTokenSource = RequestTokenSource> {
  readonly tokens: Tokens
}

/** Tokens from a manager that is built from these options. */
export interface ManagedTokensOptions extends TokenManagerOptions, KeepAliveOption {
  readonly tokens?: undefined
}

/** Tokens from a manager that is built from environment variables, and from what these options add. */
export interface EnvironmentTokensOptions extends EnvironmentOverrides, KeepAliveOption {
  readonly tokens?: undefined
  readonly store?: undefined
}

/** Where the tokens of requests come from. Unknown keys are refused. */
export type RequestTokensOptions = GivenTokensOptions | ManagedTokensOptions | EnvironmentTokensOptions

/** The tokens of requests, and what has to be closed in the end. */
export interface RequestTokens<Tokens extends RequestTokenSource = RequestTokenSource> {
  /** The source, once it can serve. Rejects with the reason why it cannot; a later call tries again. */
  ready(): Promise<Tokens>
  /** The same for a request: a promise only until the source is open, and rejects only with what `errorAnswer` answers. */
  get(): Tokens | Promise<Tokens>
  /** Closes what was opened here; not a source that was given. */
  close(): Promise<void>
}

/**
 * Chooses by the options at hand: a source that is given, a manager of their own, or the environment.
 *
 * @param load imports the module that opens the store which environment variables name; called only when they decide
 * @throws InvalidOptionError `ERR_INVALID_OPTION` for a wrong option, and for missing environment variables, all at once.
 */
export function chooseRequestTokens(
  options: RequestTokensOptions,
  load: () => Promise<EnvironmentModule>,
): RequestTokens {
  const { tokens, ...others } = options as { readonly tokens?: RequestTokenSource; readonly store?: unknown }
  if (tokens !== undefined) {
    refuseOptions(Object.keys(others), 'Not an option beside tokens')
    return givenTokens(tokens)
  }
  if (others.store === undefined)
    return new EnvironmentRequestTokens(process.env, others as EnvironmentTokensOptions, load)
  const manager = openManager(others as ManagedTokensOptions)
  return atOnce(manager, () => manager.close())
}

function openManager({ keepAlive, ...options }: ManagedTokensOptions): TokenManager {
  const manager = createTokenManager(options)
  const timer = parseKeepAliveOption({ keepAlive }, options.renewal)
  if (timer !== null) manager.startKeepAlive(timer)
  return manager
}

function givenTokens(tokens: RequestTokenSource): RequestTokens {
  if (typeof (tokens as Partial<RequestTokenSource> | null)?.token !== 'function') {
    throw invalidOption('tokens', 'a token source, an object with token()', tokens)
  }
  return atOnce(tokens, () => Promise.resolve())
}

function atOnce(tokens: RequestTokenSource, close: () => Promise<void>): RequestTokens {
  return { ready: () => Promise.resolve(tokens), get: () => tokens, close }
}
