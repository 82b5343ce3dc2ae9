import type { BackendName, KillPoint } from './plan.js'
import type { Switches } from './switches.js'
import type { Trail } from './trail.js'

/** The figures of one pair of switches. */
export interface PairFigures extends Switches {
  readonly rotations: number
  readonly tokenCalls: number
  readonly acquisitions: number
  readonly retiredTokensPresented: number
}

/** What a run on one backend came to. */
export interface Result {
  readonly backend: BackendName
  readonly seed: number
  readonly versions: Readonly<Record<string, string>>
  readonly seconds: number
  readonly lifetimeMs: number
  readonly shops: number
  readonly rotations: number
  readonly acquisitions: number
  readonly requestsServed: number
  /** Of them, those that failed, whatever the reason: mostly for shops that were uninstalled or waited for a merchant. */
  readonly requestsFailed: number
  readonly kills: Readonly<Record<KillPoint, number>>
  /** How often a worker was stopped in the middle of a run until its lease was over. */
  readonly pauses: number
  readonly faults: Readonly<Record<string, number>>
  readonly outages: Readonly<Record<string, number>>
  /** Requests at the token endpoint per stored pair. */
  readonly tokenCallsPerRotation: number
  readonly leasesExpired: number
  readonly retiredTokensPresented: number
  readonly acknowledgedWrites: number
  readonly conflicts: number
  readonly unknownWrites: number
  readonly events: Readonly<Record<string, number>>
  readonly pairs: readonly PairFigures[]
  /** Shops whose answer was lost or late, and whose grace was over. */
  readonly refreshesLost: number
  /** Shops whose newest acquisition's answer was lost, or arrived at Shopify late. */
  readonly acquisitionsLost: number
  /** Of those, those that the app had not ordered although a pair lived. */
  readonly acquisitionsLostFromLivingPair: number
  readonly shopsChecked: number
  readonly shopsOrphaned: number
  readonly failedOnValidTokens: number
  readonly wrongWrites: number
  /** Every broken promise. Empty: the run has passed. */
  readonly broken: readonly Broken[]
}

/** A promise that did not hold. */
export interface Broken {
  readonly promise: string
  readonly what: string
  readonly trail?: Trail
}
