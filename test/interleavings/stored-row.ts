import type { TokenRecord } from '@shopify-tokens/core'
import { type Renaming, renamed } from './renaming.js'

/** The one row, as one write left it. Of one table, equal rows are one object. */
export class StoredRow {
  readonly id: number
  readonly version: string
  readonly record: TokenRecord
  readonly #json: string
  readonly #table: Map<string, StoredRow>
  readonly #ids = new Map<string, number>()

  private constructor(table: Map<string, StoredRow>, version: string, json: string) {
    this.id = table.size
    this.version = version
    this.record = JSON.parse(json) as TokenRecord
    this.#json = json
    this.#table = table
  }

  static of(table: Map<string, StoredRow>, version: string, json: string): StoredRow {
    const key = `${version} ${json}`
    const row = table.get(key) ?? new StoredRow(table, version, json)
    table.set(key, row)
    return row
  }

  /** The row after a write. */
  after(version: string, json: string): StoredRow {
    return StoredRow.of(this.#table, version, json)
  }

  /** The id of the row as it would be if the processes had other numbers. */
  idUnder(renaming: Renaming): number {
    if (renaming.id === '') return this.id
    let id = this.#ids.get(renaming.id)
    if (id === undefined) {
      ;({ id } = this.after(renamed(this.version, renaming), renamed(this.#json, renaming)))
      this.#ids.set(renaming.id, id)
    }
    return id
  }
}
