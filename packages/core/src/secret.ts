import { createHash, timingSafeEqual } from 'node:crypto'
import { inspect } from 'node:util'

const REDACTED = '[redacted]'
/** Marks our secrets across copies of this module, as errors are. */
const BRAND = Symbol.for('@shopify-tokens/secret')

/**
 * A string that prints as `[redacted]` wherever a value gets printed by accident: template strings, `console.log`,
 * `JSON.stringify`, a debugger's `util.inspect`. Only {@link reveal} gives the text.
 */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
    Object.defineProperty(this, BRAND, { value: true })
  }

  /** The text itself. Call it at the last moment, where the text goes on the wire or into a cipher. */
  reveal(): string {
    return this.#text
  }

  /** Whether both hold the same text, compared in constant time. */
  equals(other: Secret): boolean {
    return timingSafeEqual(digest(this.#text), digest(other.#text))
  }

  toString(): string {
    return REDACTED
  }

  toJSON(): string {
    return REDACTED
  }

  [inspect.custom](): string {
    return REDACTED
  }
}

/** Whether `value` is a {@link Secret}, whichever copy of the package made it. */
export function isSecret(value: unknown): value is Pick<Secret, 'reveal'> {
  return typeof value === 'object' && value !== null && BRAND in value
}

/**
 * A short name for a secret that lets two places agree which one they mean without either showing it. Eight bytes of
 * SHA-256, hex: enough to tell secrets apart, and no way back from it because tokens and client secrets are random and
 * long. Never use it on a password.
 */
export function fingerprint(secret: string): string {
  return digest(`shopify-tokens:fingerprint:${secret}`).toString('hex', 0, 8)
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
