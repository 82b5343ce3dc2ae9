import type { Grant, TokenEvent } from '@shopify-tokens/core'
import type { Entry, PutStep } from './journal.js'
import type { KillPoint } from './plan.js'

/** A pair that has arrived at a worker. */
export interface ArrivedPair {
  readonly requestId: string
  readonly grant: Grant
  readonly refreshToken: string
  readonly at: number
  readonly worker: number
}

/** One put, and what became of it; without a verdict nobody knows. */
export interface PutRecord {
  readonly shop: string
  readonly step: PutStep
  readonly expected: string
  readonly tokens: readonly string[]
  verdict?: { readonly outcome: 'written'; readonly version: string } | { readonly outcome: 'conflict' }
}

export interface FailedRequest {
  readonly shop: string
  readonly code: string
  readonly token: string | null
  readonly expiresAt: number
  readonly at: number
}

/** What one shop has been through, as far as workers have written it down. */
export class ShopHistory {
  /** By the id of Shopify's answer. */
  readonly arrived = new Map<string, ArrivedPair>()
  /** When each refresh token was first known to be in the row. */
  readonly stored = new Map<string, number>()
  readonly events: TokenEvent[] = []
}

/** Whoever has to do something about it. */
export interface HistoryListener {
  failed(request: FailedRequest): void
  /** A worker has stopped in the middle of a run for a shop. */
  paused(shop: string, worker: number): void
}

/** All that the workers' journals say. */
export class History {
  readonly puts = new Map<string, PutRecord>()
  readonly kills = new Map<KillPoint, number>()
  readonly events = new Map<TokenEvent['type'], number>()
  readonly rotations = new Map<string, number>()
  leasesExpired = 0
  /** What was presented without an attempt in the row. */
  readonly unannounced: string[] = []
  requestsServed = 0
  requestsFailed = 0
  readonly #shops = new Map<string, ShopHistory>()
  pauses = 0
  readonly #listener: HistoryListener

  constructor(listener: HistoryListener) {
    this.#listener = listener
  }

  of(shop: string): ShopHistory {
    let history = this.#shops.get(shop)
    if (history === undefined) this.#shops.set(shop, (history = new ShopHistory()))
    return history
  }

  take(entry: Entry, worker: number): void {
    switch (entry.t) {
      case 'answer':
        this.of(entry.shop).arrived.set(entry.requestId, { ...entry, worker })
        return
      case 'put': {
        const { shop, step, expected, tokens } = entry
        this.puts.set(entry.id, { shop, step, expected, tokens })
        return
      }
      case 'written':
        this.#written(entry.id, entry.version, entry.at)
        return
      case 'conflict': {
        const put = this.puts.get(entry.id)
        if (put !== undefined) put.verdict = { outcome: 'conflict' }
        return
      }
      case 'unannounced':
        this.unannounced.push(`${entry.shop}: ${entry.grant}`)
        return
      case 'lease-expired':
        this.leasesExpired += 1
        return
      case 'kill':
        this.kills.set(entry.point, (this.kills.get(entry.point) ?? 0) + 1)
        return
      case 'pause':
        this.pauses += 1
        this.#listener.paused(entry.shop, worker)
        return
      case 'event':
        this.#happened(entry.event)
        return
      case 'served':
        this.requestsServed += entry.requests
        return
      case 'failed':
        this.requestsFailed += 1
        this.#listener.failed(entry)
    }
  }

  #written(id: string, version: string, at: number): void {
    const put = this.puts.get(id)
    if (put === undefined) throw new Error(`A put was acknowledged that was never begun: ${id}`)
    put.verdict = { outcome: 'written', version }
    const { stored } = this.of(put.shop)
    for (const token of put.tokens) if (!stored.has(token)) stored.set(token, at)
  }

  #happened(event: TokenEvent): void {
    this.events.set(event.type, (this.events.get(event.type) ?? 0) + 1)
    if (!('shop' in event)) return
    this.of(event.shop).events.push(event)
    if (event.type === 'token.rotated') this.rotations.set(event.shop, (this.rotations.get(event.shop) ?? 0) + 1)
  }
}
