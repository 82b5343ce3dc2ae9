import type { Lock } from '@shopify-tokens/core'

/** Two instances on one backend, as two processes have them. Where the instance is the backend, both are the same. */
export interface OpenedLocks {
  readonly lock: Lock
  readonly other: Lock
  /** Called after the clause, whatever came of it. */
  readonly close?: (() => Promise<void>) | undefined
}

/** What an adapter gives to have its contract checked. */
export interface LockBackend {
  /** Stands in the title of the suite. */
  readonly name: string
  /** Called once per clause. The backend need not be empty: every clause uses resources of its own. */
  open(): OpenedLocks | Promise<OpenedLocks>
  /** Lets `ms` milliseconds pass on the backend. Default: real time; the leases last 200 ms at most. */
  elapse?(ms: number): Promise<void>
  /** An instance on the same backend in a process whose own clock is `offsetMs` ahead. Without it LK-08 is not checked. */
  skewed?(offsetMs: number): Lock | Promise<Lock>
}

/** What a clause gets. */
export interface LockBench extends OpenedLocks {
  /** The name of a resource under a prefix of this clause's own. */
  readonly resource: (name: string) => string
  readonly backend: LockBackend
}
