import { chooseRequestTokens, type RequestTokensOptions, type RequestTokenSource } from '@shopify-tokens/core'

/** A source of tokens that can serve, and what has to be closed in the end. */
export interface OpenedTokens {
  readonly tokens: RequestTokenSource
  close(): Promise<void>
}

/** Waits until the tokens can be served: an application does not start without them. */
export async function openTokens(options: RequestTokensOptions): Promise<OpenedTokens> {
  // The one place that knows a database, and only when nothing else was given.
  const chosen = chooseRequestTokens(options, () => import('@shopify-tokens/typeorm-store/from-environment'))
  try {
    return { tokens: await chosen.ready(), close: () => chosen.close() }
  } catch (error) {
    await chosen.close().catch(() => undefined)
    throw error
  }
}
