import { LRUCache } from 'lru-cache'
import { untilAborted, withDeadline } from '../deadline.js'
import type { EventBus } from '../events.js'
import { reauthorizationUrl } from '../oauth/merchant-links.js'
import type { Clock } from '../ports/clock.js'
import type { Shop } from '../shop.js'
import type { ReauthorizationMark, TokenRecord } from '../token.js'
import { MAX_CONFLICTS } from './endless-conflict.js'
import type { ShopifyTime } from './shopify-time.js'
import type { StoreCalls } from './store-calls.js'

/** What the option `notify` is called with: a shop needs its merchant. Holds no secret. */
export interface ReauthorizationNotice {
  readonly shop: Shop
  readonly reason: ReauthorizationMark['reason']
  /** Since when. Epoch milliseconds, Shopify's time. One entry into the state has one instant, however often it is told. */
  readonly at: number
  /** Where to send the merchant. */
  readonly url: string
}

/** Tells support, or the merchant. What it throws, or rejects with, is told to nobody: only that it failed. */
export type NotifyHook = (notice: ReauthorizationNotice) => unknown

/** What notices need of the manager. */
export interface NoticesParts {
  readonly notify: NotifyHook | null
  readonly clientId: string
  readonly store: StoreCalls
  readonly clock: Clock
  readonly time: ShopifyTime
  readonly events: EventBus
  /** For how many shops it is remembered when their notice was begun. */
  readonly shops: number
  /** Lets work go on that no request waits for. */
  readonly behind: (work: Promise<void>) => void
  /** Aborts when closing has taken too long: what is not told by then is told by another process. */
  readonly abandon: AbortSignal
}

/** How long the hook may take. */
const HOOK_DEADLINE_MS = 10_000
/** How long this process waits before it tells of an entry once more, and others before they tell in its place. */
const AGAIN_AFTER_MS = 60_000
/** So many at a time: a mail server is not to be met by every dead shop of a fleet at once. */
const MAX_AT_ONCE = 5
/** Beyond this a shop is left to whoever meets it next: its row says that nobody was told. */
const MAX_WAITING = 1_000

/**
 * Sees to it that somebody is told of every shop that comes to need its merchant: at least once for each time, whichever
 * process dies in between. The row remembers that it was done.
 */
export class Notices {
  readonly #parts: NoticesParts
  /** Which entry of a shop, named by its instant, was last begun to be told here, and when (monotonic). */
  readonly #begun: LRUCache<Shop, { readonly entryAt: number; readonly begunAt: number }>
  readonly #waiting = new Map<Shop, ReauthorizationMark>()
  readonly #underWay = new Map<Shop, Promise<void>>()

  constructor(parts: NoticesParts) {
    this.#parts = parts
    this.#begun = new LRUCache({ max: parts.shops })
  }

  /** This process has just marked the shop. */
  entered(shop: Shop, mark: ReauthorizationMark): void {
    if (this.#isDue(shop, mark)) this.#take(shop, mark)
  }

  /** A row was read. Whoever marked it may have failed to tell of it, or died before. */
  met(shop: Shop, record: TokenRecord | null): void {
    const mark = record?.mark ?? null
    if (mark?.notifiedAt !== null) return
    const isOthersTurn = Math.abs(this.#parts.time.now() - mark.at) < AGAIN_AFTER_MS
    if (!isOthersTurn && this.#isDue(shop, mark)) this.#take(shop, mark)
  }

  /** Resolves when nothing is being told. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay.values())
  }

  #isDue(shop: Shop, { at }: ReauthorizationMark): boolean {
    if (this.#underWay.has(shop)) return false
    const begun = this.#begun.get(shop)
    return begun?.entryAt !== at || this.#parts.clock.monotonic() - begun.begunAt >= AGAIN_AFTER_MS
  }

  #take(shop: Shop, mark: ReauthorizationMark): void {
    const { notify } = this.#parts
    if (notify === null || this.#waiting.size >= MAX_WAITING) return
    this.#waiting.set(shop, mark)
    this.#beginSome(notify)
  }

  #beginSome(notify: NotifyHook): void {
    const { abandon, behind, clock } = this.#parts
    for (const [shop, mark] of this.#waiting) {
      if (this.#underWay.size >= MAX_AT_ONCE || abandon.aborted) return
      this.#waiting.delete(shop)
      this.#begun.set(shop, { entryAt: mark.at, begunAt: clock.monotonic() })
      const telling = this.#tell(notify, shop, mark).finally(() => {
        this.#underWay.delete(shop)
        this.#beginSome(notify)
      })
      this.#underWay.set(shop, telling)
      behind(telling)
    }
  }

  async #tell(notify: NotifyHook, shop: Shop, { at, reason }: ReauthorizationMark): Promise<void> {
    const { abandon, clientId, clock, events } = this.#parts
    const notice = Object.freeze({ shop, reason, at, url: reauthorizationUrl(reason, shop, clientId) })
    const call = async (): Promise<void> => {
      await notify(notice)
    }
    try {
      await withDeadline(clock, HOOK_DEADLINE_MS, () => untilAborted(call(), abandon))
    } catch {
      if (!abandon.aborted) events.emit({ type: 'reauthorization.notifyFailed', shop })
      return
    }
    // Not written, it is told again: that is the better of the two mistakes.
    await this.#remember(shop, at).catch(() => undefined)
  }

  /** Notes in the row that somebody was told of this entry. One that is over needs no note. */
  async #remember(shop: Shop, entryAt: number): Promise<void> {
    const { clientId, store, time } = this.#parts
    const key = { clientId, shop }
    let { record, version } = await store.get(key)
    for (let tries = 1; tries <= MAX_CONFLICTS; tries++) {
      const mark = record?.mark ?? null
      if (record === null || mark?.at !== entryAt || mark.notifiedAt !== null) return
      const result = await store.put(key, { ...record, mark: { ...mark, notifiedAt: time.now() } }, version)
      if (result.outcome === 'written') return
      ;({ record, version } = result.present)
    }
  }
}
