import { InvalidOptionError } from './errors.js'

/** The error for an option that breaks its rule: names the option, the rule and the type it got, never the value. */
export function invalidOption(name: string, rule: string, value: unknown): InvalidOptionError {
  const got = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return new InvalidOptionError(`Option ${name} must be ${rule}; got ${got}.`, [name])
}

/** @throws InvalidOptionError when there are options whose names are not `known`, or no options but something else. */
export function refuseUnknownOptions(options: object, known: Iterable<string>): void {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('options', 'an object', options)
  const names = new Set(known)
  refuseOptions(
    Object.keys(options).filter((name) => !names.has(name)),
    'Unknown option',
  )
}

/** @throws InvalidOptionError that says why, when there is any of these options. */
export function refuseOptions(names: readonly string[], why: string): void {
  if (names.length > 0) throw new InvalidOptionError(`${why}: ${names.join(', ')}.`, names)
}

/** @throws InvalidOptionError when there is a value that is neither true nor false. */
export function flagOption(name: string, value: unknown, fallback: boolean): boolean {
  if (value === undefined) return fallback
  if (typeof value === 'boolean') return value
  throw invalidOption(name, 'true or false', value)
}

/** @throws InvalidOptionError when the value is no whole number in this range, both ends included. */
export function wholeNumberOption(name: string, value: unknown, min: number, max: number): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value
  throw invalidOption(name, `a whole number from ${String(min)} to ${String(max)}`, value)
}
