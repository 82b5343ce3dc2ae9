import type { Attempt, CoolDown, ReauthorizationMark } from '@shopify-tokens/core'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isNumber: Check = (value) => typeof value === 'number'
const isNumberOrNull: Check = (value) => value === null || isNumber(value)
const isFlag: Check = (value) => typeof value === 'boolean'
const oneOf =
  (...words: readonly string[]): Check =>
  (value) =>
    words.includes(value as string)

const ATTEMPT: Record<keyof Attempt, Check> = {
  id: isText,
  grant: oneOf('refresh', 'id-token', 'code', 'migration', 'client-credentials'),
  credential: isText,
  at: isNumber,
}

const MARK: Record<keyof ReauthorizationMark, Check> = {
  reason: oneOf('refresh-token-rejected', 'app-not-installed', 'access-token-rejected'),
  at: isNumber,
  triedAt: isNumber,
  notifiedAt: isNumberOrNull,
}

const COOL_DOWN: Record<keyof CoolDown, Check> = {
  until: isNumber,
  failures: isNumber,
  scope: oneOf('all', 'rejected', 'suspect'),
  stuck: isFlag,
}

/**
 * Exactly these fields, or `undefined`. A field too many is refused like one too few: writing the row back would drop
 * it.
 */
function shaped<Value>(value: unknown, fields: Record<keyof Value & string, Check>): Value | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const entries = Object.entries(value)
  const known = fields as Record<string, Check>
  const fits = entries.every(([name, field]) => Object.hasOwn(known, name) && known[name]?.(field) === true)
  return fits && entries.length === Object.keys(known).length ? (value as Value) : undefined
}

/** Attempts from JSON, or `undefined`. */
export function toAttempts(value: unknown): readonly Attempt[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.every((entry) => shaped<Attempt>(entry, ATTEMPT) !== undefined) ? (value as Attempt[]) : undefined
}

/** A mark from JSON, or `undefined`. */
export function toMark(value: unknown): ReauthorizationMark | undefined {
  return shaped<ReauthorizationMark>(value, MARK)
}

/** A cool-down from JSON, or `undefined`. */
export function toCoolDown(value: unknown): CoolDown | undefined {
  return shaped<CoolDown>(value, COOL_DOWN)
}

/** A list of strings from JSON, or `undefined`. */
export function toTexts(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.every(isText) ? (value as string[]) : undefined
}
