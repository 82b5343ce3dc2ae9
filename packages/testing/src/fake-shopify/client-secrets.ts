interface ClientSecret {
  readonly number: number
  readonly value: string
  revoked: boolean
}

/**
 * The client secrets of the fake's app, oldest first. More than one may be active while a secret is being rotated;
 * tokens are pinned to the one that minted them (R10 and R11 in docs/shopify-protocol.md).
 *
 * @see Shopify page "Manage credentials"
 */
export class ClientSecrets {
  readonly #secrets: ClientSecret[] = []

  /** Adds a secret, newer than all before, and returns its number. A secret that is already active keeps its number. */
  add(value: string): number {
    const known = this.number(value)
    if (known !== undefined) return known
    const number = this.#secrets.length
    this.#secrets.push({ number, value, revoked: false })
    return number
  }

  /** The number of an active secret, `undefined` for an unknown or a revoked one. */
  number(value: string): number | undefined {
    return this.#secrets.find((secret) => secret.value === value && !secret.revoked)?.number
  }

  /** Revokes an active secret and returns its number, `undefined` when there was none. */
  revoke(value: string): number | undefined {
    const secret = this.#secrets.find((candidate) => candidate.value === value && !candidate.revoked)
    if (secret !== undefined) secret.revoked = true
    return secret?.number
  }

  /** The secret that Shopify signs with: the oldest active one. Empty when every secret is revoked. */
  signing(): string {
    return this.active()[0] ?? ''
  }

  /** Every active secret, oldest first. */
  active(): readonly string[] {
    return this.#secrets.filter((secret) => !secret.revoked).map((secret) => secret.value)
  }

  /** The number that a grant without a request is pinned to: the newest active secret's. */
  newest(): number {
    return this.#secrets.filter((secret) => !secret.revoked).at(-1)?.number ?? this.#secrets.length
  }
}
