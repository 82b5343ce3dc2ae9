import type { TokenStore } from '../ports/token-store.js'
import type { WriteWatch } from '../ports/write-watch.js'
import type { Shop } from '../shop.js'

/** What one run hears of the row that it waits for. */
export interface RowEar {
  /** Begins to listen anew. Called before the row is read, so that no news falls between reading and waiting. */
  listen(): void
  /** Aborts when the row has been written by another process since `listen`, or when the manager closes. */
  readonly heard: AbortSignal
  /** Ends the listening. */
  end(): void
}

/** News of what other processes write, where the store brings any: who waits for a row need not look at it all the time. */
export class RowNews {
  readonly #store: TokenStore
  readonly #clientId: string
  readonly #closing: AbortSignal
  readonly #onWrite: (shop: Shop) => void
  readonly #ears = new Map<Shop, Ear>()
  #watch: WriteWatch | null = null

  /** `onWrite` hears of every write, whoever waits for it or not. */
  constructor(store: TokenStore, clientId: string, closing: AbortSignal, onWrite: (shop: Shop) => void) {
    this.#store = store
    this.#clientId = clientId
    this.#closing = closing
    this.#onWrite = onWrite
    closing.addEventListener('abort', () => {
      for (const ear of this.#ears.values()) ear.ring()
    })
  }

  /** Begins to watch, with the first token that is asked for: constructors do no I/O. */
  begin(): void {
    if (this.#watch !== null || this.#closing.aborted) return
    try {
      this.#watch =
        this.#store.watch?.(({ clientId, shop }) => {
          if (clientId !== this.#clientId) return
          this.#ears.get(shop)?.ring()
          this.#onWrite(shop)
        }) ?? SILENT
    } catch (error) {
      this.#watch = SILENT
      const kind = error instanceof Error ? error.name : typeof error
      process.emitWarning(`The store's watch threw (${kind}); rows are looked at instead.`, 'ShopifyTokensWarning')
    }
  }

  /** Whether news can be expected at present. */
  get isLive(): boolean {
    return this.#watch?.isLive() === true
  }

  /** The ear of the shop's run; there is one run per shop at a time. */
  of(shop: Shop): RowEar {
    const ear = new Ear(this.#closing, () => this.#ears.delete(shop))
    this.#ears.set(shop, ear)
    return ear
  }

  async end(): Promise<void> {
    await this.#watch?.close()
  }
}

class Ear implements RowEar {
  readonly #closing: AbortSignal
  readonly #onEnd: () => void
  #bell = new AbortController()

  constructor(closing: AbortSignal, onEnd: () => void) {
    this.#closing = closing
    this.#onEnd = onEnd
  }

  get heard(): AbortSignal {
    return this.#bell.signal
  }

  listen(): void {
    if (this.#bell.signal.aborted && !this.#closing.aborted) this.#bell = new AbortController()
  }

  ring(): void {
    this.#bell.abort()
  }

  end(): void {
    this.#onEnd()
  }
}

const SILENT: WriteWatch = { isLive: () => false, close: () => Promise.resolve() }
