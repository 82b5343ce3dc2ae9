import type { RequestTokenSource, TokenManager } from '@shopify-tokens/core'
import { invalid } from './options.js'

/** Where requests get their tokens from, and what has to be closed in the end. */
export interface RequestTokens<Tokens extends RequestTokenSource = RequestTokenSource> {
  /** For every request. A promise only until the source is open. */
  get(): Tokens | Promise<Tokens>
  close(): Promise<void>
}

/** The app's own source, which it closes itself. */
export function givenTokens(tokens: RequestTokenSource): RequestTokens {
  if (typeof (tokens as Partial<RequestTokenSource> | null)?.token !== 'function') {
    throw invalid('tokens', 'a token source, an object with token()', tokens)
  }
  return { get: () => tokens, close: () => Promise.resolve() }
}

/** A manager that was made for these requests alone. */
export function managedTokens(manager: TokenManager): RequestTokens {
  return { get: () => manager, close: () => manager.close() }
}
