import type { Blow } from './kill-switch.js'
import type { KillPoint, Timing } from './plan.js'

/** What a worker is started with. */
export interface WorkerSetup {
  /** The URLs of the nine Shopifys, in the order of the switches. */
  readonly shopifys: readonly string[]
  readonly environment: Readonly<Record<string, string>>
  readonly redisUrl: string | null
  readonly journal: string
  readonly skewMs: number
  readonly timing: Timing
  readonly shopsPerPair: number
  readonly requestsPerSecond: number
  readonly seed: string
}

/** What a worker is told to do. Those with an `id` are answered. */
export type Order =
  /** Be killed, or stopped, when a run next reaches this point. */
  | { readonly do: 'fall'; readonly blow: Blow; readonly point: KillPoint }
  | {
      readonly do: 'visit'
      readonly id: number
      readonly shop: string
      readonly idToken: string
      readonly how: 'token' | 'acquire'
    }
  | { readonly do: 'remove' | 'serve' | 'force'; readonly id: number; readonly shop: string }
  | { readonly do: 'leave' }

/** What a worker says. */
export type Report =
  | { readonly say: 'ready' }
  /** `code`: of the error; absent when all went well. */
  | { readonly say: 'done'; readonly id: number; readonly code?: string; readonly message?: string }
