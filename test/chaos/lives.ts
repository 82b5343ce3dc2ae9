import { candidates, type Shop, type TokenRecord } from '@shopify-tokens/core'
import type { RequestTraits } from '@shopify-tokens/testing'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FailedRequest, History } from './history.js'
import { CLOCK_SLACK_MS, durationsOf, type Plan } from './plan.js'
import type { Rows } from './rows.js'
import type { Seeded } from './seeded.js'
import type { Shopifys } from './shopifys.js'
import { switchesOf } from './switches.js'
import { type Trail, trailOf } from './trail.js'
import { type Death, deathOf, isAnnounced } from './verdict.js'
import type { Outcome, Workers } from './workers.js'

/** A shop that only its merchant could bring back. */
export interface Incident {
  readonly shop: string
  readonly death: Death | 'falsely-marked'
  readonly isAnnounced: boolean
  /** For a lost acquisition: whether Shopify would still have accepted a refresh token of the row when it was asked. */
  readonly hadLivingPair: boolean
  /** For a lost acquisition: whether the app had asked for it by `acquire()`. */
  readonly wasOrdered: boolean
  /** What the shop had been through, for whoever has to study it. */
  readonly trail: Trail
}

interface Life {
  readonly shop: Shop
  /** A story about it is going on: nobody else touches it. */
  isBusy: boolean
  installedAt: number
  /** Whether a visit of the merchant has ended well since. */
  isAcquired: boolean
  how: 'token' | 'acquire'
  /** Both of the latest request of an acquisition. */
  hadLivingPair: boolean
  wasOrdered: boolean
}

const VISIT_PAUSE_MS = 250
const MOST_VISITS = 120
const LOOK_PAUSE_MS = 250
/** A worker may die of an attempt. */
const MOST_ATTEMPTS = 3
const ASKED_AT_ONCE = 8
/** A pair that has been in memory for longer was dropped. */
const LONGEST_HELD_MS = 30_000
/** Codes with which a shop may turn out to need its merchant. */
const TELLING: ReadonlySet<string> = new Set(['ERR_REAUTHORIZATION_REQUIRED', 'ERR_FLEET_SUSPECT'])

/** What merchants do with the app, and what becomes of their shops. One story per shop at a time. */
export class Lives {
  readonly incidents: Incident[] = []
  /** Requests that failed although the worker had a token that was good for a while yet. */
  readonly failedOnValidTokens: { readonly what: string; readonly trail: Trail }[] = []
  readonly neverServed: string[] = []
  readonly #lives: ReadonlyMap<string, Life>
  readonly #plan: Plan
  readonly #shopifys: Shopifys
  readonly #workers: Workers
  readonly #history: History
  readonly #rows: Rows
  readonly #chance: Seeded
  readonly #takeNews: () => void
  readonly #stories = new Set<Promise<void>>()
  #isOver = false

  constructor(parts: {
    readonly shops: readonly Shop[]
    readonly plan: Plan
    readonly shopifys: Shopifys
    readonly workers: Workers
    readonly history: History
    readonly rows: Rows
    readonly chance: Seeded
    /** Brings the history up to date. */
    readonly takeNews: () => void
  }) {
    const newLife = { isBusy: false, installedAt: 0, isAcquired: false, how: 'token' } as const
    this.#lives = new Map(
      parts.shops.map((shop) => [shop, { ...newLife, shop, hadLivingPair: false, wasOrdered: false }]),
    )
    this.#plan = parts.plan
    this.#shopifys = parts.shopifys
    this.#workers = parts.workers
    this.#history = parts.history
    this.#rows = parts.rows
    this.#chance = parts.chance
    this.#takeNews = parts.takeNews
  }

  /** Installs the app in every shop. */
  async installAll(): Promise<void> {
    await Promise.all(
      [...this.#lives.values()].map((life) =>
        this.#tell(life, async () => {
          this.#install(life)
          await this.#visit(life, 'token')
        }),
      ),
    )
  }

  /** Something that makes the app acquire a new pair happens to some shop. */
  somethingHappens(): void {
    const free = [...this.#lives.values()].filter(({ isBusy, isAcquired }) => !isBusy && isAcquired)
    if (free.length === 0) return
    const life = this.#chance.pick(free)
    const kind = this.#chance.between(1, 10)
    void this.#tell(life, async () => {
      // Scopes grow: the app orders a new pair while the old one lives.
      if (kind > 7) return this.#visit(life, 'acquire')
      life.isAcquired = false
      this.#shopifys.of(life.shop).uninstall(life.shop)
      if (kind > 3) await this.#untilItWorks(life, () => this.#workers.call(life.shop, { do: 'remove' }))
      await sleep(this.#chance.between(100, 1_000))
      this.#install(life)
      // Without the webhook the app knows nothing of it; with it, the row is a tombstone.
      return this.#visit(life, kind > 3 || this.#chance.next() < 0.5 ? 'token' : 'acquire')
    })
  }

  /** A request has failed at a worker. */
  failed({ shop, code, token, expiresAt, at }: FailedRequest): void {
    const life = this.#lifeOf(shop)
    const isValid = token !== null && this.#shopifys.of(shop).accessTokenState(shop, token) === 'live'
    const { minRemainingMs } = durationsOf(this.#plan)
    if (isValid && expiresAt - at > minRemainingMs + CLOCK_SLACK_MS) {
      const what = `${shop}: ${code} at ${at - life.installedAt} ms, ${expiresAt - at} ms before the token's end`
      const trail = trailOf(life.installedAt, this.#shopifys.tokenCalls(shop), this.#history.of(shop))
      this.failedOnValidTokens.push({ what, trail })
    }
    if (TELLING.has(code) && !life.isBusy && life.isAcquired && !this.#isOver)
      void this.#tell(life, () => this.#lookAfter(life))
  }

  /**
   * A worker has stopped in the middle of a run and will outlive its lease. Meanwhile somebody else renews the shop, or
   * the app orders a new pair; then the worker goes on where it stood.
   */
  paused(shop: string, worker: number): void {
    const life = this.#lifeOf(shop)
    this.#workers.paused(worker)
    const isFree = !life.isBusy && life.isAcquired
    const meanwhile = async (): Promise<void> => {
      await sleep(this.#plan.leaseMs)
      if (isFree && this.#chance.next() < 0.7) await this.#visit(life, 'acquire')
      else await sleep(this.#plan.leaseMs / 4)
      this.#workers.resume(worker)
    }
    void (isFree ? this.#tell(life, meanwhile) : this.#follow(meanwhile()))
  }

  /** Notes what an acquisition that has arrived at Shopify puts at risk. */
  arriving({ shop, grant, endpoint }: RequestTraits): void {
    if (endpoint !== 'token' || grant !== 'id-token') return
    this.#takeNews()
    const known = [...this.#history.of(shop).stored.keys()].slice(-20)
    const life = this.#lifeOf(shop)
    life.hadLivingPair = this.#shopifys.of(shop).hasLiveCredential(shop, known)
    life.wasOrdered = life.how === 'acquire'
  }

  /** Resolves when no story is going on. */
  async settled(): Promise<void> {
    while (this.#stories.size > 0) await Promise.all(this.#stories)
  }

  /**
   * Asks for every shop's token, once nothing happens any more, and looks at what its row holds. Shops that need their
   * merchant become incidents. Resolves with how many shops there were.
   */
  async takeStock(): Promise<number> {
    this.#isOver = true
    const alive = [...this.#lives.values()].filter(({ isAcquired }) => isAcquired)
    const rest = [...alive]
    const askTheNext = async (): Promise<void> => {
      for (let life = rest.pop(); life !== undefined; life = rest.pop()) await this.#ask(life)
    }
    await Promise.all(Array.from({ length: ASKED_AT_ONCE }, askTheNext))
    return alive.length
  }

  async #ask(life: Life): Promise<void> {
    const { shop } = life
    let outcome = await this.#workers.call(shop, { do: 'serve' })
    for (let n = 1; n < MOST_VISITS && isWorthRepeating(outcome); n++) {
      await sleep(VISIT_PAUSE_MS)
      outcome = await this.#workers.call(shop, { do: 'serve' })
    }
    if (outcome === 'ok') {
      if (this.#works(shop, await this.#rows.read(shop))) return
      // Its access token lives on, and nobody has needed another one yet: the next attempt must tell.
      await this.#workers.call(shop, { do: 'force' })
      await this.#examine(life)
      return
    }
    const before = this.incidents.length
    await this.#examine(life)
    if (this.incidents.length > before) return
    this.neverServed.push(`${shop}: ${outcome === 'died' ? outcome : outcome.message}`)
  }

  #install(life: Life): void {
    life.installedAt = Date.now()
    this.#shopifys.of(life.shop).installShop(life.shop)
  }

  async #visit(life: Life, how: 'token' | 'acquire'): Promise<void> {
    const { shop } = life
    life.how = how
    await this.#untilItWorks(life, () => {
      const idToken = this.#shopifys.of(shop).sessionToken(shop)
      return this.#workers.call(shop, { do: 'visit', idToken, how })
    })
    life.isAcquired = true
  }

  async #untilItWorks({ shop }: Life, work: () => ReturnType<Workers['call']>): Promise<void> {
    let last = ''
    for (let n = 1; n <= MOST_VISITS; n++) {
      const outcome = await work()
      if (outcome === 'ok') return
      last = outcome === 'died' ? outcome : outcome.message
      await sleep(VISIT_PAUSE_MS)
    }
    this.neverServed.push(`${shop}: ${last}`)
  }

  /** A worker has said that the shop needs its merchant. Finds out whether that is so, and lets the merchant come. */
  async #lookAfter(life: Life): Promise<void> {
    await this.#examine(life)
    await this.#visit(life, 'token')
  }

  async #examine(life: Life): Promise<void> {
    let incident = await this.#findOut(life)
    // What is promised is that the next attempt tells, and nobody may have had a reason for one.
    for (let n = 1; n <= MOST_ATTEMPTS && incident?.isAnnounced === false; n++) {
      await this.#workers.call(life.shop, { do: 'force' })
      incident = (await this.#findOut(life)) ?? incident
    }
    if (incident !== null) this.incidents.push(incident)
  }

  /** `null`: the shop lives. */
  async #findOut(life: Life): Promise<Incident | null> {
    const { shop, installedAt, hadLivingPair, wasOrdered } = life
    const until = Date.now() + LONGEST_HELD_MS
    let row: TokenRecord | null
    for (;;) {
      // In this order: what is stored while the row is being read counts as held.
      this.#takeNews()
      const isHeld = this.#isHeld(life)
      row = await this.#rows.read(shop)
      if (this.#works(shop, row)) return null
      if (Date.now() > until || !(isHeld || this.#isUnderWay(row))) break
      await sleep(LOOK_PAUSE_MS)
    }
    const history = this.#history.of(shop)
    const isAlive = this.#shopifys.of(shop).hasLiveCredential(shop, candidates(row))
    const calls = this.#shopifys.tokenCalls(shop)
    const verdict = deathOf({ switches: switchesOf(shop), installedAt, calls, history, latestMs: this.#plan.latestMs })
    const isAnnouncedDeath = isAlive || isAnnounced(verdict, row, history)
    return {
      ...{ shop, hadLivingPair, death: isAlive ? 'falsely-marked' : verdict.death },
      ...{ wasOrdered, isAnnounced: isAnnouncedDeath, trail: trailOf(installedAt, calls, history) },
    }
  }

  /** Whether a worker that lives has a pair of the shop that is not stored. */
  #isHeld({ shop, installedAt }: Life): boolean {
    const { arrived, stored } = this.#history.of(shop)
    const since = Math.max(installedAt, Date.now() - LONGEST_HELD_MS)
    return [...arrived.values()].some(
      ({ at, refreshToken, worker }) => at >= since && !stored.has(refreshToken) && this.#workers.isLiving(worker),
    )
  }

  /** Whether some run may be asking Shopify for a pair. */
  #isUnderWay(row: TokenRecord | null): boolean {
    const { leaseMs } = durationsOf(this.#plan)
    return row?.attempts.some(({ at }) => Date.now() - at < leaseMs) === true
  }

  #works(shop: string, row: TokenRecord | null): boolean {
    return row !== null && row.mark === null && this.#shopifys.of(shop).hasLiveCredential(shop, candidates(row))
  }

  async #tell(life: Life, story: () => Promise<void>): Promise<void> {
    life.isBusy = true
    await this.#follow(story())
    life.isBusy = false
  }

  async #follow(story: Promise<void>): Promise<void> {
    this.#stories.add(story)
    try {
      await story
    } finally {
      this.#stories.delete(story)
    }
  }

  #lifeOf(shop: string): Life {
    const life = this.#lives.get(shop)
    if (life === undefined) throw new Error(`${shop} is no shop of this run.`)
    return life
  }
}

/** A machine with too much to do says nothing of the shop. */
function isWorthRepeating(outcome: Outcome): boolean {
  return typeof outcome === 'object' && !TELLING.has(outcome.code)
}
