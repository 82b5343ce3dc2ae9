import { createCipheriv, createDecipheriv, KeyObject, type webcrypto } from 'node:crypto'
import type { FakeClock } from '@shopify-tokens/testing'

/**
 * What happens outside this thread (sockets, Web Crypto) ends in any order. Here it takes turns, in the order in which
 * it was asked for, and time stands still meanwhile: so the same script always plays in the same way and can shrink.
 */
export class Outside {
  readonly #clock: FakeClock
  #last: Promise<unknown> = Promise.resolve()
  #underWay = 0

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** Whether somebody waits for what happens there. */
  get isBusy(): boolean {
    return this.#underWay > 0
  }

  /** Does `work` when all that was asked for before is done. */
  turn<T>(work: () => Promise<T>): Promise<T> {
    return this.#clock.watch(() => {
      this.#underWay++
      const mine = this.#last.then(work).finally(() => this.#underWay--)
      this.#last = mine.catch(() => undefined)
      return mine
    })()
  }

  /** Makes cryptography take turns, until the answer is called. Sealing is done in this thread: waiters read often. */
  orderCryptography(): () => void {
    const { subtle } = globalThis.crypto
    const inOrder = (method: 'importKey' | 'verify'): unknown => {
      const original = subtle[method].bind(subtle) as (...args: unknown[]) => Promise<unknown>
      return (...args: unknown[]) => this.turn(() => original(...args))
    }
    const ordered = { importKey: inOrder('importKey'), verify: inOrder('verify'), encrypt, decrypt }
    for (const [method, value] of Object.entries(ordered)) {
      Object.defineProperty(subtle, method, { configurable: true, value })
    }
    return () => {
      for (const method of Object.keys(ordered)) Reflect.deleteProperty(subtle, method)
    }
  }
}

const TAG_BYTES = 16
interface Parameters {
  readonly iv: Uint8Array
  readonly additionalData: Uint8Array
}

function encrypt(
  { iv, additionalData }: Parameters,
  key: webcrypto.CryptoKey,
  plain: Uint8Array,
): Promise<ArrayBuffer> {
  const cipher = createCipheriv('aes-256-gcm', KeyObject.from(key), iv).setAAD(additionalData)
  return Promise.resolve(copied(Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()])))
}

async function decrypt(
  { iv, additionalData }: Parameters,
  key: webcrypto.CryptoKey,
  sealed: Uint8Array,
): Promise<ArrayBuffer> {
  const decipher = createDecipheriv('aes-256-gcm', KeyObject.from(key), iv).setAAD(additionalData)
  decipher.setAuthTag(sealed.subarray(-TAG_BYTES))
  return copied(Buffer.concat([decipher.update(sealed.subarray(0, -TAG_BYTES)), decipher.final()]))
}

function copied(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
