import { createHash } from 'node:crypto'
import type { RefusalReason } from './pair.js'
import type { TokenGrant } from './token-request.js'
import { TOKEN_GRANTS } from './token-request.js'

/** The two halves of the fake that a fault, a hold or a log entry concerns. */
export type FakeEndpoint = 'token' | 'admin'

/**
 * What Shopify did with a request, whatever the client saw of it: not yet decided, not processed at all (a fault came
 * before), granted, granted again by replay, or refused. Admin requests are `answered`.
 */
export type LogOutcome = 'pending' | 'unprocessed' | 'granted' | 'replayed' | 'refused' | 'answered'

/** One request. Holds no secret: credentials appear as the first 12 hex digits of their SHA-256. */
export interface LogEntry {
  /** Position among all requests, from 1, in order of arrival. */
  readonly sequence: number
  /** Shopify's time of arrival in milliseconds. */
  readonly at: number
  readonly endpoint: FakeEndpoint
  readonly shop: string
  readonly requestId: string
  readonly method: string
  /** Path without the query. */
  readonly path: string
  readonly grant?: TokenGrant
  /** {@link fingerprint} of the refresh token, code, ID token, original token or access token presented. */
  readonly presented?: string
  /** Parameters that this grant does not have ("The token endpoint" in docs/shopify-protocol.md). */
  readonly unexpectedParameters?: readonly string[]
  outcome: LogOutcome
  /** Status sent to the client; absent while pending and when the connection was cut instead. */
  status?: number
  /** `error` of a refusal by the token endpoint. */
  error?: string
  /** Why the credential was refused, which Shopify does not tell its clients. */
  reason?: RefusalReason
  /** Kind of the fault that struck this request. */
  fault?: string
  /** Set on the second processing of a request that was delivered twice. */
  duplicate?: true
}

/** What became of the calls of one grant, as Shopify saw it: a granted call may still have lost its answer. */
export interface GrantCounters {
  granted: number
  replayed: number
  refused: number
  unprocessed: number
}

/** Counters of one shop, or of all. */
export interface ShopCounters {
  /** Requests that reached the token endpoint, held and hung ones included. A request delivered twice counts twice. */
  tokenCalls: number
  tokenCallsByGrant: Record<TokenGrant, GrantCounters>
  /** Expiring pairs minted through the endpoint or by `mintPair`; replays mint none, except by `replay: 'new-pair'`. */
  pairsMinted: number
  /** Refresh tokens and original tokens presented that the fake had issued and no longer accepts. */
  retiredTokensPresented: number
  /** Browsers that came to the authorize page, whatever the merchant did there. */
  authorizeVisits: number
  /** Requests that reached the Admin API, held and hung ones included. */
  adminCalls: number
  /** Admin answers sent, by status. */
  adminCallsByStatus: Record<string, number>
}

/** A short, irreversible name for a credential, equal to the one in the log: the first 12 hex digits of its SHA-256. */
export function fingerprint(credential: string): string {
  return createHash('sha256').update(credential).digest('hex').slice(0, 12)
}

/** Keeps the newest entries and counts everything. */
export class RequestLog {
  readonly #limit: number
  readonly #byShop = new Map<string, ShopCounters>()
  #all = newCounters()
  #entries: LogEntry[] = []
  #sequence = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Notes an arrival and returns its entry, to be completed as the request goes on. */
  arrived(entry: Omit<LogEntry, 'sequence' | 'outcome'>): LogEntry {
    this.#sequence += 1
    const full: LogEntry = { ...entry, sequence: this.#sequence, outcome: 'pending' }
    this.#entries.push(full)
    if (this.#entries.length > 2 * this.#limit) this.#entries = this.#entries.slice(-this.#limit)
    this.#count(entry.shop, (counters) => {
      if (entry.endpoint === 'token') counters.tokenCalls += 1
      else counters.adminCalls += 1
    })
    return full
  }

  /** Notes what Shopify did. */
  settled(entry: LogEntry, result: Pick<LogEntry, 'outcome' | 'error' | 'reason'>): void {
    Object.assign(entry, result)
    const { outcome, grant, reason } = entry
    this.#count(entry.shop, (counters) => {
      if (grant !== undefined && outcome !== 'pending' && outcome !== 'answered') {
        counters.tokenCallsByGrant[grant][outcome] += 1
      }
      if (reason !== undefined && reason !== 'unknown-token' && reason !== 'not-installed') {
        counters.retiredTokensPresented += 1
      }
    })
  }

  /** Notes what the client was sent. */
  sent(entry: LogEntry, status: number): void {
    entry.status = status
    if (entry.endpoint === 'token') return
    this.#count(entry.shop, ({ adminCallsByStatus }) => {
      adminCallsByStatus[status] = (adminCallsByStatus[status] ?? 0) + 1
    })
  }

  minted(shop: string): void {
    this.#count(shop, (counters) => {
      counters.pairsMinted += 1
    })
  }

  authorizeVisited(shop: string): void {
    this.#count(shop, (counters) => {
      counters.authorizeVisits += 1
    })
  }

  /** A copy of the entries kept, oldest first. */
  entries(shop?: string): LogEntry[] {
    const kept = this.#entries.slice(-this.#limit)
    return structuredClone(shop === undefined ? kept : kept.filter((entry) => entry.shop === shop))
  }

  /** A copy of the counters at this moment. */
  counters(shop?: string): ShopCounters {
    return structuredClone(shop === undefined ? this.#all : (this.#byShop.get(shop) ?? newCounters()))
  }

  reset(): void {
    this.#entries = []
    this.#byShop.clear()
    this.#all = newCounters()
  }

  #count(shop: string, change: (counters: ShopCounters) => void): void {
    let counters = this.#byShop.get(shop)
    if (counters === undefined) this.#byShop.set(shop, (counters = newCounters()))
    change(counters)
    change(this.#all)
  }
}

function newCounters(): ShopCounters {
  const grants = TOKEN_GRANTS.map((grant) => [grant, { granted: 0, replayed: 0, refused: 0, unprocessed: 0 }] as const)
  return {
    tokenCalls: 0,
    tokenCallsByGrant: Object.fromEntries(grants) as Record<TokenGrant, GrantCounters>,
    pairsMinted: 0,
    retiredTokensPresented: 0,
    authorizeVisits: 0,
    adminCalls: 0,
    adminCallsByStatus: {},
  }
}
