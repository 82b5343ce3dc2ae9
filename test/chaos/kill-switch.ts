import type { Journal } from './journal.js'
import type { KillPoint } from './plan.js'

/** What to do at a point: end this process by SIGKILL, or stop it until somebody lets it go on. */
export type Blow = 'kill' | 'pause'

/** Ends or stops this process when a run reaches the point it was set to, and says so in the journal before. */
export class KillSwitch {
  readonly #journal: Journal
  #blow: Blow = 'kill'
  #point: KillPoint | null = null

  constructor(journal: Journal) {
    this.#journal = journal
  }

  set(blow: Blow, point: KillPoint): void {
    this.#blow = blow
    this.#point = point
  }

  reached(point: KillPoint, shop: string): void {
    if (point !== this.#point) return
    this.#point = null
    this.#journal.write({ t: this.#blow, point, shop, at: Date.now() })
    process.kill(process.pid, this.#blow === 'kill' ? 'SIGKILL' : 'SIGSTOP')
  }
}
