/** Something that Shopify granted. */
export interface Granted {
  readonly serial: number
  readonly acquisition: boolean
  readonly at: number
  /** Until when its loss is made good by presenting the same credential again. */
  readonly repeatableUntil: number
}

const HOUR_MS = 3_600_000
const MIGRATION_MS = 7 * 24 * HOUR_MS
const REFRESH_TOKEN_MS = 90 * 24 * HOUR_MS

/**
 * What must be true of one shop, whatever the processes did: pure bookkeeping of what Shopify granted and of what
 * reached a row. It knows nothing of attempts, candidates, leases or clocks.
 */
export class ReferenceShop {
  installed = false
  /** The row is a tombstone. */
  removed = false
  /** The non-expiring token that the row was given last. */
  restored: string | null = null
  /** How many refreshes were lost that could not be repeated even at once. A merchant may have been there since. */
  unrepeatable = 0
  /** When the app was last uninstalled: what its webhook tells. */
  uninstalledAt: number | null = null
  readonly #graceMs: number
  readonly #firstUsedAt = new Map<string, number>()
  /** The newest acquisition of this installation: it ended all that was before. */
  #acquisition: Granted | null = null
  #acquisitionKept = false
  #lost: Granted[] = []
  #keptAt = 0
  #serial = 0

  constructor(graceMs: number) {
    this.#graceMs = graceMs
  }

  install(): void {
    this.installed = true
  }

  uninstall(now: number): void {
    this.installed = false
    this.uninstalledAt = now
    this.#acquisition = null
    this.#lost = []
  }

  remove(): void {
    this.removed = true
  }

  restore(now: number): void {
    this.removed = false
    this.#acquisition = { serial: ++this.#serial, acquisition: true, at: now, repeatableUntil: now }
    this.#acquisitionKept = true
    this.#lost = []
    this.#keptAt = Infinity
  }

  grant(grant: string, credential: string, now: number): Granted {
    const acquisition = grant === 'id-token'
    const firstUsedAt = this.#firstUsedAt.get(credential) ?? now
    this.#firstUsedAt.set(credential, firstUsedAt)
    const repeatableMs = grant === 'migration' ? MIGRATION_MS : this.#graceMs
    const serial = ++this.#serial
    const granted = { serial, acquisition, at: now, repeatableUntil: firstUsedAt + repeatableMs }
    if (!acquisition || !this.installed) return granted
    this.#acquisition = granted
    this.#acquisitionKept = false
    this.#lost = []
    return granted
  }

  /** The row has what this grant brought. What was lost before does not matter any more. */
  keep(granted: Granted): void {
    if (granted.acquisition) this.removed = false
    if (granted === this.#acquisition) this.#acquisitionKept = true
    this.#lost = this.#lost.filter(({ serial }) => serial > granted.serial)
    this.#keptAt = this.#keptAt === Infinity ? granted.at : Math.max(this.#keptAt, granted.at)
  }

  /** Nobody who lives will ever know what this grant brought. */
  lose(granted: Granted): void {
    if (granted.acquisition) return
    this.#lost.push(granted)
    if (granted.repeatableUntil <= granted.at) this.unrepeatable++
  }

  /** Why only the merchant may be able to help. `null`: the row must hold a living credential, unmarked. */
  merchantNeeded(now: number): string | null {
    if (!this.installed) return 'the app is not installed'
    if (this.#acquisition === null) return 'nothing was acquired since the installation'
    if (this.removed) return 'the tokens were removed'
    if (!this.#acquisitionKept) return 'what the last acquisition brought was lost'
    if (this.#lost.some(({ repeatableUntil }) => now >= repeatableUntil))
      return 'a lost answer can no longer be repeated'
    return now >= this.#keptAt + REFRESH_TOKEN_MS - HOUR_MS ? 'the refresh token has lapsed' : null
  }
}
