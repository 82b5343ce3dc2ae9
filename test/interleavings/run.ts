import type { TokenRecord } from '@shopify-tokens/core'
import type { TokenAnswer } from '../../packages/testing/src/fake-shopify/token-answer.js'
import type { Renaming } from './renaming.js'
import type { Wanted } from './scenario.js'
import type { StoredRow } from './stored-row.js'

/** The port call at which a run has stopped. */
export type Waiting =
  | { readonly at: 'get' }
  | { readonly at: 'put'; readonly record: TokenRecord; readonly json: string; readonly expected: string }
  /** `credential`: a refresh token or the non-expiring token; `null` for an acquisition. */
  | { readonly at: 'fetch'; readonly credential: string | null }
  | { readonly at: 'sleep'; readonly ms: number; readonly since: number }
  /** `outcome`: `done`, or the code of its error. */
  | { readonly at: 'end'; readonly outcome: string }

/** What a port call brings. */
export type Answer =
  | { readonly brings: 'row'; readonly row: StoredRow }
  | { readonly brings: 'written'; readonly version: string }
  | { readonly brings: 'conflict'; readonly row: StoredRow }
  | { readonly brings: 'tokens'; readonly tokens: TokenAnswer; readonly id: number }
  | { readonly brings: 'refusal' }
  /** The call fails; what it did is unknown. */
  | { readonly brings: 'nothing' }
  | { readonly brings: 'wake-up' }

/** A run of the real renewal code, stopped at a port call. */
export interface Run {
  readonly waiting: Waiting
  /** How many answers it has had. */
  readonly age: number
  /** The same number for runs that have seen the same, so that nothing tells them apart, once processes are renamed. */
  idUnder(renaming: Renaming): number
  /** The run after this answer, at its next port call. */
  observe(answer: Answer, now: number): Run | Promise<Run>
}

/** How a process begins. */
export interface Beginning {
  readonly process: number
  readonly want: Wanted
  /** Without them every attempt looks as old as a lease can become. */
  readonly leases: boolean
  readonly now: number
}

/** Where runs come from, and the table of the rows that they have seen. */
export interface Runs {
  readonly rows: Map<string, StoredRow>
  begin(beginning: Beginning): Promise<Run>
}
