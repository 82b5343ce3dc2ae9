import { createHmac, hkdfSync } from 'node:crypto'
import type { Secret } from '../secret.js'
import { isSameText } from './same-text.js'

/** As browsers limit a cookie with its name and attributes. */
const MAX_LENGTH = 4_096
const FORM = /^([A-Za-z0-9_-]+)\.([0-9a-z]{1,10})\.([A-Za-z0-9_-]{43})$/

/**
 * Signs what the app gives to a browser and wants back unchanged. One key per secret and purpose, derived by HKDF: a
 * signature by the raw client secret would also be a webhook's signature, for whoever holds it.
 *
 * @see RFC 5869
 */
export class OwnSeal {
  readonly #clientId: string
  readonly #secrets: readonly Secret[]
  readonly #now: () => number
  /** Derived keys, the current secret's first. Purposes are few, and the program's own. */
  readonly #keys = new Map<string, readonly Buffer[]>()

  constructor(clientId: string, secrets: readonly Secret[], now: () => number) {
    this.#clientId = clientId
    this.#secrets = secrets
    this.#now = now
  }

  seal(purpose: string, payload: object, lifeMs: number): string {
    const endsAt = Math.ceil(this.#now() + lifeMs).toString(36)
    const signed = `${Buffer.from(JSON.stringify(payload)).toString('base64url')}.${endsAt}`
    const [key] = this.#keysFor(purpose)
    if (key === undefined) throw new TypeError('There is no client secret to sign with.')
    return `${signed}.${mac(key, signed)}`
  }

  open(purpose: string, text: unknown): object | null {
    if (typeof text !== 'string' || text.length > MAX_LENGTH) return null
    const [, payload = '', endsAt = '', signature = ''] = FORM.exec(text) ?? []
    const isOurs = (key: Buffer): boolean => isSameText(mac(key, `${payload}.${endsAt}`), signature)
    if (!this.#keysFor(purpose).some(isOurs)) return null
    if (Number.parseInt(endsAt, 36) <= this.#now()) return null
    return JSON.parse(Buffer.from(payload, 'base64url').toString()) as object
  }

  #keysFor(purpose: string): readonly Buffer[] {
    const known = this.#keys.get(purpose)
    if (known !== undefined) return known
    const derive = (secret: Secret): Buffer =>
      Buffer.from(hkdfSync('sha256', secret.reveal(), this.#clientId, `shopify-tokens:own-seal:${purpose}`, 32))
    const keys = this.#secrets.map(derive)
    this.#keys.set(purpose, keys)
    return keys
  }
}

function mac(key: Buffer, signed: string): string {
  return createHmac('sha256', key).update(signed).digest('base64url')
}
