import type { FakeShopify, Fault } from '@shopify-tokens/testing'
import type { Outside } from './outside.js'
import type { Granted, ReferenceShop } from './reference.js'

/** What can happen to a request to the token endpoint on its way. */
export const MISHAPS = [
  'answer lost',
  'refused',
  'late 1 s',
  'late 60 s',
  'twice',
  'twice after 60 s',
  'slow',
  '502 before',
  '502 after',
  '429',
  'truncated',
] as const
export type Mishap = (typeof MISHAPS)[number]

/** Who sends: a process that may die before it has the answer. */
export interface Sender {
  isDead(): boolean
  /** Grants on their way to the sender, and those that it has not stored yet. */
  readonly pending: Map<Granted, string>
  heardFromShopify(): void
}

const FAULTS: Partial<Record<Mishap, Fault>> = {
  '502 before': { kind: 'html', when: 'before' },
  '502 after': { kind: 'html', when: 'after' },
  '429': { kind: 'throttled', retryAfter: 20 },
  truncated: { kind: 'truncated' },
}
const SLOW_MS = 6_000

/** The wire between the processes and the fake Shopify. It knows what became of every request, the processes do not. */
export class Network {
  /** How often something went wrong. */
  mishaps = 0
  readonly #armed = new Map<string, Mishap[]>()
  #late: { readonly shop: string; readonly dueAt: number; readonly deliver: () => Promise<unknown> }[] = []

  constructor(
    private readonly shopify: FakeShopify,
    private readonly outside: Outside,
    private readonly clock: { monotonic(): number; now(): number; sleep(ms: number): Promise<void> },
    private readonly reference: (host: string) => ReferenceShop,
  ) {}

  /** The next `times` requests of the shop meet with this. */
  arm(host: string, mishap: Mishap, times: number): void {
    const armed = this.#armed.get(host) ?? []
    this.#armed.set(host, [...armed, ...Array.from({ length: times }, () => mishap)])
  }

  /** No more mishaps; what is late arrives. */
  async heal(): Promise<void> {
    this.#armed.clear()
    await this.deliver(Infinity)
  }

  isLate(host: string): boolean {
    return this.#late.some(({ shop }) => shop === host)
  }

  /** When the next late request arrives, by the monotonic clock. */
  get nextLateAt(): number {
    return Math.min(...this.#late.map(({ dueAt }) => dueAt))
  }

  /** Lets late requests arrive that are due by now. */
  async deliver(now = this.clock.monotonic()): Promise<void> {
    const due = this.#late.filter(({ dueAt }) => dueAt <= now).sort((a, b) => a.dueAt - b.dueAt)
    this.#late = this.#late.filter((request) => !due.includes(request))
    for (const { deliver } of due) await deliver()
  }

  async send(sender: Sender, url: string, init: RequestInit): Promise<Response> {
    await this.deliver()
    const host = new URL(url).hostname
    const mishap = this.#armed.get(host)?.shift()
    if (mishap !== undefined) this.mishaps++
    const later = (ms: number): void => {
      const deliver = (): Promise<unknown> => this.#deliver(null, host, url, init)
      this.#late.push({ shop: host, dueAt: this.clock.monotonic() + ms, deliver })
    }
    if (mishap === 'refused') throw new TypeError('fetch failed')
    if (mishap === 'late 1 s' || mishap === 'late 60 s') {
      later(mishap === 'late 1 s' ? 1_000 : 60_000)
      throw new TypeError('fetch failed')
    }
    const fault = mishap === undefined ? undefined : FAULTS[mishap]
    if (fault !== undefined) this.shopify.faults.next(host, fault)
    const readable = mishap !== 'answer lost' && mishap !== '502 after' && mishap !== 'truncated'
    const response = await this.#deliver(readable ? sender : null, host, url, init)
    if (mishap === 'answer lost') throw new TypeError('fetch failed')
    if (mishap === 'twice') later(0)
    if (mishap === 'twice after 60 s') later(60_000)
    if (mishap === 'slow') await this.clock.sleep(SLOW_MS)
    const understood = response.status < 500 && response.status !== 429
    if (understood && !sender.isDead() && init.signal?.aborted !== true) sender.heardFromShopify()
    return response
  }

  /** Shopify acts. `sender`: who is there to hear the answer. */
  async #deliver(sender: Sender | null, host: string, url: string, init: RequestInit): Promise<Response> {
    return this.outside.turn(async () => {
      const answer = await this.shopify.fetch(url, { ...init, signal: null })
      const text = await answer.text()
      const entry = this.shopify.log(host).at(-1)
      if (entry?.outcome === 'granted' || entry?.outcome === 'replayed') {
        const reference = this.reference(host)
        const granted = reference.grant(entry.grant ?? 'unknown', entry.presented ?? '', this.clock.now())
        const lose = (): void => {
          if (sender === null || sender.pending.delete(granted)) reference.lose(granted)
        }
        if (sender === null || sender.isDead() || init.signal?.aborted === true) reference.lose(granted)
        else {
          sender.pending.set(granted, host)
          init.signal?.addEventListener('abort', lose, { once: true })
        }
      }
      return new Response(text, { status: answer.status, headers: answer.headers })
    })
  }
}
