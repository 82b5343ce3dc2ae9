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

/** A parameter of a query as a framework has parsed it: text, or a list or an object of whatever the client has sent. */
export function parameter(query: unknown, name: string): unknown {
  if (typeof query !== 'object' || query === null || !Object.hasOwn(query, name)) return undefined
  return (query as Readonly<Record<string, unknown>>)[name]
}
