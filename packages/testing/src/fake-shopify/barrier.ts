import type { FakeEndpoint } from './request-log.js'
import type { TokenGrant } from './token-request.js'

/** Which requests a hold concerns, and where it stops them. */
export interface HoldOptions {
  /** Only this shop's requests. Default: every shop's. */
  readonly shop?: string | undefined
  /** Only this grant's requests (token endpoint). Default: every grant's. */
  readonly grant?: TokenGrant | undefined
  /** Before Shopify acts (`request`, the default) or after it has acted and before it answers (`answer`). */
  readonly at?: 'request' | 'answer' | undefined
}

/** What a request is, as far as a hold or a fault asks. */
export interface RequestTraits {
  readonly endpoint: FakeEndpoint
  readonly shop: string
  readonly grant?: TokenGrant | undefined
}

/**
 * Requests held back. It stops every matching request until `release()`, and none afterwards. A client that gives up
 * while it is held changes nothing: Shopify still acts on its request after the release.
 */
export interface Hold {
  /** How many requests have been stopped so far, released ones included. */
  readonly count: number
  /** Resolves when `n` requests (default 1) have been stopped; rejects when the fake is closed before. */
  arrived(n?: number): Promise<void>
  /** Lets all held requests go together, and every later one pass. May be called twice. */
  release(): void
}

/** The holds in force. A request that matches several waits for each in the order in which they were made. */
export class Barrier {
  readonly #holds = new Set<OpenHold>()

  /** Holds matching requests; with `size`, lets them go together when that many have arrived. */
  hold(endpoint: FakeEndpoint, options: HoldOptions, size?: number): Hold {
    const hold = new OpenHold(endpoint, options, size, () => this.#holds.delete(hold))
    this.#holds.add(hold)
    return hold
  }

  /** Waits while a hold stops this request at this point. Rejects when the fake is closed. */
  async pass(request: RequestTraits, at: 'request' | 'answer'): Promise<void> {
    for (const hold of [...this.#holds]) {
      if (this.#holds.has(hold) && hold.matches(request, at)) await hold.stop()
    }
  }

  /** Gives every held request and every waiting test up. */
  close(reason: Error): void {
    for (const hold of [...this.#holds]) hold.abandon(reason)
  }
}

class OpenHold implements Hold {
  readonly #endpoint: FakeEndpoint
  readonly #options: HoldOptions
  readonly #size: number | undefined
  readonly #ended: () => void
  readonly #open = new Signal()
  readonly #arrivals: { readonly n: number; readonly signal: Signal }[] = []
  #count = 0

  constructor(endpoint: FakeEndpoint, options: HoldOptions, size: number | undefined, ended: () => void) {
    this.#endpoint = endpoint
    this.#options = options
    this.#size = size
    this.#ended = ended
  }

  get count(): number {
    return this.#count
  }

  matches({ endpoint, shop, grant }: RequestTraits, at: 'request' | 'answer'): boolean {
    const wanted = this.#options
    if (endpoint !== this.#endpoint || at !== (wanted.at ?? 'request')) return false
    return (wanted.shop ?? shop) === shop && (wanted.grant ?? grant) === grant
  }

  async stop(): Promise<void> {
    this.#count += 1
    for (const { n, signal } of this.#arrivals) if (this.#count >= n) signal.resolve()
    if (this.#count === this.#size) this.release()
    await this.#open.promise
  }

  async arrived(n = 1): Promise<void> {
    if (this.#count >= n) return
    const signal = new Signal()
    this.#arrivals.push({ n, signal })
    await signal.promise
  }

  release(): void {
    this.#ended()
    this.#open.resolve()
  }

  abandon(reason: Error): void {
    this.#ended()
    this.#open.reject(reason)
    for (const { signal } of this.#arrivals) signal.reject(reason)
  }
}

/** A promise with its two ends in hand; a rejection that nobody waits for is no unhandled one. */
export class Signal {
  readonly promise: Promise<void>
  resolve!: () => void
  reject!: (reason: Error) => void

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve
      this.reject = reject
    })
    this.promise.catch(() => undefined)
  }
}
