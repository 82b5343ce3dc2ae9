import { flagOption, invalidOption } from '../option-checks.js'
import type { RequestTokensOptions } from './request-tokens.js'

/**
 * Names the shop of a framework's request as the app itself knows it: from its own signed-in session, never from a
 * parameter or a header that the client is free to choose, because whatever it names gets that shop's token.
 * `undefined`: the request's session token must tell.
 */
export type ShopOfRequest<Request> = (request: Request) => string | undefined | Promise<string | undefined>

/** How a framework serves requests, wherever their tokens come from. */
export interface RequestOptions<Request> {
  /** Names the shop of a request. Default: the request's session token (`Authorization: Bearer`, or `id_token`). */
  readonly shopOf?: ShopOfRequest<Request> | undefined
  /** Do not ask for a token before the handler runs: only `token()`, `fetch` and `graphql` do then. Default false. */
  readonly lazy?: boolean | undefined
  /** The app's path that begins authorization; told to App Bridge when only the merchant can help. Default `/auth`. */
  readonly authPath?: string | undefined
}

/** {@link RequestOptions} after they have been checked. */
export interface RequestSettings<Request> {
  readonly shopOf: ShopOfRequest<Request> | null
  readonly lazy: boolean
  readonly authPath: string
}

/**
 * Takes a framework's options apart: how requests are served, and everything else, which is about their tokens and not
 * checked yet.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function parseRequestOptions<Request>(options: RequestOptions<Request> & RequestTokensOptions): {
  readonly settings: RequestSettings<Request>
  readonly source: RequestTokensOptions
} {
  if (typeof options !== 'object' || (options as unknown) === null) throw invalidOption('options', 'an object', options)
  const { shopOf, lazy, authPath, ...source } = options
  if (shopOf !== undefined && typeof shopOf !== 'function') throw invalidOption('shopOf', 'a function', shopOf)
  return {
    settings: { shopOf: shopOf ?? null, lazy: flagOption('lazy', lazy, false), authPath: parseAuthPath(authPath) },
    source: source,
  }
}

/** A path of this origin in printable characters, without query: it becomes a header, and App Bridge's address. */
const PATH = /^\/(?![/\\])[!"$->@-~]*$/

/**
 * The option `authPath`, or its default.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function parseAuthPath(authPath: unknown = '/auth'): string {
  return parseRoutePath('authPath', authPath)
}

/**
 * An option that names a path of the app.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`
 */
export function parseRoutePath(name: string, path: unknown): string {
  if (typeof path === 'string' && PATH.test(path)) return path
  throw invalidOption(name, 'a path that begins with one slash and has no query', path)
}
