import type { Grant, TokenEvent } from '@shopify-tokens/core'
import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { KillPoint } from './plan.js'

/** Which of a run's writes a put is. */
export type PutStep = 'attempt' | 'pair' | 'other'

/** What a worker writes down. Instants are of the machine's own clock, whatever the worker's clock says. */
export type Entry =
  /** Shopify's answer has arrived with a pair. */
  | {
      readonly t: 'answer'
      readonly shop: string
      readonly grant: Grant
      readonly requestId: string
      readonly refreshToken: string
      readonly at: number
    }
  /** A put is about to be made: the version it must replace, and the refresh tokens in what it writes. */
  | {
      readonly t: 'put'
      readonly id: string
      readonly shop: string
      readonly step: PutStep
      readonly expected: string
      readonly tokens: readonly string[]
      readonly at: number
    }
  /** It has been acknowledged. */
  | { readonly t: 'written'; readonly id: string; readonly version: string; readonly at: number }
  | { readonly t: 'conflict'; readonly id: string }
  /** A credential is being presented that no attempt in the row names. */
  | { readonly t: 'unannounced'; readonly shop: string; readonly grant: Grant }
  /** A pair is being stored later than the lease of its run allowed. */
  | { readonly t: 'lease-expired'; readonly shop: string }
  | { readonly t: 'kill' | 'pause'; readonly shop: string; readonly point: KillPoint; readonly at: number }
  | { readonly t: 'event'; readonly event: TokenEvent; readonly at: number }
  /** A request has failed; `token`: the one that this worker had got for the shop before, if any. */
  | {
      readonly t: 'failed'
      readonly shop: string
      readonly code: string
      readonly token: string | null
      readonly expiresAt: number
      readonly at: number
    }
  /** How many requests were answered since the last entry of this kind. */
  | { readonly t: 'served'; readonly requests: number }

/**
 * Appends entries to a file. Each is handed to the kernel before the call returns, so that nothing which was written
 * down before a SIGKILL is lost.
 */
export class Journal {
  readonly #file: number

  constructor(path: string) {
    this.#file = openSync(path, 'a', 0o600)
  }

  write(entry: Entry): void {
    writeSync(this.#file, `${JSON.stringify(entry)}\n`)
  }
}

/** Reads what a journal has got since the last time. */
export class JournalReader {
  readonly #file: number
  readonly #buffer = Buffer.alloc(1 << 16)
  #rest = ''

  constructor(path: string) {
    this.#file = openSync(path, 'a+', 0o600)
  }

  read(): Entry[] {
    const entries: Entry[] = []
    for (;;) {
      const length = readSync(this.#file, this.#buffer, 0, this.#buffer.length, null)
      if (length === 0) return entries
      const lines = (this.#rest + this.#buffer.toString('utf8', 0, length)).split('\n')
      this.#rest = lines.pop() ?? ''
      for (const line of lines) entries.push(JSON.parse(line) as Entry)
    }
  }

  close(): void {
    closeSync(this.#file)
  }
}
