import type { Outage } from './backends/backend.js'
import type { Lives } from './lives.js'
import { KILL_POINTS, type KillPoint, type Plan } from './plan.js'
import type { Seeded } from './seeded.js'
import type { Workers } from './workers.js'

/** So many rotations go by from one event in a shop's life to the next: more than a tenth of all pairs are acquired. */
const ROTATIONS_PER_EVENT = 7
/** Points between the attempt and the put: who stops there keeps others waiting. */
const IN_A_RUN: readonly KillPoint[] = ['after-attempt', 'after-answer', 'before-put']
/** Nothing is killed or restarted any more in the last part of a run, which needs it to come to its end. */
const LAST_PART = 0.97

/** What happens when, decided by the seed alone: each thing at its share of the rotations. */
export class Schedule {
  /** How often each outage has happened. */
  readonly outages: Record<string, number> = {}
  readonly #workers: Workers
  readonly #lives: Lives
  readonly #kills: readonly KillPoint[]
  readonly #pauses: readonly KillPoint[]
  readonly #outages: readonly Outage[]
  #nextKill = 0
  #nextPause = 0
  #nextOutage = 0
  #events = 0
  #outage: Promise<void> | null = null

  constructor(plan: Plan, outages: readonly Outage[], workers: Workers, lives: Lives, chance: Seeded) {
    this.#workers = workers
    this.#lives = lives
    const points = Array.from({ length: plan.killsPerPoint }, () => KILL_POINTS)
    this.#kills = chance.shuffled(points.flat())
    this.#pauses = Array.from({ length: plan.pauses }, () => chance.pick(IN_A_RUN))
    const rounds = Array.from({ length: Math.ceil(plan.outages / outages.length) }, () => chance.shuffled(outages))
    this.#outages = rounds.flat().slice(0, Math.max(plan.outages, outages.length))
  }

  /** Whether everything has happened that was to. */
  get isDone(): boolean {
    const areStruck = this.#nextKill >= this.#kills.length && this.#nextPause >= this.#pauses.length
    return areStruck && this.#nextOutage >= this.#outages.length && this.#outage === null
  }

  /** Lets happen what is due when this part of the run, and so many rotations, are over. */
  at(part: number, rotations: number): void {
    const due = Math.min(1, part / LAST_PART)
    const kill = this.#kills[this.#nextKill]
    if (kill !== undefined && this.#nextKill < due * this.#kills.length && this.#workers.strike('kill', kill)) {
      this.#nextKill += 1
    }
    const pause = this.#pauses[this.#nextPause]
    if (pause !== undefined && this.#nextPause < due * this.#pauses.length && this.#workers.strike('pause', pause)) {
      this.#nextPause += 1
    }
    const outage = this.#outages[this.#nextOutage]
    if (outage !== undefined && this.#outage === null && this.#nextOutage + 0.5 < due * this.#outages.length + 0.5) {
      this.#nextOutage += 1
      this.#outage = this.#strike(outage)
    }
    for (; this.#events < rotations / ROTATIONS_PER_EVENT; this.#events += 1) this.#lives.somethingHappens()
  }

  /** Resolves when the outage under way is over. */
  async settled(): Promise<void> {
    await this.#outage
  }

  async #strike(outage: Outage): Promise<void> {
    await outage.strike()
    this.outages[outage.name] = (this.outages[outage.name] ?? 0) + 1
    this.#outage = null
  }
}
