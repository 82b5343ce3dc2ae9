import type { Fault, FaultChooser } from '@shopify-tokens/testing'
import type { Timing } from './plan.js'
import type { Seeded } from './seeded.js'

/** One token call in so many meets a fault. */
const STRUCK_IN = 9

type Make = (chance: Seeded, latestMs: number) => Fault

/** What can go wrong between a worker and Shopify, the more frequent ones several times. */
const FAULTS: readonly Make[] = [
  // A request is dropped, or its answer.
  () => ({ kind: 'reset', when: 'before' }),
  () => ({ kind: 'hang', when: 'before' }),
  () => ({ kind: 'reset', when: 'after' }),
  () => ({ kind: 'reset', when: 'after' }),
  () => ({ kind: 'hang', when: 'after' }),
  () => ({ kind: 'cut' }),
  () => ({ kind: 'truncated' }),
  () => ({ kind: 'error-520', when: 'after' }),
  // A request is delayed: its client waits, or has gone on without it.
  (chance) => ({ kind: 'slow', ms: chance.between(50, 500) }),
  (chance) => ({ kind: 'slow', ms: chance.between(50, 500) }),
  (chance, latestMs) => ({ kind: 'late', ms: chance.between(50, latestMs), client: chance.pick(['reset', 'hang']) }),
  (chance, latestMs) => ({ kind: 'late', ms: chance.between(50, latestMs), client: chance.pick(['reset', 'hang']) }),
  // A request arrives twice.
  (chance, latestMs) => ({ kind: 'twice', ms: chance.between(1, latestMs), answer: 'first' }),
  () => ({ kind: 'twice', answer: 'second' }),
  // The answer is another one than is due.
  () => ({ kind: 'html', when: 'before', status: 502 }),
  () => ({ kind: 'throttled', retryAfter: 0.2 }),
  () => ({ kind: 'status', status: 503 }),
  () => ({ kind: 'missing', field: 'expires_in' }),
]

/** Strikes token calls by chance, and counts what struck. */
export class Faults {
  readonly struck: Record<string, number> = {}
  readonly #latestMs: number
  readonly #chance: Seeded
  #isOver = false

  constructor({ latestMs }: Pick<Timing, 'latestMs'>, chance: Seeded) {
    this.#latestMs = latestMs
    this.#chance = chance
  }

  readonly choose: FaultChooser = ({ endpoint }) => {
    if (endpoint !== 'token' || this.#isOver || this.#chance.between(1, STRUCK_IN) > 1) return undefined
    const fault = this.#chance.pick(FAULTS)(this.#chance, this.#latestMs)
    const name = 'when' in fault ? `${fault.kind} ${fault.when}` : fault.kind
    this.struck[name] = (this.struck[name] ?? 0) + 1
    return fault
  }

  /** From here on nothing is struck. What has been struck may still be on its way. */
  end(): void {
    this.#isOver = true
  }
}
