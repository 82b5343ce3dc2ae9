import { randomUUID } from 'node:crypto'
import type { RecordKey, WriteWatch } from '@shopify-tokens/core'
import type { Announcer } from './announcer.js'
import type { Announcements, Listening } from './dialects/dialect.js'
import { inSession, type Reach } from './session.js'

/** The pause before a lost connection is replaced; the next ones double, up to {@link LAST_PAUSE_MS}. */
const FIRST_PAUSE_MS = 250
const LAST_PAUSE_MS = 30_000

/**
 * Hears announcements on a connection that it takes out of the pool and never gives back to be used again. A lost one is
 * replaced until the watch is closed or the DataSource is destroyed.
 */
export class WriteListener implements WriteWatch {
  readonly #reach: Reach
  readonly #announcements: Announcements
  readonly #announcer: Announcer
  readonly #listener: (key: RecordKey) => void
  readonly #closing = new AbortController()
  readonly #closed: Promise<never>
  readonly #ended: Promise<void>
  #isLive = false

  constructor(reach: Reach, announcements: Announcements, announcer: Announcer, listener: (key: RecordKey) => void) {
    this.#reach = reach
    this.#announcements = announcements
    this.#announcer = announcer
    this.#listener = listener
    this.#closed = new Promise((_, reject) => {
      this.#closing.signal.addEventListener('abort', () => {
        reject(new Error('The watch has been closed.'))
      })
    })
    this.#closed.catch(() => undefined)
    this.#ended = this.#run()
  }

  isLive(): boolean {
    return this.#isLive
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { dataSource, clock } = this.#reach
    const { signal } = this.#closing
    let wasInitialized = false
    let pauseMs = FIRST_PAUSE_MS
    while (!signal.aborted) {
      const { isInitialized } = dataSource
      if (wasInitialized && !isInitialized) return
      wasInitialized = isInitialized
      // What fails here fails the store's own calls too, and they say why.
      const wasLive = isInitialized && (await this.#listen().catch(() => false))
      if (wasLive) pauseMs = FIRST_PAUSE_MS
      await clock.sleep(pauseMs, signal).catch(() => undefined)
      pauseMs = Math.min(2 * pauseMs, LAST_PAUSE_MS)
    }
  }

  /** Resolves when a connection that was live has ended; rejects when none came to be, or when the watch is closed. */
  async #listen(): Promise<true> {
    const { dataSource, dialect } = this.#reach
    const runner = dataSource.createQueryRunner('master')
    const connecting = runner.connect() as Promise<unknown>
    const release = (): Promise<void> => runner.release()
    try {
      const connection = await Promise.race([connecting, this.#closed])
      try {
        const { ended } = await Promise.race([this.#listenOn(connection), this.#closed])
        this.#isLive = true
        await Promise.race([ended, this.#closed])
        return true
      } finally {
        this.#isLive = false
        dialect.discard(connection)
      }
    } finally {
      // Not awaited: a connection that the pool still owes must go back to it whenever it comes.
      connecting.then(release, release).catch(() => undefined)
    }
  }

  /**
   * Live means that a message sent on another connection has arrived here. A pooler that changes the server's connection
   * with every transaction accepts `LISTEN`, and nothing ever comes.
   */
  #listenOn(connection: unknown): Promise<Listening> {
    const { channel } = this.#announcer
    const probe = randomUUID()
    return inSession(this.#reach, undefined, async (run) => {
      let hearProbe = (): void => undefined
      const probeHeard = new Promise<void>((resolve) => (hearProbe = resolve))
      const listening = await this.#announcements.listen(connection, channel, (message) => {
        if (message === probe) hearProbe()
        else this.#hear(message)
      })
      await run(this.#announcements.send, [channel, probe])
      await probeHeard
      return listening
    })
  }

  #hear(message: string): void {
    const key = this.#announcer.keyIn(message)
    if (key !== null && !this.#closing.signal.aborted) this.#listener(key)
  }
}
