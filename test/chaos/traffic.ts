import type { Shop, TokenManager } from '@shopify-tokens/core'
import type { Journal } from './journal.js'
import type { WorkerSetup } from './orders.js'
import { Seeded } from './seeded.js'
import { shopNames } from './switches.js'

/** A token that this process has had for a shop. */
interface Had {
  readonly token: string
  readonly expiresAt: number
}

const TICK_MS = 100
const TELL_EVERY_MS = 1_000

/** Requests as an app's handlers send them: the shop's name from the Admin API, for one shop after the other. */
export class Traffic {
  readonly #tokens: TokenManager
  readonly #journal: Journal
  readonly #perTick: number
  readonly #chance: Seeded
  readonly #shops: readonly Shop[]
  readonly #had = new Map<Shop, Had>()
  #queue: Shop[] = []
  #due = 0
  #served = 0
  #timers: NodeJS.Timeout[] = []

  constructor(tokens: TokenManager, journal: Journal, { seed, shopsPerPair, requestsPerSecond }: WorkerSetup) {
    this.#tokens = tokens
    this.#journal = journal
    this.#perTick = (requestsPerSecond * TICK_MS) / 1_000
    this.#chance = new Seeded(seed, 'traffic')
    this.#shops = shopNames(shopsPerPair)
  }

  start(): void {
    const send = (): void => {
      for (this.#due += this.#perTick; this.#due >= 1; this.#due -= 1) void this.#request(this.#nextShop())
    }
    const tell = (): void => {
      this.#journal.write({ t: 'served', requests: this.#served })
      this.#served = 0
    }
    this.#timers = [setInterval(send, TICK_MS), setInterval(tell, TELL_EVERY_MS)]
  }

  rest(): void {
    for (const timer of this.#timers) clearInterval(timer)
  }

  #nextShop(): Shop {
    if (this.#queue.length === 0) this.#queue = this.#chance.shuffled(this.#shops)
    const [shop] = this.#queue.splice(-1)
    if (shop === undefined) throw new Error('There are no shops.')
    return shop
  }

  async #request(shop: Shop): Promise<void> {
    const had = this.#had.get(shop)
    const client = this.#tokens.forShop(shop)
    try {
      const { value: token, expiresAt } = await client.accessToken()
      await client.graphql('{ shop { name } }')
      this.#had.set(shop, { token, expiresAt })
      this.#served += 1
    } catch (error) {
      const { code = String(error), status } = error as { code?: string; status?: number }
      const { token = null, expiresAt = 0 } = had ?? {}
      const told = status === undefined ? code : `${code} ${String(status)}`
      this.#journal.write({ t: 'failed', shop, code: told, token, expiresAt, at: Date.now() })
    }
  }
}
