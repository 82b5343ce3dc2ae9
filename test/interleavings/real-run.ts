import {
  type Clock,
  type DeliveryLog,
  type Fetch,
  fingerprint,
  isShopifyTokenError,
  Secret,
  type Snapshot,
  type TokenRecord,
  type TokenStore,
} from '@shopify-tokens/core'
import { DEFAULT_DURATIONS } from '../../packages/core/src/durations.js'
import { EventBus } from '../../packages/core/src/events.js'
import { Breaker } from '../../packages/core/src/renewal/breaker.js'
import type { Want } from '../../packages/core/src/renewal/want.js'
import { DeploymentCheck } from '../../packages/core/src/renewal/deployment-check.js'
import { FleetWatch } from '../../packages/core/src/renewal/fleet-watch.js'
import { Notices } from '../../packages/core/src/renewal/notices.js'
import { Reminder } from '../../packages/core/src/renewal/reminder.js'
import { RenewalRun } from '../../packages/core/src/renewal/renewal-run.js'
import { RowNews } from '../../packages/core/src/renewal/row-news.js'
import { ShopifyTime } from '../../packages/core/src/renewal/shopify-time.js'
import { StoreCalls } from '../../packages/core/src/renewal/store-calls.js'
import { AttemptNames } from './attempt-names.js'
import type { Answer, Beginning, Run, Waiting } from './run.js'
import { CLIENT_SECRET, KEY, SHOP, type Wanted } from './scenario.js'
import { ORIGINAL } from './shopify.js'

/** Sleeps of these lengths are deadlines: in the model no answer is merely slow. */
const STORE_TIMEOUT_MS = 59_998
const REQUEST_TIMEOUT_MS = 59_999
const DEADLINES = new Set([STORE_TIMEOUT_MS, REQUEST_TIMEOUT_MS])

export interface Observation {
  readonly answer: Answer
  readonly now: number
}

const WANTED: Readonly<Record<Wanted, (process: string) => Want>> = {
  refresh: () => ({ trigger: 'expired' }),
  acquire: (process) => ({ trigger: 'forced', acquire: true, idToken: `id-${process}` }),
  renew: () => ({ trigger: 'forced' }),
  migrate: () => ({ trigger: 'rejected', rejected: ORIGINAL, migrate: true }),
  refused: () => ({ trigger: 'rejected', rejected: ORIGINAL }),
  authorize: (process) => ({ trigger: 'forced', acquire: true, code: `code-${process}` }),
}

const DEAD_SUBJECT = { error: 'invalid_subject_token' }
const DEAD_REFRESH_TOKEN = {
  error: 'invalid_request',
  error_description: 'This request requires an active refresh_token',
}

/** Each code is one run's own. */
const CODES: DeliveryLog = {
  begin: () => Promise.resolve({ outcome: 'run', claim: 'claim' }),
  finish: () => Promise.resolve(),
  release: () => Promise.resolve(),
}

interface Stop {
  readonly waiting: Waiting
  readonly resume: (answer: Answer) => void
}

/** The product's own renewal run in one process, alive: it goes from port call to port call as it is given answers. */
export class RealRun implements Run {
  readonly #names: AttemptNames
  readonly #wanted: Want
  readonly #past: Observation[]
  #now: number
  #age = 0
  #stop: Stop | null = null
  #outcome: string | null = null

  private constructor({ process, want, leases, now }: Beginning, past: readonly Observation[]) {
    this.#names = new AttemptNames(process, leases ? 0 : DEFAULT_DURATIONS.leaseMs)
    this.#past = [...past]
    this.#now = now
    this.#wanted = WANTED[want](String(process))
  }

  /** Starts a run and, if it has a past, gives it the answers of that past again. */
  static async begin(beginning: Beginning, past: readonly Observation[] = []): Promise<RealRun> {
    const run = new RealRun(beginning, past)
    new RenewalRun(run.#contextOf(), SHOP, run.#wanted, () => undefined).execute().then(
      () => (run.#outcome = 'done'),
      (error: unknown) => (run.#outcome = isShopifyTokenError(error) ? error.code : String(error)),
    )
    await everythingThatCanRun()
    return run
  }

  get waiting(): Waiting {
    if (this.#outcome !== null) return { at: 'end', outcome: this.#outcome }
    if (this.#stop === null) throw new Error('The run waits for something that is no port call.')
    return this.#stop.waiting
  }

  get age(): number {
    return this.#age
  }

  idUnder(): number {
    throw new Error('A living run is like no other.')
  }

  async observe(answer: Answer, now: number): Promise<RealRun> {
    this.#age++
    this.#now = now
    const stop = this.#stop
    this.#stop = null
    stop?.resume(answer)
    await everythingThatCanRun()
    return this
  }

  #call<T>(waiting: Waiting, understand: (answer: Answer) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const resume = (answer: Answer): void => {
        if (answer.brings === 'nothing') reject(new Error('connection reset'))
        else resolve(understand(answer))
      }
      const remembered = this.#past.shift()
      if (remembered !== undefined) {
        this.#now = remembered.now
        resume(remembered.answer)
        return
      }
      if (this.#stop !== null) throw new Error('The run makes two port calls at once.')
      this.#stop = { waiting, resume }
    })
  }

  #contextOf(): ConstructorParameters<typeof RenewalRun>[0] {
    const clock = this.#clock()
    const events = new EventBus(() => this.#now)
    const tokenStore = this.#store()
    const store = new StoreCalls(tokenStore, KEY.clientId, clock, STORE_TIMEOUT_MS, events)
    const closing = new AbortController().signal
    return {
      durations: { ...DEFAULT_DURATIONS, storeTimeoutMs: STORE_TIMEOUT_MS, requestTimeoutMs: 4_000 },
      endpoint: {
        ...{ clientId: KEY.clientId, clientSecret: new Secret(CLIENT_SECRET), clock },
        fetch: this.#fetch(),
        requestTimeoutMs: REQUEST_TIMEOUT_MS,
        maxRetryAfterMs: 3_600_000,
      },
      store,
      deliveries: CODES,
      lock: null,
      deployment: new DeploymentCheck(store, clock, events, DEFAULT_DURATIONS, null),
      breaker: new Breaker(clock, events, DEFAULT_DURATIONS),
      fleet: new FleetWatch(clock, events, DEFAULT_DURATIONS),
      news: new RowNews(tokenStore, KEY.clientId, closing, () => undefined),
      notices: new Notices({
        ...{ notify: null, clientId: KEY.clientId, store, clock, time: new ShopifyTime(clock), events, shops: 1 },
        ...{ behind: () => undefined, abandon: new AbortController().signal },
      }),
      outdated: new Reminder(1, Infinity, clock),
      atRisk: new Reminder(1, Infinity, clock),
      grown: new Reminder(1, Infinity, clock),
      clock,
      time: new ShopifyTime(clock),
      events,
      random: () => 0.99,
      secretId: fingerprint(CLIENT_SECRET),
      knownSecretIds: new Set([fingerprint(CLIENT_SECRET)]),
      grant: null,
      requireExpiring: false,
      renewsElsewhere: false,
      verifyIdToken: () =>
        Promise.resolve({ shop: SHOP, userId: undefined, sessionId: undefined, expiresAt: this.#now + 60_000 }),
      unstored: new Map(),
      closing,
      abandon: new AbortController().signal,
    }
  }

  #store(): TokenStore {
    return {
      get: () => this.#call({ at: 'get' }, (answer) => this.#snapshot(answer)),
      put: (_key, record, expected) => {
        const named = this.#names.outward(record)
        return this.#call({ at: 'put', record: named, json: JSON.stringify(named), expected }, (answer) =>
          answer.brings === 'written'
            ? { outcome: 'written', version: answer.version as Snapshot['version'] & string, revision: 1 }
            : { outcome: 'conflict', present: this.#snapshot(answer) },
        ) as ReturnType<TokenStore['put']>
      },
      scan: () => {
        throw new Error('not used')
      },
      ask: () => Promise.reject(new Error('not used')),
    }
  }

  #snapshot(answer: Answer): Snapshot {
    if (answer.brings !== 'row' && answer.brings !== 'conflict') throw new Error(`A read brings no ${answer.brings}.`)
    const { record, version } = answer.row
    const copy: TokenRecord = this.#names.inward(structuredClone(record))
    return { record: copy, version: version as Snapshot['version'], revision: 1, askedAt: null, now: this.#now }
  }

  #fetch(): Fetch {
    return (_url, { body }) => {
      const form = new URLSearchParams(body as string)
      const isMigration = form.get('subject_token') === ORIGINAL
      const credential = isMigration ? ORIGINAL : form.get('refresh_token')
      return this.#call({ at: 'fetch', credential }, (answer) => {
        if (answer.brings === 'tokens') return response(200, answer.tokens)
        return isMigration ? response(400, DEAD_SUBJECT) : response(401, DEAD_REFRESH_TOKEN)
      })
    }
  }

  #clock(): Clock {
    return {
      now: () => this.#now,
      monotonic: () => this.#now,
      sleep: (ms, signal) =>
        DEADLINES.has(ms)
          ? new Promise((_resolve, reject) => {
              signal?.addEventListener('abort', () => {
                reject(signal.reason as Error)
              })
            })
          : this.#call({ at: 'sleep', ms, since: this.#now }, () => undefined),
    }
  }
}

/** Only what the product reads of a response, without a stream: streams take turns of their own. */
function response(status: number, json: unknown): Response {
  const body = {
    async *[Symbol.asyncIterator]() {
      yield await Promise.resolve(Buffer.from(JSON.stringify(json)))
    },
  }
  return { ok: status === 200, status, headers: new Headers(), body } as unknown as Response
}

/** By the next turn of the event loop every run has come to a port call. */
function everythingThatCanRun(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
