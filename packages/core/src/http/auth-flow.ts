import { type AuthOptions, type AuthSettings, parseAuthOptions } from './auth-options.js'
import { type AuthRequest, parameter } from './auth-request.js'
import { beginAuthorization, leaveFrame } from './begin-authorization.js'
import { bounce } from './bounce.js'
import { completeAuthorization } from './complete-authorization.js'
import type { HttpReply } from './http-reply.js'
import { managerOf, type ManagerSource } from './manager-source.js'
import { refusalPage } from './refusal-page.js'
import { endCookie } from './state-cookies.js'

type Route = 'begin' | 'callback' | 'bounce' | 'exit-iframe'

/**
 * The OAuth routes, for any framework. Each is a `GET`:
 *
 * - `{authPath}?shop=…` begins authorization: 302 to Shopify, or inside the admin's frame a page that leaves it first.
 *   `scope`: scopes to ask for beside the app's own. `return_to`: the path of the app where the merchant goes in the end.
 * - `{authPath}/callback` takes what Shopify answers, stores the tokens, and sends the merchant on into the app.
 * - `{authPath}/bounce?shopify-reload=…` is the page on which App Bridge gets a session token for a document. Of embedded
 *   apps alone, as the next.
 * - `{authPath}/exit-iframe?shop=…` leaves the admin's frame and begins, for pages of the app that lead there.
 *
 * What is wrong with a request is answered with a page that names the error's code. Nothing of a request is repeated in a
 * page, and no browser is sent anywhere but to the app itself, the shop's admin and its authorize page.
 *
 * @see Shopify: "Implement authorization code grant manually"; docs/embedded-apps.md
 */
export class AuthFlow {
  /** The path that begins authorization. */
  readonly authPath: string
  /** Whether the app is shown inside Shopify's admin. */
  readonly embedded: boolean
  readonly #tokens: ManagerSource
  readonly #settings: AuthSettings

  /** @throws InvalidOptionError `ERR_INVALID_OPTION` */
  constructor(tokens: ManagerSource, options: AuthOptions = {}, env: NodeJS.ProcessEnv = process.env) {
    this.#tokens = tokens
    this.#settings = parseAuthOptions(options, env)
    this.authPath = this.#settings.authPath
    this.embedded = this.#settings.embedded
  }

  /**
   * Resolves with the answer, or with `null` when this is none of the routes. Rejects with what `onInstalled` or the source
   * of the manager rejects with, unless it is one of this project's errors: those are answered.
   */
  async handle(request: AuthRequest): Promise<HttpReply | null> {
    const route = this.#routeOf(request)
    if (route === null) return null
    const { authPath } = this.#settings
    const ended = route === 'callback' ? endCookie(parameter(request.query, 'state'), authPath) : []
    try {
      return withCookies(await this.#answer(route, request), ended)
    } catch (error) {
      return withCookies(refusalPage(error, authPath), ended)
    }
  }

  #routeOf({ method, path }: AuthRequest): Route | null {
    const { authPath, embedded } = this.#settings
    const isGet = method === 'GET'
    // What only looks must not use up a code.
    if (!isGet && method !== 'HEAD') return null
    if (path === authPath) return 'begin'
    if (path === `${authPath}/callback`) return isGet ? 'callback' : null
    if (path === `${authPath}/bounce`) return embedded ? 'bounce' : null
    return path === `${authPath}/exit-iframe` && embedded ? 'exit-iframe' : null
  }

  async #answer(route: Route, request: AuthRequest): Promise<HttpReply> {
    const tokens = await managerOf(this.#tokens)
    switch (route) {
      case 'begin':
        return (isFramed(request) ? leaveFrame : beginAuthorization)(tokens, this.#settings, request)
      case 'exit-iframe':
        return leaveFrame(tokens, this.#settings, request)
      case 'bounce':
        return bounce(tokens, this.#settings, request)
      case 'callback':
        return completeAuthorization(tokens, this.#settings, request)
    }
  }
}

/** Whether the browser shows this in the admin's frame: the admin says so, and newer browsers do. */
function isFramed({ query, fetchDest }: AuthRequest): boolean {
  return parameter(query, 'embedded') === '1' || fetchDest === 'iframe'
}

function withCookies(reply: HttpReply, cookies: readonly string[]): HttpReply {
  return cookies.length === 0 ? reply : { ...reply, headers: { ...reply.headers, 'set-cookie': cookies } }
}
