import type { Durations } from '../durations.js'
import type { EventBus } from '../events.js'
import type { SessionToken } from '../oauth/id-token.js'
import type { TokenEndpoint } from '../oauth/token-endpoint.js'
import type { Clock } from '../ports/clock.js'
import type { DeliveryLog } from '../ports/delivery-log.js'
import type { Lock } from '../ports/lock.js'
import type { Random } from '../ports/random.js'
import type { Shop } from '../shop.js'
import type { ServableRecord } from '../token.js'
import type { Breaker } from './breaker.js'
import type { DeploymentCheck } from './deployment-check.js'
import type { FleetWatch } from './fleet-watch.js'
import type { Notices } from './notices.js'
import type { Reminder } from './reminder.js'
import type { RowNews } from './row-news.js'
import type { ShopifyTime } from './shopify-time.js'
import type { StoreCalls } from './store-calls.js'

/** What a run needs from its surroundings; the same for all runs of a manager. */
export interface RunContext {
  readonly durations: Durations
  readonly endpoint: TokenEndpoint
  readonly store: StoreCalls
  /** Which authorization codes have been sent. */
  readonly deliveries: DeliveryLog
  readonly lock: Lock | null
  readonly deployment: DeploymentCheck
  readonly breaker: Breaker
  readonly fleet: FleetWatch
  readonly notices: Notices
  readonly news: RowNews
  /** When a shop's `secret.outdated` was told. */
  readonly outdated: Reminder
  /** When a shop's `shop.atRisk` was told. */
  readonly atRisk: Reminder
  /** When a shop's tokens were last replaced for want of scopes. */
  readonly grown: Reminder
  readonly clock: Clock
  readonly time: ShopifyTime
  readonly events: EventBus
  readonly random: Random
  readonly secretId: string
  readonly knownSecretIds: ReadonlySet<string>
  /** `null`: the merchant's grants and refreshes. */
  readonly grant: 'client-credentials' | null
  readonly requireExpiring: boolean
  /** Another process renews: this one reads, and asks. */
  readonly renewsElsewhere: boolean
  readonly verifyIdToken: (idToken: string) => Promise<SessionToken>
  /** Pairs that Shopify has minted and the store has not taken yet: the only copies there are. */
  readonly unstored: Map<Shop, ServableRecord>
  /** Aborts when the manager begins to close: no new grants, no repetitions. */
  readonly closing: AbortSignal
  /** Aborts when closing has taken too long: unstored pairs are given up. */
  readonly abandon: AbortSignal
}
