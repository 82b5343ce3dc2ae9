import { InvalidCallbackError, InvalidOptionError } from './errors.js'
import { invalidOption, refuseUnknownOptions } from './option-checks.js'

/** What the merchant's presence brings: a session token, or the code of an authorization. Exactly one of them. */
export type AcquireOptions = { readonly signal?: AbortSignal | undefined } & (
  { readonly idToken: string; readonly code?: undefined } | { readonly code: string; readonly idToken?: undefined }
)

/** A code is 32 hexadecimal digits at present; nothing says that it stays so. @see RFC 6749 appendix A.11 */
const CODE = /^[\x20-\x7e]{1,1024}$/

/**
 * Checks the options of `acquire`. What they hold comes from the merchant's browser and is judged as such.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 * @throws InvalidCallbackError `ERR_INVALID_CALLBACK` for text that can be no code
 */
export function parseAcquireOptions(options: AcquireOptions): AcquireOptions {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('options', 'an object', options)
  refuseUnknownOptions(options, ['idToken', 'code', 'signal'])
  const { idToken, code }: { readonly idToken?: unknown; readonly code?: unknown } = options
  if ((idToken === undefined) === (code === undefined)) {
    throw new InvalidOptionError('Exactly one of the options idToken and code is needed.', ['idToken', 'code'])
  }
  if (idToken !== undefined && typeof idToken !== 'string') throw invalidOption('idToken', 'a string', idToken)
  if (code !== undefined && typeof code !== 'string') throw invalidOption('code', 'a string', code)
  if (code !== undefined && !CODE.test(code)) throw new InvalidCallbackError('malformed')
  return options
}
