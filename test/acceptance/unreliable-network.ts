import type { Fetch } from '@shopify-tokens/core'
import type { FakeClock, FakeShopify } from '@shopify-tokens/testing'
import { shop } from '../core/managed-app.js'

/** A way to Shopify that takes requests there and loses answers of the token endpoint, as many as the test wants. */
export class UnreliableNetwork {
  #departures: number[] = []
  #toLose = 0

  /** Loses the next `count` answers: Shopify has acted, and the client waits for nothing. */
  lose(count: number): void {
    this.#toLose = count
    this.#departures = []
  }

  /** How many token requests have left since {@link lose}. */
  get requests(): number {
    return this.#departures.length
  }

  /** How long the client paused between a time-out and its next request, for each since {@link lose}. */
  pausesAfter(timeoutMs: number): number[] {
    return this.#departures.slice(1).map((at, n) => at - (this.#departures[n] ?? 0) - timeoutMs)
  }

  /** The way through it. Time stands still while a request or an answer is on it, and passes when an answer is lost. */
  through({ clock, shopify }: { readonly clock: FakeClock; readonly shopify: FakeShopify }): Fetch {
    const reliable = clock.watch((input: string, init: RequestInit) => shopify.fetch(input, init))
    return async (input, init) => {
      if (!input.endsWith('/access_token')) return reliable(input, init)
      this.#departures.push(clock.monotonic())
      if (this.#toLose === 0) return reliable(input, init)
      this.#toLose -= 1
      const lost = shopify.faults.next(shop, { kind: 'hang', when: 'after' })
      const answer = shopify.fetch(input, init)
      await clock.watch(() => lost.untilStruck())()
      return answer
    }
  }
}
