import type { Journal } from './journal.js'
import type { KillPoint } from './plan.js'

/** Ends this process by SIGKILL when a run reaches the point it was set to, and says so in the journal before. */
export class KillSwitch {
  readonly #journal: Journal
  #point: KillPoint | null = null

  constructor(journal: Journal) {
    this.#journal = journal
  }

  set(point: KillPoint): void {
    this.#point = point
  }

  reached(point: KillPoint, shop: string): void {
    if (point !== this.#point) return
    this.#journal.write({ t: 'kill', point, shop, at: Date.now() })
    process.kill(process.pid, 'SIGKILL')
    throw new Error('Nothing happens after a SIGKILL.')
  }
}
