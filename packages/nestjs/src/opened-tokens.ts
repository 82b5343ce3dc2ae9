import {
  createTokenManager,
  type EnvironmentConfiguration,
  MemoryTokenStore,
  readEnvironment,
  type RequestTokenSource,
  type TokenManagerOptions,
} from '@shopify-tokens/core'
import {
  type EnvironmentTokens,
  invalid,
  refuseOptions,
  type RequestOptions,
  SAID_BY_ENVIRONMENT,
  type TokensOptions,
} from './module-options.js'

/** A source of tokens that can serve, and what has to be closed in the end. */
export interface OpenedTokens {
  readonly tokens: RequestTokenSource
  close(): Promise<void>
}

type Overrides = Omit<EnvironmentTokens, keyof RequestOptions | 'tokens' | 'store'>

/** Chooses by the options at hand: a source that is given, a manager of the module's own, or the environment. */
export async function openTokens(options: TokensOptions): Promise<OpenedTokens> {
  const { tokens, ...others } = options as { readonly tokens?: RequestTokenSource; readonly store?: unknown }
  if (tokens !== undefined) {
    refuseOptions(others, Object.keys(others), 'Not an option beside tokens')
    return given(tokens)
  }
  if (others.store !== undefined) {
    const manager = createTokenManager(others as TokenManagerOptions)
    return { tokens: manager, close: () => manager.close() }
  }
  return openFromEnvironment(others as Overrides)
}

function given(tokens: RequestTokenSource): OpenedTokens {
  if (typeof (tokens as Partial<RequestTokenSource> | null)?.token !== 'function') {
    throw invalid('tokens', 'a token source, an object with token()', tokens)
  }
  return { tokens, close: () => Promise.resolve() }
}

/** The one place that knows a database, and only when nothing else was given. */
async function openFromEnvironment(overrides: Overrides): Promise<OpenedTokens> {
  refuseOptions(overrides, SAID_BY_ENVIRONMENT, 'The environment says this unless the option store is given')
  const configuration = readEnvironment(process.env)
  check(configuration, overrides)
  const { openTokenManager } = await import('@shopify-tokens/typeorm-store/from-environment')
  const opened = openTokenManager(configuration, overrides)
  try {
    await opened.ready()
  } catch (error) {
    await opened.close().catch(() => undefined)
    throw error
  }
  return opened
}

/** Finds wrong options before a file or a connection is opened. */
function check({ clientId, clientSecret }: EnvironmentConfiguration, overrides: Overrides): void {
  createTokenManager({
    ...overrides,
    ...{ clientId, clientSecret, store: new MemoryTokenStore(), sealing: 'unsealed-tokens-readable-in-store' },
  })
}
