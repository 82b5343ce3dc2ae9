import type { RecordKey, TokenStore } from '@shopify-tokens/core'

/** Two instances on one backend, as two processes have them. Where the instance is the backend, both are the same. */
export interface OpenedTokenStores {
  readonly store: TokenStore
  /** Give it a clock that is an hour wrong, if the adapter takes one and its backend has its own. */
  readonly other: TokenStore
  /** Called after the clause, whatever came of it. */
  readonly close?: (() => Promise<void>) | undefined
}

/** What a store may have beside what every store has. */
export type TokenStoreCapability = 'watch' | 'deployments' | 'deliveries'

/**
 * What an adapter gives to have its contract checked. The hooks are optional because not every backend has what they
 * need; the clauses that need a missing one are not run.
 */
export interface TokenStoreBackend {
  /** Stands in the title of the suite. */
  readonly name: string
  /** What the store has beyond the rest; its clauses are run. Default: nothing. */
  readonly capabilities?: readonly TokenStoreCapability[] | undefined
  /** Called once per clause. The backend need not be empty: every clause uses a client id of its own. */
  open(): OpenedTokenStores | Promise<OpenedTokenStores>
  /** Runs `work` inside a transaction of the application, on the connections that the store was given, and rolls it back. */
  rollbackAround?(work: () => Promise<void>): Promise<void>
  /** Runs `work` while the backend gives no answer to a write of the row of `key`: another connection has it locked. */
  stallAround?(key: RecordKey, work: () => Promise<void>): Promise<void>
  /** Deletes the row behind the store's back, as an operator does. */
  erase?(key: RecordKey): Promise<void>
  /** Turns the row into one of a format that this version of the adapter does not know, behind the store's back. */
  newerFormat?(key: RecordKey): Promise<void>
  /** Lets the backend's clock go on by `ms`. Default: the time passes by itself. */
  elapse?(ms: number): Promise<void>
}

/** What a clause gets. */
export interface TokenStoreBench extends OpenedTokenStores {
  readonly clientId: string
  /** The key of a shop by its name, under the client id of this clause. */
  readonly key: (name: string) => RecordKey
  readonly backend: TokenStoreBackend
}
