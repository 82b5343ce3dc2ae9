import {
  candidates,
  createTokenManager,
  fingerprint,
  MemoryTokenStore,
  type Shop,
  type TokenManager,
} from '@shopify-tokens/core'
import { aRecord, FakeClock, FakeShopify, type Fault } from '@shopify-tokens/testing'
import { someShops } from '../core/managed-app.js'

export const DAY_MS = 86_400_000
const CLIENT_ID = 'sleeping-app'
const CLIENT_SECRET = 'sleeping-app-secret'

/** What has become of a fleet. */
export interface Figures {
  readonly shops: number
  readonly days: number
  /** How many new pairs Shopify has made. */
  readonly rotations: number
  /** How many of them never reached the app when they were made. */
  readonly lostAnswers: number
  /** Shops of which the app holds nothing that Shopify accepts. */
  readonly lapsed: number
}

/** Shops that nobody visits, with tokens of all ages, and one process that may sweep them. Days pass in milliseconds. */
export class SleepingFleet {
  readonly shops: readonly Shop[]
  readonly #clock: FakeClock
  readonly #shopify: FakeShopify
  readonly #store: MemoryTokenStore
  readonly #tokens: TokenManager
  readonly #beganAt: number
  /** On which day Shopify's answers about a shop get lost. */
  readonly #unlucky = new Map<string, number>()
  readonly #lost = new Set<string>()

  private constructor(size: number, clock: FakeClock, shopify: FakeShopify) {
    this.shops = someShops(size)
    this.#clock = clock
    this.#shopify = shopify
    this.#store = new MemoryTokenStore({ clock })
    this.#beganAt = clock.now()
    this.#tokens = createTokenManager({
      clientId: CLIENT_ID,
      clientSecret: CLIENT_SECRET,
      store: this.#store,
      sealing: 'unsealed-tokens-readable-in-store',
      clock,
      fetch: clock.watch((input, init) => shopify.fetch(input, init)),
    })
  }

  /** `ageMs`: how old the tokens of the `n`th shop are when everybody goes to sleep. */
  static async start(size: number, ageMs: (n: number) => number): Promise<SleepingFleet> {
    const clock = new FakeClock({ autoAdvance: true })
    const shopify = await FakeShopify.start({ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, clock, logLimit: 1 })
    const fleet = new SleepingFleet(size, clock, shopify)
    await Promise.all(fleet.shops.map((shop, n) => fleet.#install(shop, ageMs(n))))
    shopify.faults.choose(({ shop }) => fleet.#fate(shop))
    return fleet
  }

  /** From the first renewal of the shop on or after `day` until that day is over, no answer about it arrives. */
  loseAnswersFrom(shop: Shop, day: number): void {
    this.#unlucky.set(shop, day)
  }

  /** One day after the other, beginning with the first; `sweeps`: on which of them the process sweeps. */
  async sleep(days: number, sweeps: (day: number) => boolean): Promise<Figures> {
    for (let day = 0; day < days; day++) {
      if (sweeps(day)) await this.#tokens.sweep({ perSecond: 1_000, concurrency: 32 })
      await this.#clock.advance(this.#beganAt + (day + 1) * DAY_MS - this.#clock.now())
    }
    const alive = await Promise.all(this.shops.map((shop) => this.#isAlive(shop)))
    return {
      ...{ shops: this.shops.length, days },
      rotations: this.#shopify.counters().tokenCallsByGrant.refresh.granted,
      lostAnswers: this.#lost.size,
      lapsed: alive.filter((each) => !each).length,
    }
  }

  async close(): Promise<void> {
    await this.#tokens.close()
    await this.#shopify.close()
  }

  /** By Shopify's word, not by ours. */
  async #isAlive(shop: Shop): Promise<boolean> {
    const { record } = await this.#store.get({ clientId: CLIENT_ID, shop })
    return this.#shopify.hasLiveCredential(shop, candidates(record))
  }

  async #install(shop: Shop, ageMs: number): Promise<void> {
    const pair = this.#shopify.mintPair(shop, { ageMs })
    const record = aRecord.expiring({
      accessToken: pair.accessToken,
      refreshToken: pair.refreshToken,
      scopes: [...pair.scopes],
      obtainedAt: pair.issuedAt,
      confirmedAt: pair.issuedAt,
      expiresAt: pair.accessTokenExpiresAt,
      renewAt: pair.accessTokenExpiresAt - 300_000,
      refreshTokenExpiresAt: pair.refreshTokenExpiresAt,
      secretId: fingerprint(CLIENT_SECRET),
      sweepAt: pair.issuedAt + 20 * DAY_MS,
    })
    await this.#store.put({ clientId: CLIENT_ID, shop }, record, 'absent')
  }

  /** Shopify acts on the first request and its answer gets lost; for the rest of that day it answers nothing of use. */
  #fate(shop: string): Fault | undefined {
    const day = Math.floor((this.#clock.now() - this.#beganAt) / DAY_MS)
    const unlucky = this.#unlucky.get(shop)
    if (unlucky === undefined || day < unlucky) return undefined
    if (!this.#lost.has(shop)) {
      this.#lost.add(shop)
      this.#unlucky.set(shop, day)
      return { kind: 'reset', when: 'after' }
    }
    return day > unlucky ? undefined : { kind: 'status', status: 503 }
  }
}
