import { InvalidOptionError } from '../errors.js'
import { type KeepAliveOptions, parseKeepAliveOptions } from '../keep-alive/sweep-options.js'
import { invalidOption } from '../option-checks.js'
import type { TokenManagerOptions } from '../options.js'

/** Whether the manager that is built here keeps shops alive. */
export interface KeepAliveOption {
  /**
   * Renews shops that nobody visits before their refresh tokens end, and those that processes with `renewal: 'never'` ask
   * for, by a timer: what `TokenManager.startKeepAlive` takes. Default `{}` where `renewal` is `hybrid`, `false` elsewhere.
   * With `false` something else has to do it: `sweep()`, or another process.
   */
  readonly keepAlive?: false | KeepAliveOptions | undefined
}

/**
 * What to start the timer with; `null`: not at all.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function parseKeepAliveOption(
  { keepAlive }: KeepAliveOption,
  renewal: TokenManagerOptions['renewal'] = 'hybrid',
): KeepAliveOptions | null {
  if (keepAlive === undefined) return renewal === 'hybrid' ? {} : null
  if (keepAlive === false) return null
  if (typeof keepAlive !== 'object' || (keepAlive as unknown) === null) {
    throw invalidOption('keepAlive', 'false, or an object of options', keepAlive)
  }
  if (renewal === 'never') {
    throw new InvalidOptionError('Option keepAlive is of no use where renewal says that nothing is renewed.', [
      'keepAlive',
    ])
  }
  parseKeepAliveOptions(keepAlive)
  return keepAlive
}
