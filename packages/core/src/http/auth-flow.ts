import type { AuthOptions } from './auth-options.js'
import type { HttpReply } from './http-reply.js'
import type { ManagerSource } from './manager-source.js'

/** A request as the OAuth routes need it. */
export interface AuthRequest {
  readonly method: string
  /** The whole path, without the query. */
  readonly path: string
  /** As the framework has parsed it: values may be lists or objects. */
  readonly query: unknown
  /** The `Cookie` header. */
  readonly cookies: string | undefined
  /** The `Sec-Fetch-Dest` header: `iframe` for a document in the admin. */
  readonly fetchDest: string | undefined
}

/** The routes of OAuth: `{authPath}`, `{authPath}/callback`, `{authPath}/bounce` and `{authPath}/exit-iframe`. */
export class AuthFlow {
  constructor(_tokens: ManagerSource, _options: AuthOptions = {}, _env: NodeJS.ProcessEnv = process.env) {
    // Filled next.
  }

  /** Resolves with the answer, or with `null` when the path is none of these routes. */
  handle(_request: AuthRequest): Promise<HttpReply | null> {
    return Promise.resolve(null)
  }
}
