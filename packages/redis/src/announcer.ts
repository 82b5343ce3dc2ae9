import { randomUUID } from 'node:crypto'
import { isShop, type RecordKey } from '@shopify-tokens/core'

/** Longer than any message of a store. */
const MAX_LENGTH = 2_000

/** The messages by which store objects tell each other of their writes. They hold keys, never tokens. */
export class Announcer {
  readonly #writer = randomUUID()

  /** What to say of a write. */
  messageOf({ clientId, shop }: RecordKey): string {
    return JSON.stringify([this.#writer, clientId, shop])
  }

  /** The row that somebody else has written; `null`: a write of this store's, or nothing that a store has said. */
  keyIn(message: string): RecordKey | null {
    const parts = listIn(message)
    if (parts.length !== 3) return null
    const [writer, clientId, shop] = parts
    if (writer === this.#writer || typeof clientId !== 'string' || !isShop(shop)) return null
    return { clientId, shop }
  }
}

function listIn(message: string): readonly unknown[] {
  if (message.length > MAX_LENGTH) return []
  try {
    const parsed: unknown = JSON.parse(message)
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}
