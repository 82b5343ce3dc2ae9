import { StoreUnreadableError } from '@shopify-tokens/core'

/** A row as the driver gives it, by column name. */
export type Cells = Readonly<Record<string, unknown>>

/**
 * Reads the cells of one row, each as one type only: a value of any other type makes the row unreadable. Errors name
 * the column, and the shop if the row is one's, never the value.
 */
export class CellReader {
  readonly #cells: Cells
  readonly #shop: string | undefined

  constructor(cells: Cells, shop: string | undefined) {
    this.#cells = cells
    this.#shop = shop
  }

  text(column: string): string {
    const value = this.#cells[column]
    return typeof value === 'string' ? value : this.refuse(column, 'text')
  }

  /** A whole number, in whichever of the three ways the drivers give large ones. */
  integer(column: string): number {
    const value = this.#cells[column]
    const isNumeral = typeof value === 'string' && /^-?\d{1,16}$/.test(value)
    const number = isNumeral || typeof value === 'bigint' ? Number(value) : value
    return Number.isSafeInteger(number) ? (number as number) : this.refuse(column, 'a whole number')
  }

  flag(column: string): boolean {
    const value = this.#cells[column]
    if (typeof value === 'boolean') return value
    if (value === 0 || value === 1 || value === 0n || value === 1n) return Number(value) === 1
    return this.refuse(column, 'true or false')
  }

  /** Text that `parse` understands; it answers `undefined` for what it does not. */
  json<Value>(column: string, parse: (value: unknown) => Value | undefined): Value {
    const text = this.text(column)
    const value = parse(fromJson(text))
    return value === undefined ? this.refuse(column, 'JSON of the shape expected there') : value
  }

  /** `null`, or what `read` makes of the cell. */
  nullable<Value>(column: string, read: (column: string) => Value): Value | null {
    return this.isNull(column) ? null : read(column)
  }

  isNull(column: string): boolean {
    return this.#cells[column] === null
  }

  /** @throws StoreUnreadableError `ERR_STORE_UNREADABLE` */
  refuse(column: string, expected: string): never {
    throw new StoreUnreadableError(`The stored row is not understood: column ${column} is not ${expected}.`, {
      shop: this.#shop,
    })
  }
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // The parser's own message quotes the text, which may hold tokens.
    return undefined
  }
}
