/** A sealing key: 32 random bytes and the name that stands with every value it has sealed. */
export interface SealingKey {
  /** Up to 64 characters of `A-Z a-z 0-9 . _ -`. Stands in clear in the sealed value; holds no secret. */
  readonly id: string
  /** Exactly 32 bytes. */
  readonly bytes: Uint8Array
}

/**
 * Where sealing keys come from. May be asynchronous, so that mounted secret files, a KMS or a secrets manager fit
 * behind it; the sealed store keeps what it has been given.
 *
 * A new key must be readable by every process before it becomes current.
 */
export interface KeyRing {
  /** The key for new values. */
  current(): SealingKey | Promise<SealingKey>
  /** The key with this id, or `undefined` when there is none. A rejection means "cannot tell now", never "none". */
  byId(id: string): SealingKey | undefined | Promise<SealingKey | undefined>
}
