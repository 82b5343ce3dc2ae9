import { createHash } from 'node:crypto'
import {
  type Clock,
  type Fetch,
  fingerprint,
  MemoryTokenStore,
  parseShop,
  Secret,
  type TokenRecord,
  type TokenStore,
} from '@shopify-tokens/core'
import { aRecord, FAKE_EPOCH, type Grace, type Replay } from '@shopify-tokens/testing'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { EventBus, type TokenEvent } from '../../packages/core/src/events.js'
import { Breaker } from '../../packages/core/src/renewal/breaker.js'
import type { Want } from '../../packages/core/src/renewal/decide.js'
import { DeploymentCheck } from '../../packages/core/src/renewal/deployment-check.js'
import { FleetWatch } from '../../packages/core/src/renewal/fleet-watch.js'
import { Reminder } from '../../packages/core/src/renewal/reminder.js'
import { RenewalRun } from '../../packages/core/src/renewal/renewal-run.js'
import { RowNews } from '../../packages/core/src/renewal/row-news.js'
import { ShopifyTime } from '../../packages/core/src/renewal/shopify-time.js'
import { StoreCalls } from '../../packages/core/src/renewal/store-calls.js'
import { lifetimesAt } from '../../packages/testing/src/fake-shopify/lifetimes.js'
import { TokenLedger } from '../../packages/testing/src/fake-shopify/token-ledger.js'

export const shop = parseShop('model.myshopify.com')
const KEY = { clientId: 'model', shop }
const CLIENT_SECRET = 'model-secret'
const SECRET_NUMBER = 1
/** Sleeps of these lengths are deadlines: in the model no answer is merely slow. */
const NEVER = new Set([59_998, 59_999])
const POLL_MS = 150

export interface Scenario {
  readonly replay: Replay
  readonly grace: Grace
  /** What each run wants; each is a process of its own. */
  readonly wants: readonly ('refresh' | 'acquire')[]
  /** Faults that may strike, in all. */
  readonly faults: number
  /** Whether a young attempt makes others wait. Without it leases exclude nobody. */
  readonly leases: boolean
}

/** One port call of one process, waiting for the scheduler. */
interface Call {
  readonly process: number
  readonly kind: 'get' | 'put' | 'fetch'
  readonly act: () => unknown
  readonly resolve: (value: unknown) => void
  readonly reject: (error: Error) => void
}

interface Sleeper {
  readonly process: number
  readonly at: number
  readonly ms: number
  readonly wake: () => void
}

/** A step that the scheduler may take next. */
interface Option {
  readonly name: string
  readonly take: () => void
}

/**
 * The real renewal code of several processes over one row and one Shopify, stopped at every port call. A scheduler
 * decides what happens next; nothing else does.
 */
export class World {
  readonly events: TokenEvent[] = []
  readonly outcomes: ('running' | 'done' | 'killed' | Error)[] = []
  readonly #trace: string[] = []
  readonly #scenario: Scenario
  readonly #store: MemoryTokenStore
  readonly #ledger: TokenLedger
  readonly #calls: Call[] = []
  readonly #sleepers: Sleeper[] = []
  readonly #late = new Map<number, () => unknown>()
  #now = FAKE_EPOCH
  #storeLeap = 0
  #serial = 0
  #faults: number
  /** Whether an acquisition was killed or delivered late: the one case in which a shop may need its merchant. */
  acquisitionInDoubt = false
  refreshInDoubt = false

  constructor(scenario: Scenario) {
    this.#scenario = scenario
    this.#faults = scenario.faults
    const now = (): number => this.#now
    this.#store = new MemoryTokenStore({ clock: this.#clockOf(-1) })
    const rules = { replay: scenario.replay, grace: scenario.grace, lifetimes: lifetimesAt(1) }
    this.#ledger = new TokenLedger(rules, now, (size) => this.#bytes(size))
    this.#ledger.install(shop, ['read_products'])
  }

  async start(): Promise<void> {
    const { answer } = this.#ledger.acquire(shop, SECRET_NUMBER, 2 * 3_600_000)
    const record = aRecord.expiring({
      accessToken: answer.access_token,
      refreshToken: answer.refresh_token ?? '',
      obtainedAt: this.#now - 2 * 3_600_000,
      secretId: fingerprint(CLIENT_SECRET),
    })
    await this.#store.put(KEY, record, 'absent')
    this.#scenario.wants.forEach((want) => {
      this.begin(want)
    })
    await settle()
  }

  /** Starts a process. */
  begin(want: 'refresh' | 'acquire'): void {
    const process = this.outcomes.length
    this.outcomes.push('running')
    const wanted: Want =
      want === 'refresh'
        ? { trigger: 'expired' }
        : { trigger: 'forced', acquire: true, idToken: `id-${String(process)}` }
    const run = new RenewalRun(this.#contextOf(process), shop, wanted, () => undefined)
    run.execute().then(
      () => (this.outcomes[process] = 'done'),
      (error: unknown) => (this.outcomes[process] = error as Error),
    )
  }

  get running(): boolean {
    return this.outcomes.includes('running')
  }

  /** The steps taken so far. */
  get story(): string {
    return this.#trace.join(', ')
  }

  /** The names of what may happen next. Time passes only when everybody sleeps. */
  options(): readonly string[] {
    return this.#options().map(({ name }) => name)
  }

  /** Takes the step with this name and lets everything run to its next port call. */
  async take(name: string): Promise<void> {
    const option = this.#options().find((each) => each.name === name)
    if (option === undefined) throw new Error(`No step ${name} after ${this.story}`)
    this.#trace.push(name)
    option.take()
    await settle()
  }

  /** Runs one more process to its end, with nobody else about. */
  async runAlone(want: 'refresh' | 'acquire'): Promise<'done' | 'running' | Error> {
    this.begin(want)
    await settle()
    for (let step = 0; this.running && step < 400; step++) {
      this.#options()[0]?.take()
      await settle()
    }
    return this.outcomes.at(-1) as 'done' | 'running' | Error
  }

  #options(): Option[] {
    const options = this.#calls.flatMap((call) => this.#optionsOf(call))
    for (const [id, arrive] of this.#late) {
      const take = (): void => {
        this.#late.delete(id)
        arrive()
      }
      options.push({ name: `late-${String(id)} fetch`, take })
    }
    if (this.#calls.length === 0 && this.#sleepers.length > 0)
      options.push({
        name: 'time',
        take: () => {
          this.#pass()
        },
      })
    return options
  }

  deliverLateRequests(): void {
    for (const arrive of this.#late.values()) arrive()
    this.#late.clear()
  }

  async record(): Promise<TokenRecord | null> {
    return (await this.#store.get(KEY)).record
  }

  accepts(token: string): boolean {
    return this.#ledger.accepts(shop, token)
  }

  /** Lets the past become long enough ago for every lease and cool-down to be over. */
  elapse(ms: number): void {
    this.#now += ms
  }

  noMoreFaults(): void {
    this.#faults = 0
  }

  #optionsOf(call: Call): Option[] {
    const { process, kind } = call
    const name = `${String(process)} ${kind}`
    const take = (): void => {
      this.#calls.splice(this.#calls.indexOf(call), 1)
    }
    const options: Option[] = [
      {
        name,
        take: () => {
          take()
          call.resolve(call.act())
        },
      },
    ]
    if (this.#faults === 0) return options
    const strike = (fault: string, effect: () => void): Option => ({
      name: `${name} ${fault}`,
      take: () => {
        take()
        this.#faults--
        effect()
      },
    })
    options.push(
      strike('killed before', () => {
        this.#kill(process)
      }),
    )
    if (kind !== 'get') {
      options.push(
        strike('killed after', () => {
          this.#doubt(call)
          call.act()
          this.#kill(process)
        }),
      )
    }
    if (kind === 'fetch') {
      options.push(
        strike('answer lost', () => {
          this.#doubt(call)
          call.act()
          call.reject(new Error('reset'))
        }),
        strike('late', () => {
          this.#doubt(call)
          this.#late.set(this.#serial++, call.act)
          call.reject(new Error('reset'))
        }),
        strike('late and killed', () => {
          this.#doubt(call)
          this.#late.set(this.#serial++, call.act)
          this.#kill(process)
        }),
      )
    }
    return options
  }

  #doubt({ process, kind }: Call): void {
    if (kind === 'get') return
    if (this.#scenario.wants[process] === 'acquire') this.acquisitionInDoubt = true
    else this.refreshInDoubt = true
  }

  #kill(process: number): void {
    this.outcomes[process] = 'killed'
    // Its requests that Shopify has answered were acquisitions nobody stored.
    if (this.#scenario.wants[process] === 'acquire') this.acquisitionInDoubt = true
    else this.refreshInDoubt = true
    for (const list of [this.#calls, this.#sleepers] as { process: number }[][]) {
      for (let index = list.length - 1; index >= 0; index--) if (list[index]?.process === process) list.splice(index, 1)
    }
  }

  #pass(): void {
    const polling = this.#sleepers.every(({ ms }) => ms <= POLL_MS)
    const next = polling
      ? this.#now + DEFAULT_DURATIONS.leaseMs
      : Math.min(...this.#sleepers.map(({ at, ms }) => at + ms))
    this.#now = next
    const due = this.#sleepers.filter(({ at, ms }) => at + ms <= next)
    for (const sleeper of due) this.#sleepers.splice(this.#sleepers.indexOf(sleeper), 1)
    for (const sleeper of due) sleeper.wake()
  }

  #contextOf(process: number): ConstructorParameters<typeof RenewalRun>[0] {
    const clock = this.#clockOf(process)
    const events = new EventBus(() => this.#now)
    events.subscribe((event) => this.events.push(event))
    const store = new StoreCalls(this.#storeOf(process), KEY.clientId, clock, 59_998, events)
    return {
      durations: { ...DEFAULT_DURATIONS, storeTimeoutMs: 59_998, requestTimeoutMs: 4_000, lateRequestMs: 75_000 },
      endpoint: {
        ...{ clientId: KEY.clientId, clientSecret: new Secret(CLIENT_SECRET), clock },
        fetch: this.#fetchOf(process),
        requestTimeoutMs: 59_999,
        maxRetryAfterMs: 3_600_000,
      },
      store,
      lock: null,
      deployment: new DeploymentCheck(store, clock, events, DEFAULT_DURATIONS, null),
      breaker: new Breaker(clock, events, DEFAULT_DURATIONS),
      fleet: new FleetWatch(clock, events, DEFAULT_DURATIONS),
      news: new RowNews(this.#store, KEY.clientId, new AbortController().signal, () => undefined),
      outdated: new Reminder(1, Infinity, clock),
      clock,
      time: new ShopifyTime(clock),
      events,
      random: () => 0.99,
      secretId: fingerprint(CLIENT_SECRET),
      knownSecretIds: new Set([fingerprint(CLIENT_SECRET)]),
      requireExpiring: false,
      verifyIdToken: () =>
        Promise.resolve({ shop, userId: undefined, sessionId: undefined, expiresAt: this.#now + 60_000 }),
      unstored: new Map(),
      closing: new AbortController().signal,
      abandon: new AbortController().signal,
    }
  }

  #storeOf(process: number): TokenStore {
    const { leases } = this.#scenario
    return {
      get: async (key) => {
        const snapshot = await this.#stop(process, 'get', () => this.#store.get(key))
        // Without leases every attempt looks old.
        return leases ? snapshot : { ...snapshot, now: snapshot.now + (this.#storeLeap += DEFAULT_DURATIONS.leaseMs) }
      },
      put: (key, record, expected) => this.#stop(process, 'put', () => this.#store.put(key, record, expected)),
      scan: () => {
        throw new Error('not used')
      },
      ask: () => Promise.reject(new Error('not used')),
    }
  }

  #fetchOf(process: number): Fetch {
    return (_url, { body }) => {
      const fields = new URLSearchParams(body as string)
      return this.#stop(process, 'fetch', () => {
        const refreshToken = fields.get('refresh_token')
        const result =
          refreshToken === null
            ? this.#ledger.acquire(shop, SECRET_NUMBER)
            : this.#ledger.refresh(shop, refreshToken, SECRET_NUMBER)
        return result.granted
          ? answer(200, result.answer)
          : answer(401, {
              error: 'invalid_request',
              error_description: 'This request requires an active refresh_token',
            })
      })
    }
  }

  #stop<T>(process: number, kind: Call['kind'], act: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.outcomes[process] === 'killed') return
      this.#calls.push({ process, kind, act, resolve: resolve as (value: unknown) => void, reject })
    })
  }

  #clockOf(process: number): Clock {
    return {
      now: () => this.#now,
      monotonic: () => this.#now,
      sleep: (ms, signal) =>
        new Promise((resolve, reject) => {
          signal?.addEventListener('abort', () => {
            reject(signal.reason as Error)
          })
          if (!NEVER.has(ms)) this.#sleepers.push({ process, at: this.#now, ms, wake: resolve })
        }),
    }
  }

  #bytes(size: number): Uint8Array {
    return createHash('sha256').update(String(this.#serial++)).digest().subarray(0, size)
  }
}

/** Only what the product reads of a response, without a stream: streams take turns of their own. */
function answer(status: number, json: unknown): Response {
  const body = {
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(Buffer.from(JSON.stringify(json)))
    },
  }
  return { ok: status === 200, status, headers: new Headers(), body } as unknown as Response
}

/** Lets everything run to its next port call. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
