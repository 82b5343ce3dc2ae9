import type { GraphqlError, ShopClient } from '../admin/shop-client.js'
import { AdminResponseError } from '../errors.js'
import { invalidOption, refuseUnknownOptions } from '../option-checks.js'
import type { NextChunk } from './resumable.js'

/** A page of a GraphQL connection: whatever the query asks for, and where it ends. */
export interface ConnectionPage {
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor?: string | null | undefined }
}

/** What {@link pagesOf} takes. Unknown keys are refused. */
export interface PagesOptions<Data, Page extends ConnectionPage> {
  /** Where in the data the connection is. `null`: what it belongs to is gone, and nothing is left to do. */
  readonly connection: (data: Data) => Page | null
  /** The query's other variables. */
  readonly variables?: Readonly<Record<string, unknown>> | undefined
  /** Default: the client's. */
  readonly apiVersion?: string | undefined
}

/**
 * The pages of a GraphQL connection, for {@link resumable}; a position is a cursor. The query takes `$after` and asks for
 * `pageInfo { hasNextPage endCursor }`:
 *
 * ```graphql
 * query ($after: String) {
 *   products(first: 100, after: $after) { nodes { id title } pageInfo { hasNextPage endCursor } }
 * }
 * ```
 *
 * Each page is one call of `client.graphql`, with what that rejects with. An answer with `errors` rejects with
 * `ERR_ADMIN_RESPONSE` too, whose `graphqlCodes` name them: `THROTTLED` is retryable, and nothing here waits.
 *
 * @throws InvalidOptionError `ERR_INVALID_OPTION`; so does a page, when the query does not do as above
 * @see Shopify: "Paginating results with GraphQL"; Shopify: "API limits"
 */
export function pagesOf<Data, Page extends ConnectionPage>(
  client: Pick<ShopClient, 'shop' | 'graphql'>,
  query: string,
  options: PagesOptions<Data, Page>,
): NextChunk<Page, string> {
  refuseUnknownOptions(options, ['connection', 'variables', 'apiVersion'])
  const { connection, variables, apiVersion } = options
  if (typeof query !== 'string' || !query.includes('$after'))
    throw invalidOption('query', 'one that takes $after', query)
  if (typeof connection !== 'function') throw invalidOption('connection', 'a function', connection)
  return async (after, signal) => {
    const { data, errors = [] } = await client.graphql<Data>(query, {
      variables: { ...variables, after },
      apiVersion,
      signal,
    })
    if (errors.length > 0) throw new AdminResponseError(200, { shop: client.shop, graphqlCodes: errors.map(codeOf) })
    const page = connection((data ?? {}) as Data)
    if (page === null) return undefined
    return { page, ...endOf(page, after) }
  }
}

function endOf(page: ConnectionPage, after: string | null): { position: string | null; last: boolean } {
  const { hasNextPage, endCursor = null } = (page as Partial<ConnectionPage> | undefined)?.pageInfo ?? {}
  if (typeof hasNextPage !== 'boolean' || (hasNextPage && typeof endCursor !== 'string')) {
    throw invalidOption('connection', 'a function that finds pageInfo { hasNextPage endCursor }', page)
  }
  if (hasNextPage && endCursor === after) {
    throw invalidOption(
      'query',
      'one that gives after: $after to the connection: it answers the same page again',
      after,
    )
  }
  return { position: endCursor, last: !hasNextPage }
}

/** Never more than a code: the message goes into logs. */
function codeOf({ extensions }: GraphqlError): string {
  const code = extensions?.code
  return typeof code === 'string' && /^\w{1,64}$/.test(code) ? code : 'unknown'
}
