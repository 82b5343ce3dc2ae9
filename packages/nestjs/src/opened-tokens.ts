import {
  chooseRequestTokens,
  invalidOption,
  type RequestTokensOptions,
  type RequestTokenSource,
  type TokenManager,
} from '@shopify-tokens/core'

/** A source of tokens that can serve, and what has to be closed in the end. */
export interface OpenedTokens {
  readonly tokens: RequestTokenSource
  close(): Promise<void>
}

/**
 * Waits until the tokens can be served: an application does not start without them.
 *
 * @param hasRoutes whether they also serve routes of the module, for which they have to be a manager's
 */
export async function openTokens(options: RequestTokensOptions, hasRoutes: boolean): Promise<OpenedTokens> {
  const { tokens } = options as { readonly tokens?: Partial<TokenManager> | null }
  if (hasRoutes && tokens !== undefined && tokens?.signatures === undefined) {
    throw invalidOption('tokens', 'a token manager, for auth and webhooks', tokens)
  }
  // The one place that knows a database, and only when nothing else was given.
  const chosen = chooseRequestTokens(options, () => import('@shopify-tokens/typeorm-store/from-environment'))
  try {
    return { tokens: await chosen.ready(), close: () => chosen.close() }
  } catch (error) {
    await chosen.close().catch(() => undefined)
    throw error
  }
}
