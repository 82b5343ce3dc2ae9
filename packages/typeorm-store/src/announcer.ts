import { createHash, randomUUID } from 'node:crypto'
import { isShop, type RecordKey } from '@shopify-tokens/core'

/** The messages by which store objects on one table tell each other of their writes. They hold keys, never tokens. */
export class Announcer {
  /**
   * One per table: a hash, because the names of channels are as short as those of tables, and a schema comes before it
   * here. Tables that only a `search_path` tells apart share one, which costs a read now and then.
   */
  readonly channel: string
  readonly #writer = randomUUID()

  /** @param table The table's quoted name. */
  constructor(table: string) {
    this.channel = `shopify_tokens_${createHash('sha256').update(table).digest('hex').slice(0, 32)}`
  }

  /** What to say of a write. A key fits its columns, so that this stays far below the 8 000 bytes of a notification. */
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
  try {
    const parsed: unknown = JSON.parse(message)
    return Array.isArray(parsed) ? parsed : []
  } catch {
    return []
  }
}
